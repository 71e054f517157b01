//! The lines of a calendar: long ones go on in the next, which begins with a space.

/// A line: `NAME;PARAMETER=VALUE:VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it stands, from 1.
    pub(super) number: u64,
    /// In capitals.
    pub(super) name: String,
    /// Names in capitals.
    pub(super) parameters: Vec<(String, String)>,
    /// As it stands there.
    pub(super) value: String,
}

impl Line {
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.name == name && self.value.trim().eq_ignore_ascii_case(value)
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// All lines that have a name and a value.
pub(super) fn unfold(text: &str) -> Vec<Line> {
    let mut whole: Vec<(u64, String)> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), whole.last_mut()) {
            (Some(more), Some((_, last))) => last.push_str(more),
            _ => whole.push((number, line.to_owned())),
        }
    }
    whole.iter().filter_map(|(number, line)| split(*number, line)).collect()
}

fn split(number: u64, line: &str) -> Option<Line> {
    let (head, value) = outside_quotes(line, ':').map(|at| (&line[..at], &line[at + 1..]))?;
    let mut parts = Vec::new();
    let mut rest = head;
    while let Some(at) = outside_quotes(rest, ';') {
        parts.push(&rest[..at]);
        rest = &rest[at + 1..];
    }
    parts.push(rest);
    let mut parts = parts.into_iter();
    let name = parts.next()?.trim().to_uppercase();
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=')?;
        Some((name.to_uppercase(), value.trim_matches('"').to_owned()))
    };
    Some(Line { number, name, parameters: parts.filter_map(parameter).collect(), value: value.to_owned() })
}

/// Where a separator stands that no quotes enclose.
fn outside_quotes(text: &str, separator: char) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == separator && !quoted).then_some(at)
    })
}

/// A text without its escapes.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                other => out.extend(other),
            },
            c => out.push(c),
        }
    }
    out
}
