use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::Reason;
use crate::NAME;

/// Pairs of label and value, ordered by label; the metric's name is the label `__name__`.
pub type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Length of the series at the start of `line`: its name and its labels, whatever they are.
#[inline]
pub(super) fn end(line: &[u8]) -> Result<usize, Reason> {
    let name = line.iter().take_while(|byte| is_name(**byte)).count();
    let blank = line.iter().skip(name).take_while(|byte| is_blank(**byte)).count();
    match line.get(name + blank) {
        Some(b'{') => Ok(name + blank + braces(line.get(name + blank..).unwrap_or_default())?),
        _ if name == 0 => Err(Reason::Name),
        _ => Ok(name),
    }
}

/// Length of what stands in braces at the start of `text`, with both of them.
pub(super) fn braces(text: &[u8]) -> Result<usize, Reason> {
    let mut at = 1;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let mark = memchr2(b'"', b'}', rest).ok_or(Reason::Open)?;
        at += mark + 1;
        if rest.get(mark) == Some(&b'}') {
            return Ok(at);
        }
        at += quoted(text.get(at..).unwrap_or_default())?;
    }
}

/// Length of the text up to and with the quotation mark that ends it.
fn quoted(text: &[u8]) -> Result<usize, Reason> {
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let mark = memchr2(b'"', b'\\', rest).ok_or(Reason::Open)?;
        if rest.get(mark) == Some(&b'"') {
            return Ok(at + mark + 1);
        }
        at += mark + 2;
    }
}

/// Reads a series' text for its labels.
pub(super) fn pairs(raw: &[u8]) -> Result<Pairs<'_>, Reason> {
    let mut pairs = Pairs::with_capacity(8);
    let name = raw.iter().take_while(|byte| is_name(**byte)).count();
    let (name, mut rest) = raw.split_at_checked(name).unwrap_or_default();
    if !name.is_empty() {
        pairs.push((NAME.into(), metric_name(name)?.into()));
    }
    rest = skip_blank(rest);
    if let Some(inside) = rest.strip_prefix(b"{") {
        labels(inside, &mut pairs, true)?;
    }
    pairs.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for pair in pairs.windows(2) {
        if let [(a, _), (b, _)] = pair
            && a == b
        {
            return Err(if a == NAME {
                Reason::TwoNames
            } else {
                Reason::Twice(a.chars().take(80).collect())
            });
        }
    }
    if !pairs.iter().any(|(name, value)| name == NAME && !value.is_empty()) {
        return Err(Reason::Nameless);
    }
    Ok(pairs)
}

/// Reads what follows `{` up to `}`. A quoted text without a value is the metric's name, where there may be one.
pub(super) fn labels<'a>(mut rest: &'a [u8], pairs: &mut Pairs<'a>, named: bool) -> Result<(), Reason> {
    loop {
        rest = skip_blank(rest);
        let (label, after) = match rest {
            [b'}', ..] => return Ok(()),
            [b'"', text @ ..] => {
                let (label, after) = string(text, "a name")?;
                if label.is_empty() {
                    return Err(Reason::Pair);
                }
                (label, skip_blank(after))
            }
            _ => {
                let length = rest.iter().take_while(|byte| is_label(**byte)).count();
                let (label, after) = rest.split_at_checked(length).ok_or(Reason::Pair)?;
                if label.first().is_none_or(u8::is_ascii_digit) {
                    return Err(Reason::Pair);
                }
                let after = skip_blank(after);
                if after.first() != Some(&b'=') {
                    return Err(Reason::Pair);
                }
                (text(label, "a label")?.into(), after)
            }
        };
        rest = match after {
            [b'=', after @ ..] => {
                let [b'"', text @ ..] = skip_blank(after) else { return Err(Reason::Pair) };
                let (value, after) = string(text, "a label's value")?;
                pairs.push((label, value));
                after
            }
            after if named => {
                pairs.push((NAME.into(), label));
                after
            }
            _ => return Err(Reason::Pair),
        };
        rest = match skip_blank(rest) {
            [b',', after @ ..] => after,
            rest @ [b'}', ..] => rest,
            _ => return Err(Reason::Pair),
        };
    }
}

/// The name at the start of a comment line, plain or quoted, and what follows it.
pub(super) fn comment_name(line: &[u8]) -> Result<(Cow<'_, str>, &[u8]), Reason> {
    if let [b'"', rest @ ..] = line {
        return string(rest, "a name");
    }
    let length = line.iter().take_while(|byte| is_name(**byte)).count();
    let (name, rest) = line.split_at_checked(length).ok_or(Reason::Name)?;
    Ok((metric_name(name)?.into(), rest))
}

fn metric_name(name: &[u8]) -> Result<&str, Reason> {
    if name.first().is_none_or(u8::is_ascii_digit) {
        return Err(Reason::Name);
    }
    text(name, "a name")
}

/// The text up to a quotation mark, without its backslashes, and what follows the mark.
fn string<'a>(quote: &'a [u8], what: &'static str) -> Result<(Cow<'a, str>, &'a [u8]), Reason> {
    let (inside, rest) = quote.split_at_checked(quoted(quote)?).ok_or(Reason::Open)?;
    let inside = text(inside.strip_suffix(b"\"").unwrap_or(inside), what)?;
    Ok((unescape(inside, true), rest))
}

/// Puts in what `\\`, `\n` and, in labels, `\"` stand for; other backslashes stay.
pub(super) fn unescape(text: &str, quotes: bool) -> Cow<'_, str> {
    if memchr(b'\\', text.as_bytes()).is_none() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(it) = rest.next() {
        if it != '\\' {
            out.push(it);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('\\') => out.push('\\'),
            Some('"') if quotes => out.push('"'),
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
    }
    out.into()
}

pub(super) fn text<'a>(bytes: &'a [u8], what: &'static str) -> Result<&'a str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| Reason::Text(what))
}

pub(super) fn skip_blank(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|byte| is_blank(**byte)).count();
    bytes.get(blank..).unwrap_or_default()
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_name(byte: u8) -> bool {
    is_label(byte) || byte == b':'
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
