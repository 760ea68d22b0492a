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
}
