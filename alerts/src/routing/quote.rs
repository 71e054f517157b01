//! Texts in double quotes as Alertmanager writes them: group keys must be equal to the byte.

use std::fmt::Write as _;

/// As Go's `strconv.Quote`, but for the rarest unprintable characters.
pub(crate) fn go(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_ascii_control() => write_escape(&mut out, format_args!("\\x{:02x}", c as u32)),
            c if c.is_control() || (c.is_whitespace() && c != ' ') => {
                write_escape(&mut out, format_args!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// As OpenMetrics escapes label values: only what must be.
pub(crate) fn open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn write_escape(out: &mut String, escape: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = out.write_fmt(escape);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_go_quotes_them() {
        for (text, expected) in [
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("say \"hi\"\\\n\t", r#""say \"hi\"\\\n\t""#),
            ("grün 🙂", "\"grün 🙂\""),
            ("\u{0}\u{7f}\u{85}\u{a0}", r#""\x00\x7f\u0085\u00a0""#),
        ] {
            assert_eq!(go(text), expected);
        }
        assert_eq!(open_metrics("a\t\"b\"\\\n"), "\"a\t\\\"b\\\"\\\\\\n\"");
    }
}
