//! Random histories, carried out twice: by the pure decisions alone, and by the transactions on a real database.
//! After each step every row must be the same, and maintained counts must equal recounts.

mod configure;
mod model;
mod system;

use proptest::prelude::*;
use proptest_state_machine::prop_state_machine;

use system::Transactions;

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 20, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_the_rows_are_what_the_decisions_say(sequential 1..50 => Transactions);
}
