use ops_samples::{Labels, NAME};

use super::{MAX_TEXT, NotationError};

/// Reads a label set: `up{job="api"}`, `{__name__="up"}`, `{"my.metric", job="api"}`.
///
/// # Errors
/// What is wrong with the text, or that it is too long.
pub fn labels(text: &str) -> Result<Labels, NotationError> {
    let (labels, rest) = split(text)?;
    if rest.trim().is_empty() {
        return Ok(labels);
    }
    Err(NotationError::new(format!("unexpected {:?} after the label set", start_of(rest))))
}

/// The label set at the start of `text`, and what follows it.
pub(super) fn split(text: &str) -> Result<(Labels, &str), NotationError> {
    if text.len() > MAX_TEXT {
        return Err(NotationError::new(format!("the series is longer than {MAX_TEXT} bytes")));
    }
    let mut at = Reader { rest: text.trim_start() };
    let mut pairs: Vec<(String, String)> = Vec::new();
    let name = at.word(true);
    if !name.is_empty() {
        pairs.push((NAME.to_owned(), name.to_owned()));
    }
    at.skip_space();
    // A histogram may follow a bare name: `m {{count:1}}`.
    let histogram = !name.is_empty() && at.rest.starts_with("{{");
    if !histogram && at.eat('{') {
        at.pairs(&mut pairs)?;
    } else if name.is_empty() {
        return Err(NotationError::new(format!(
            "expected a metric or a label set, found {:?}",
            start_of(text)
        )));
    }
    let labels = Labels::new(pairs).map_err(|error| NotationError::new(error.to_string()))?;
    Ok((labels, at.rest))
}

fn start_of(text: &str) -> String {
    text.chars().take(40).collect()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A plain name; empty when there is none.
    fn word(&mut self, colon: bool) -> &'a str {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return "";
        }
        let end = self.rest.find(|c| !plain(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// What stands between `{` and `}`.
    fn pairs(&mut self, pairs: &mut Vec<(String, String)>) -> Result<(), NotationError> {
        loop {
            self.skip_space();
            if self.eat('}') {
                return Ok(());
            }
            let quoted = self.rest.starts_with(['"', '\'', '`']);
            let name = if quoted { self.text()? } else { self.word(true).to_owned() };
            self.skip_space();
            if self.eat('=') {
                self.skip_space();
                let value = self.text()?;
                pairs.push((name, value));
            } else if quoted {
                pairs.push((NAME.to_owned(), name));
            } else {
                return Err(NotationError::new(format!(
                    "expected `label=\"value\"`, found {:?}",
                    start_of(self.rest)
                )));
            }
            self.skip_space();
            if !self.eat(',') && !self.rest.starts_with('}') {
                return Err(NotationError::new(format!(
                    "expected `,` or `}}`, found {:?}",
                    start_of(self.rest)
                )));
            }
        }
    }

    /// A text in quotation marks.
    fn text(&mut self) -> Result<String, NotationError> {
        let mut chars = self.rest.char_indices();
        let Some((_, quote @ ('"' | '\'' | '`'))) = chars.next() else {
            return Err(NotationError::new(format!(
                "expected a quoted text, found {:?}",
                start_of(self.rest)
            )));
        };
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = self.rest.get(at + c.len_utf8()..).unwrap_or_default();
                return Ok(text);
            }
            if c == '\\' && quote != '`' {
                text.push(escaped(&mut chars)?);
            } else {
                text.push(c);
            }
        }
        Err(NotationError::new("a quoted text does not end"))
    }
}

/// The character for which the escape after `\` stands, as in Go.
fn escaped(chars: &mut std::str::CharIndices<'_>) -> Result<char, NotationError> {
    let wrong = || NotationError::new("a quoted text has an escape that is none");
    let (_, c) = chars.next().ok_or_else(wrong)?;
    let (digits, radix) = match c {
        'a' => return Ok('\u{7}'),
        'b' => return Ok('\u{8}'),
        'f' => return Ok('\u{c}'),
        'n' => return Ok('\n'),
        'r' => return Ok('\r'),
        't' => return Ok('\t'),
        'v' => return Ok('\u{b}'),
        '\\' | '"' | '\'' => return Ok(c),
        'x' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        _ => return Err(wrong()),
    };
    let mut code = 0_u32;
    for _ in 0..digits {
        let digit = chars.next().and_then(|(_, c)| c.to_digit(radix)).ok_or_else(wrong)?;
        code = code.checked_mul(radix).and_then(|code| code.checked_add(digit)).ok_or_else(wrong)?;
    }
    char::from_u32(code).ok_or_else(wrong)
}
