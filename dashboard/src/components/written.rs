//! Text that others wrote: apart from what stands around it, and without what makes it look like something else.

use leptos::prelude::*;

/// Longest name within a sentence, in characters.
const LONGEST: usize = 60;

/// The text in a frame of its own, which its direction of reading does not leave.
pub(crate) fn written(text: &str) -> impl IntoView + use<> {
    view! { <bdi>{plain(text)}</bdi> }
}

/// The text with every character that turns, hides or breaks it shown as replaced; lines and tabs become blanks.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|it| match it {
            '\n' | '\r' | '\t' => ' ',
            it if deceives(it) => char::REPLACEMENT_CHARACTER,
            it => it,
        })
        .collect()
}

/// The text as a part of a sentence: what is longer than a name is cut.
pub(crate) fn short(text: &str) -> String {
    let text = plain(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Whether a character cannot be seen, or changes how others are read: two names that look alike must be alike.
fn deceives(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(it, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_or_hides_is_shown_as_replaced() {
        let cases = [
            ("jwt key", "jwt key"),
            ("Søren 東京 🔥", "Søren 東京 🔥"),
            ("a\u{202e}b\u{202c}", "a\u{fffd}b\u{fffd}"),
            ("an\u{200b}n\u{feff}", "an\u{fffd}n\u{fffd}"),
            ("\u{1b}[31m\u{7}", "\u{fffd}[31m\u{fffd}"),
            ("one\r\ntwo\tthree", "one  two three"),
            ("\u{2066}x\u{2069}\u{e0041}", "\u{fffd}x\u{fffd}\u{fffd}"),
        ];
        for (given, expected) in cases {
            assert_eq!(plain(given), expected);
        }
    }

    #[test]
    fn what_is_longer_than_a_name_is_cut_between_characters() {
        assert_eq!(short(&"ä".repeat(60)), "ä".repeat(60));
        assert_eq!(short(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
    }
}
