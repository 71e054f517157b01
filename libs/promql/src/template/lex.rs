//! Cuts a template into texts and the tokens of its actions, as Go's `text/template` does.

use super::TemplateError;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// Outside of actions, trimmed as its neighbours ask.
    Text(String),
    Open,
    Close,
    Space,
    Declare,
    Assign,
    Pipe,
    LeftParen,
    RightParen,
    Comma,
    Dot,
    /// `.name`, without the dot.
    Field(String),
    /// `$name`, with the dollar.
    Variable(String),
    Word(String),
    Number(String),
    Quoted(String),
    Char(i64),
}

/// Tokens of a whole template.
pub(super) fn lex(template: &str) -> Result<Vec<Token>, TemplateError> {
    let mut tokens = Vec::new();
    let mut rest = template;
    let mut trim_next = false;
    while let Some(at) = rest.find("{{") {
        let (text, after) = (&rest[..at], &rest[at + 2..]);
        let trim_text = after.starts_with('-') && after[1..].starts_with(space);
        push_text(&mut tokens, text, trim_next, trim_text);
        let inner = if trim_text { &after[1..] } else { after };
        let lead = inner.trim_start_matches(space);
        (rest, trim_next) = match (trim_text, lead) {
            (true, comment) if comment.starts_with("/*") => skip_comment(comment)?,
            (false, _) if inner.starts_with("/*") => skip_comment(inner)?,
            _ => action(&mut tokens, inner)?,
        };
    }
    push_text(&mut tokens, rest, trim_next, false);
    Ok(tokens)
}

fn space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn push_text(tokens: &mut Vec<Token>, text: &str, trim_start: bool, trim_end: bool) {
    let text = if trim_start { text.trim_start_matches(space) } else { text };
    let text = if trim_end { text.trim_end_matches(space) } else { text };
    if !text.is_empty() {
        tokens.push(Token::Text(text.to_owned()));
    }
}

/// What follows a comment, and whether it is to be trimmed.
fn skip_comment(comment: &str) -> Result<(&str, bool), TemplateError> {
    let end =
        comment.find("*/").ok_or_else(|| TemplateError::new("a comment is not closed: write `*/}}`"))?;
    let after = &comment[end + 2..];
    if let Some(rest) = after.strip_prefix("}}") {
        return Ok((rest, false));
    }
    let trimmed = after.trim_start_matches(space);
    match trimmed.strip_prefix("-}}") {
        Some(rest) if trimmed.len() < after.len() => Ok((rest, true)),
        _ => Err(TemplateError::new("a comment ends before its action does: write `*/}}`")),
    }
}

/// Adds the tokens of an action; gives what follows it, and whether that is to be trimmed.
fn action<'a>(tokens: &mut Vec<Token>, mut rest: &'a str) -> Result<(&'a str, bool), TemplateError> {
    tokens.push(Token::Open);
    loop {
        if let Some(after) = rest.strip_prefix("}}") {
            tokens.push(Token::Close);
            return Ok((after, false));
        }
        let Some(first) = rest.chars().next() else {
            return Err(TemplateError::new("an action is not closed: write `}}`"));
        };
        if space(first) {
            let trimmed = rest.trim_start_matches(space);
            if let Some(after) = trimmed.strip_prefix("-}}") {
                tokens.push(Token::Close);
                return Ok((after, true));
            }
            tokens.push(Token::Space);
            rest = trimmed;
            continue;
        }
        let (token, length) = one(rest, first)?;
        tokens.push(token);
        rest = &rest[length..];
    }
}

/// The token that `rest` begins with, and its bytes.
fn one(rest: &str, first: char) -> Result<(Token, usize), TemplateError> {
    let plain = |token| Ok((token, first.len_utf8()));
    match first {
        ':' if rest.starts_with(":=") => Ok((Token::Declare, 2)),
        '=' => plain(Token::Assign),
        '|' => plain(Token::Pipe),
        '(' => plain(Token::LeftParen),
        ')' => plain(Token::RightParen),
        ',' => plain(Token::Comma),
        '"' => quoted(rest),
        '`' => raw(rest),
        '\'' => character(rest),
        '$' => {
            let name = word(&rest[1..]);
            terminated(rest, 1 + name.len())?;
            Ok((Token::Variable(format!("${name}")), 1 + name.len()))
        }
        '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
            let name = word(&rest[1..]);
            terminated(rest, 1 + name.len())?;
            let token = if name.is_empty() { Token::Dot } else { Token::Field(name.to_owned()) };
            Ok((token, 1 + name.len()))
        }
        '.' | '+' | '-' | '0'..='9' => number(rest),
        _ if first.is_alphanumeric() || first == '_' => {
            let name = word(rest);
            terminated(rest, name.len())?;
            Ok((Token::Word(name.to_owned()), name.len()))
        }
        _ => Err(TemplateError::new(format!("unexpected {first:?} in an action"))),
    }
}

