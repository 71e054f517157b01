//! What was probably meant by a key or name that nobody knows.

/// The candidate that is at most two letters away, and at most a third of the word.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let length = word.chars().count();
    // Names are short; a long word is rubbish and not worth the time.
    if length > 60 {
        return None;
    }
    let most = (length / 3).clamp(1, 2);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut last = i + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(&b) {
            let cost = diagonal + usize::from(left != *right);
            diagonal = *cell;
            last = cost.min(*cell + 1).min(last + 1);
            *cell = last;
        }
    }
    // No letter of `a` was looked at: all of `b` are added.
    if a.is_empty() {
        b.len()
    } else {
        row.last().copied().filter(|_| !b.is_empty()).unwrap_or(a.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, expected) in [
            ("", "abc", 3),
            ("abc", "", 3),
            ("", "", 0),
            ("kitten", "sitting", 3),
            ("abc", "abc", 0),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        let keys = ["receiver", "routes", "group_by"];
        for (word, expected) in [
            ("reciever", Some("receiver")),
            ("route", Some("routes")),
            ("groupby", Some("group_by")),
            ("colour", None),
        ] {
            assert_eq!(nearest(word, keys), expected, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(100), keys), None);
    }
}
