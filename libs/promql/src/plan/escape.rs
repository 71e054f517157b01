//! Bytes in quoted texts: `"\xc3\xa4"` is `ä` in PromQL, which the parser reads as two characters.

use std::borrow::Cow;

/// Where the characters of private use are that stand for bytes which are no UTF-8: no label has them.
const NO_TEXT: u32 = 0x10_ff00;

/// Writes escaped bytes of quoted texts as the characters that they are.
pub(super) fn characters(text: &str) -> Cow<'_, str> {
    if !text.contains("\\x") && !text.contains("\\2") && !text.contains("\\3") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut quote) = (text, None);
    while let Some(c) = rest.chars().next() {
        let (bytes, length) =
            if matches!(quote, Some('"' | '\'')) { high_bytes(rest) } else { (Vec::new(), 0) };
        if length > 0 {
            for chunk in bytes.utf8_chunks() {
                out.push_str(chunk.valid());
                out.extend(
                    chunk.invalid().iter().filter_map(|byte| char::from_u32(NO_TEXT + u32::from(*byte))),
                );
            }
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        let escape = c == '\\' && quote.is_some_and(|quote| quote != '`');
        let taken: usize = rest.chars().take(if escape { 2 } else { 1 }).map(char::len_utf8).sum();
        match quote {
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        out.push_str(rest.get(..taken).unwrap_or_default());
        rest = rest.get(taken..).unwrap_or_default();
    }
    Cow::Owned(out)
}

/// A regular expression in which braces that do not say how often something repeats are escaped.
pub(crate) fn literal_braces(regex: &str) -> String {
    let mut out = String::with_capacity(regex.len() + 8);
    let mut rest = regex;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\\' => rest.chars().take(2).map(char::len_utf8).sum(),
            '{' if !repeats(rest) => {
                out.push('\\');
                1
            }
            c => c.len_utf8(),
        };
        out.push_str(rest.get(..taken).unwrap_or_default());
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Whether a text starts with `{2}`, `{2,}` or `{2,3}`.
fn repeats(text: &str) -> bool {
    let inside = text.strip_prefix('{').and_then(|text| text.split_once('}')).map(|(inside, _)| inside);
    let (least, most) =
        inside.map(|inside| inside.split_once(',').unwrap_or((inside, ""))).unwrap_or_default();
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

/// Whether a text may name a label.
pub(crate) fn names_label(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| u32::from(c) < NO_TEXT)
}

/// The text as it could have been written in an expression.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match u32::from(c).checked_sub(NO_TEXT) {
            Some(byte) => out.push_str(&format!("\\x{byte:02x}")),
            None => out.extend(c.escape_debug()),
        }
    }
    out.push('"');
    out
}

/// The escaped bytes above ASCII at the start of a text, and how long their escapes are.
fn high_bytes(text: &str) -> (Vec<u8>, usize) {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(after) = rest.strip_prefix('\\') {
        let (digits, radix) = match after.strip_prefix('x') {
            Some(after) => (after.get(..2), 16),
            None => (after.get(..3), 8),
        };
        let byte =
            digits.and_then(|digits| u8::from_str_radix(digits, radix).ok()).filter(|byte| *byte >= 0x80);
        let Some(byte) = byte else { break };
        bytes.push(byte);
        rest = rest.get(4..).unwrap_or_default();
    }
    (bytes, text.len() - rest.len())
}
