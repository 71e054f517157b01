//! The older syntax: `foo="bar", dings!=bums`. It is lenient: a backslash that escapes nothing is a backslash, a value may be empty.

use ops_contract::Matcher;

/// A list, with or without braces.
pub(super) fn list(text: &str) -> Result<Vec<Matcher>, String> {
    let text = text.strip_prefix('{').unwrap_or(text);
    let text = text.strip_suffix('}').unwrap_or(text);
    let mut tokens = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            ',' if !quoted => {
                tokens.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
                // As there, a comma that separates leaves what was escaped as it is.
                continue;
            }
            '"' if escaped => escaped = false,
            '"' => quoted = !quoted,
            '\\' => escaped = !escaped,
            ',' => {}
            _ => escaped = false,
        }
    }
    let last = text.get(start..).unwrap_or_default().trim();
    tokens.extend(Some(last).filter(|last| !last.is_empty()));
    tokens.into_iter().map(one).collect()
}

/// One matcher.
pub(super) fn one(text: &str) -> Result<Matcher, String> {
    let text = text.trim_matches(is_space);
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a label's name is expected first".to_owned());
    }
    let rest = rest.trim_start_matches(is_space);
    let operators = [("=~", true, true), ("=", true, false), ("!=", false, false), ("!~", false, true)];
    let (value, is_equal, is_regex) = operators
        .into_iter()
        .find_map(|(operator, is_equal, is_regex)| Some((rest.strip_prefix(operator)?, is_equal, is_regex)))
        .ok_or("one of =, !=, =~ and !~ is expected after the name")?;
    let value = unescape(value.trim_start_matches(is_space))?;
    Ok(Matcher { name: name.to_owned(), value, is_regex, is_equal })
}

fn unescape(raw: &str) -> Result<String, String> {
    let stray = || "a double quote stands inside the value; write \\\"".to_owned();
    let inner = raw.strip_prefix('"');
    let mut open = inner.is_some();
    let inner = inner.unwrap_or(raw);
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('"' | '\\')) => value.push(c),
                other => {
                    value.push('\\');
                    value.extend(other);
                }
            },
            '"' if open && chars.as_str().is_empty() => open = false,
            '"' => return Err(stray()),
            c => value.push(c),
        }
    }
    if open { Err(stray()) } else { Ok(value) }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}
