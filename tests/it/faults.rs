//! Short runs of what `cargo xtask faults` does for minutes: everything is hurt at random, and nothing may be lost.

use tests::faults::{Options, run};

/// One is enough, unless it was so slow that some of what it is about never came to pass.
const SEEDS: [u64; 3] = [16, 60, 9];

#[test]
fn random_faults_lose_double_and_block_nothing() {
    let mut idle = None;
    for seed in SEEDS {
        let report = run(Options {
            seed,
            minutes: 0.25,
            jobs: 30,
            mutant: None,
        })
        .unwrap();
        // Each of them has to pass; another one only adds to what was looked at.
        assert!(report.passed(), "{report}\n{}", report.verdict());
        // A run in which little happened would prove little.
        assert!(report.hurts() >= 3, "{report}");
        assert!(report.decisions() >= 3, "{report}");
        let mut left = idle.unwrap_or_else(|| report.idle_checks());
        left.retain(|check| report.idle_checks().contains(check));
        if left.is_empty() {
            return;
        }
        idle = Some(left);
    }
    panic!("nothing was looked at: {:?}", idle.unwrap_or_default());
}
