//! A short run of what `cargo xtask faults` does for minutes: everything is hurt at random, and nothing may be lost.

use tests::faults::{Options, run};

#[test]
fn random_faults_lose_double_and_block_nothing() {
    let report = run(Options {
        seed: 9,
        minutes: 0.25,
        jobs: 30,
        mutant: None,
    })
    .unwrap();
    assert!(report.passed(), "{report}\n{}", report.verdict());
    // A run in which little happened would prove little.
    let idle = report.idle_checks();
    assert!(idle.is_empty(), "nothing was looked at: {idle:?}");
    assert!(report.hurts() >= 3, "{report}");
    assert!(report.decisions() >= 3, "{report}");
}
