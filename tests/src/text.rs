//! Comparing texts by their words, as one does with the output of text recognition.

/// The words of a text: without the punctuation around them, with plain apostrophes for typographic ones; a word that
/// is divided by a hyphen at the end of a line is one word.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut divided = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        for (index, part) in line.split_whitespace().enumerate() {
            let part = part.replace(['’', '‘'], "'");
            match words.last_mut() {
                Some(last) if divided && index == 0 => {
                    last.pop();
                    last.push_str(&part);
                }
                _ => words.push(part),
            }
        }
        divided = words
            .last()
            .is_some_and(|last| last.len() > 1 && last.ends_with('-'));
    }
    let bare = |word: String| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    words
        .into_iter()
        .map(bare)
        .filter(|word| !word.is_empty())
        .collect()
}

/// The share of `expected` that is found in `found` in the same order (longest common subsequence), 0.0 to 1.0.
pub fn share_in_order(expected: &[String], found: &[String]) -> f64 {
    let mut lengths = vec![0_u32; found.len() + 1];
    for word in expected {
        let mut diagonal = 0;
        for (index, other) in found.iter().enumerate() {
            let above = lengths[index + 1];
            lengths[index + 1] = if word == other {
                diagonal + 1
            } else {
                above.max(lengths[index])
            };
            diagonal = above;
        }
    }
    let longest = lengths.last().copied().unwrap_or(0);
    let all = u32::try_from(expected.len()).expect("a page has few words");
    f64::from(longest) / f64::from(all.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_at_line_ends_are_joined_and_others_kept() {
        assert_eq!(
            words("well-known hy-\nphen  ated -\n\nend"),
            ["well-known", "hyphen", "ated", "end"]
        );
    }

    #[test]
    fn punctuation_around_words_does_not_count_and_apostrophes_are_one() {
        assert_eq!(words("“Don’t,” I said; (no ; ...)"), ["Don't", "I", "said", "no"]);
    }

    #[test]
    fn the_share_counts_words_in_order_only() {
        let share = |a: &str, b: &str| share_in_order(&words(a), &words(b));
        assert!((share("a b c d", "x a b y c d z") - 1.0).abs() < 1e-9);
        assert!((share("a b c d", "d c b a") - 0.25).abs() < 1e-9);
        assert!((share("a b c d", "a c x d") - 0.75).abs() < 1e-9);
        assert!(share("a", "").abs() < 1e-9);
    }
}
