//! What is looked at before the parser sees a text: a parser that calls itself must not meet a text that is too deep.

use crate::ParseError;

/// Longest expression in bytes.
const MAX_TEXT: usize = 64 << 10;

/// Most brackets that are open at once.
const MAX_NESTING: usize = 128;

/// Most operators.
const MAX_OPERATORS: usize = 1_000;

/// Refuses what is too long, too deep or has too many operators.
pub(super) fn check(text: &str) -> Result<(), ParseError> {
    if text.len() > MAX_TEXT {
        return wrong(format!("the expression is {} bytes long, {MAX_TEXT} are allowed", text.len()));
    }
    let mut scan = Scan::default();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' | '\'' | '`' => skip_text(&mut chars, c),
            '#' => while chars.next_if(|(_, c)| *c != '\n').is_some() {},
            c if c.is_alphanumeric() || c == '_' || c == '.' => {
                let mut end = at + c.len_utf8();
                while let Some((at, c)) =
                    chars.next_if(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '.'))
                {
                    end = at + c.len_utf8();
                }
                scan.word(text.get(at..end).unwrap_or_default())?;
            }
            c => scan.sign(c)?,
        }
    }
    if scan.operators > MAX_OPERATORS {
        return wrong(format!("the expression has more than {MAX_OPERATORS} operators"));
    }
    match scan.open.last() {
        Some(open) => wrong(format!("{open:?} is not closed")),
        None => Ok(()),
    }
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn opening(close: char) -> char {
    match close {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

#[derive(Default)]
struct Scan {
    open: Vec<char>,
    braces: usize,
    operators: usize,
    /// Of square brackets.
    ranges: usize,
    /// What comes next is a duration.
    offset: bool,
}

impl Scan {
    fn word(&mut self, word: &str) -> Result<(), ParseError> {
        let operators = ["and", "or", "unless", "atan2", "offset"];
        self.operators += usize::from(operators.iter().any(|it| word.eq_ignore_ascii_case(it)));
        let duration = self.ranges > 0 || self.offset;
        self.offset = word.eq_ignore_ascii_case("offset");
        // The parser panics on numbers that are no durations.
        let seconds: Option<f64> = word.parse().ok();
        if duration && seconds.is_some_and(|seconds| !(0.0..1e12).contains(&seconds)) {
            return wrong(format!("{word:?} is no duration in seconds"));
        }
        Ok(())
    }

    fn sign(&mut self, c: char) -> Result<(), ParseError> {
        match c {
            '(' | '[' | '{' => {
                self.open.push(c);
                self.offset = false;
            }
            ')' | ']' | '}' => {
                let open = self.open.pop();
                if open.is_none_or(|open| closing(open) != c) {
                    return wrong(format!("unexpected {c:?}: no {:?} is open there", opening(c)));
                }
            }
            '+' | '-' | '*' | '/' | '%' | '^' | '<' | '>' | '=' | '!' | '@' if self.braces == 0 => {
                self.operators += 1
            }
            _ => {}
        }
        match c {
            '[' => self.ranges += 1,
            ']' => self.ranges = self.ranges.saturating_sub(1),
            '{' => self.braces += 1,
            '}' => self.braces = self.braces.saturating_sub(1),
            _ => {}
        }
        if self.open.len() > MAX_NESTING {
            return wrong(format!("the expression has more than {MAX_NESTING} brackets open at once"));
        }
        Ok(())
    }
}

fn skip_text(chars: &mut impl Iterator<Item = (usize, char)>, quote: char) {
    while let Some((_, c)) = chars.next() {
        if c == quote {
            return;
        }
        if c == '\\' && quote != '`' {
            chars.next();
        }
    }
}

fn wrong<T>(reason: String) -> Result<T, ParseError> {
    Err(ParseError { reason })
}