fn word(rest: &str) -> &str {
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    &rest[..end]
}

/// A name must be followed by something that can follow it.
fn terminated(rest: &str, length: usize) -> Result<(), TemplateError> {
    let after = &rest[length..];
    match after.chars().next() {
        None => Ok(()),
        Some(c) if space(c) || matches!(c, '.' | ',' | '|' | ':' | '=' | '(' | ')') => Ok(()),
        Some(_) if after.starts_with("}}") => Ok(()),
        Some(c) => Err(TemplateError::new(format!("unexpected {c:?} after {:?}", &rest[..length]))),
    }
}

fn number(rest: &str) -> Result<(Token, usize), TemplateError> {
    let mut end = 0;
    let mut before = ' ';
    for c in rest.chars() {
        let sign = matches!(c, '+' | '-') && (end == 0 || matches!(before, 'e' | 'E' | 'p' | 'P'));
        if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || sign) {
            break;
        }
        (end, before) = (end + 1, c);
    }
    match rest.get(..end) {
        Some(text) if text.contains(|c: char| c.is_ascii_digit()) => {
            Ok((Token::Number(text.to_owned()), end))
        }
        _ => Err(TemplateError::new(format!("{:?} is no number", rest.get(..end.max(1)).unwrap_or(rest)))),
    }
}

fn raw(rest: &str) -> Result<(Token, usize), TemplateError> {
    let end = rest[1..].find('`').ok_or_else(|| TemplateError::new("a raw string is not closed"))?;
    Ok((Token::Quoted(rest[1..=end].replace('\r', "")), end + 2))
}

fn quoted(rest: &str) -> Result<(Token, usize), TemplateError> {
    let (bytes, length) = escaped(rest, '"')?;
    Ok((Token::Quoted(String::from_utf8_lossy(&bytes).into_owned()), length))
}

fn character(rest: &str) -> Result<(Token, usize), TemplateError> {
    let (bytes, length) = escaped(rest, '\'')?;
    let text = String::from_utf8_lossy(&bytes);
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok((Token::Char(i64::from(u32::from(c))), length)),
        _ => Err(TemplateError::new(format!("{} is not one character", &rest[..length]))),
    }
}

/// The bytes between two `quote`s, and the length with them.
fn escaped(rest: &str, quote: char) -> Result<(Vec<u8>, usize), TemplateError> {
    let open = || TemplateError::new("a string is not closed");
    let mut bytes = Vec::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => return Err(open()),
            c if c == quote => return Ok((bytes, at + c.len_utf8())),
            '\\' => {
                let (_, kind) = chars.next().ok_or_else(open)?;
                escape(kind, quote, &mut chars, &mut bytes)?;
            }
            c => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(open())
}

fn escape(
    kind: char,
    quote: char,
    chars: &mut impl Iterator<Item = (usize, char)>,
    bytes: &mut Vec<u8>,
) -> Result<(), TemplateError> {
    let simple = match kind {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        c if c == quote => u8::try_from(c).unwrap_or(b'"'),
        'x' | 'u' | 'U' | '0'..='7' => return coded(kind, chars, bytes),
        c => return Err(TemplateError::new(format!("a string holds the unknown escape \\{c}"))),
    };
    bytes.push(simple);
    Ok(())
}

/// `\x41`, `\101`, `\u00e4`, `\U0001f600`.
fn coded(
    kind: char,
    chars: &mut impl Iterator<Item = (usize, char)>,
    bytes: &mut Vec<u8>,
) -> Result<(), TemplateError> {
    let (digits, base) = match kind {
        'x' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        _ => (2, 8),
    };
    let wrong = || TemplateError::new(format!("a string holds a wrong escape after \\{kind}"));
    let mut code = if base == 8 { kind.to_digit(8).unwrap_or(0) } else { 0 };
    for _ in 0..digits {
        let digit = chars.next().and_then(|(_, c)| c.to_digit(base)).ok_or_else(wrong)?;
        code = code.checked_mul(base).and_then(|it| it.checked_add(digit)).ok_or_else(wrong)?;
    }
    if matches!(kind, 'u' | 'U') {
        let c = char::from_u32(code).ok_or_else(wrong)?;
        bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        bytes.push(u8::try_from(code).map_err(|_| wrong())?);
    }
    Ok(())
}
