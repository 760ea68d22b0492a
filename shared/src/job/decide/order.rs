//! The line in which waiting jobs of one priority stand, and what moving some of them makes of it.

use serde::{Deserialize, Serialize};

/// A place among the waiting jobs of one priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Before the one before it.
    Up,
    /// Behind the one behind it.
    Down,
    /// Before all others.
    Top,
    /// Behind all others.
    Bottom,
}

/// The line after those that are named (`true`) were moved. They keep their order among themselves, and so do the
/// others; who stands at the end already, or behind one that is named and does, stays.
///
/// For a move up or down the line may leave out whoever is neither named nor next to one that is.
pub fn rearrange<T: Copy>(line: &[(T, bool)], to: Place) -> Vec<T> {
    let mut line = line.to_vec();
    match to {
        Place::Up => {
            for place in 1..line.len() {
                if line[place].1 && !line[place - 1].1 {
                    line.swap(place - 1, place);
                }
            }
        }
        Place::Down => {
            for place in (1..line.len()).rev() {
                if line[place - 1].1 && !line[place].1 {
                    line.swap(place - 1, place);
                }
            }
        }
        // Sorting keeps the order of equals.
        Place::Top => line.sort_by_key(|(_, named)| !named),
        Place::Bottom => line.sort_by_key(|(_, named)| *named),
    }
    line.into_iter().map(|(job, _)| job).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Place, rearrange};

    /// Capital letters are named.
    fn moved(line: &str, to: Place) -> String {
        let line: Vec<(char, bool)> = line.chars().map(|job| (job, job.is_uppercase())).collect();
        rearrange(&line, to).into_iter().collect()
    }

    #[test]
    fn neighbours_that_are_moved_together_keep_their_order() {
        assert_eq!(moved("abCDe", Place::Up), "aCDbe");
        assert_eq!(moved("aBCde", Place::Down), "adBCe");
        assert_eq!(moved("aBcDe", Place::Top), "BDace");
        assert_eq!(moved("aBcDe", Place::Bottom), "aceBD");
        assert_eq!(moved("aBcD", Place::Up), "BaDc");
    }

    #[test]
    fn who_stands_at_the_end_stays_and_so_does_who_is_right_behind() {
        assert_eq!(moved("ABcD", Place::Up), "ABDc");
        assert_eq!(moved("AbCD", Place::Down), "bACD");
        assert_eq!(moved("ABc", Place::Top), "ABc");
    }

    proptest! {
        #[test]
        fn down_is_up_in_a_mirror(named in prop::collection::vec(any::<bool>(), 0..12)) {
            let line: Vec<(usize, bool)> = named.into_iter().enumerate().collect();
            let mirror: Vec<(usize, bool)> = line.iter().rev().copied().collect();
            for (one, other) in [(Place::Up, Place::Down), (Place::Top, Place::Bottom)] {
                let mut mirrored = rearrange(&mirror, other);
                mirrored.reverse();
                prop_assert_eq!(rearrange(&line, one), mirrored);
            }
        }

        #[test]
        fn both_the_named_and_the_others_keep_their_order(named in prop::collection::vec(any::<bool>(), 0..12)) {
            let line: Vec<(usize, bool)> = named.iter().copied().enumerate().collect();
            for to in [Place::Up, Place::Down, Place::Top, Place::Bottom] {
                let after = rearrange(&line, to);
                for kind in [true, false] {
                    let of_kind: Vec<usize> = after.iter().copied().filter(|job| named[*job] == kind).collect();
                    prop_assert!(of_kind.is_sorted(), "{to:?}: {after:?}");
                }
            }
        }
    }
}
