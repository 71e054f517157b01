//! The newer syntax: names and values are quoted as in Go, or stand without quotes when they hold nothing that is reserved.

use ops_contract::Matcher;

use crate::routing::matcher::is_reserved;

/// A list, with or without braces.
pub(super) fn list(text: &str) -> Result<Vec<Matcher>, String> {
    let mut cursor = Cursor { text, at: 0 };
    let braces = cursor.take("{");
    let mut matchers = Vec::new();
    loop {
        cursor.spaces();
        if cursor.at_end() || cursor.rest().starts_with('}') {
            break;
        }
        matchers.push(cursor.matcher()?);
        if !cursor.take(",") {
            break;
        }
    }
    match (braces, cursor.take("}")) {
        (true, false) => return Err(cursor.wrong("a comma or a closing brace")),
        (false, true) => return Err("there is a closing brace and no opening one".to_owned()),
        _ => {}
    }
    cursor.spaces();
    if cursor.at_end() { Ok(matchers) } else { Err(cursor.wrong("a comma or the end")) }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, what: &str) -> bool {
        self.spaces();
        let is_there = self.rest().starts_with(what);
        self.at += if is_there { what.len() } else { 0 };
        is_there
    }

    fn wrong(&self, expected: &str) -> String {
        match self.rest().chars().next() {
            Some(c) => format!("{expected} is expected at byte {}, where {c:?} stands", self.at),
            None => format!("{expected} is expected at its end"),
        }
    }

    fn matcher(&mut self) -> Result<Matcher, String> {
        let name = self.word("a label's name")?;
        let operators = [("=~", true, true), ("=", true, false), ("!=", false, false), ("!~", false, true)];
        let (_, is_equal, is_regex) = operators
            .into_iter()
            .find(|(operator, ..)| self.take(operator))
            .ok_or_else(|| self.wrong("one of =, !=, =~ and !~"))?;
        let value = self.word("a value")?;
        Ok(Matcher { name, value, is_regex, is_equal })
    }

    fn word(&mut self, expected: &str) -> Result<String, String> {
        self.spaces();
        let rest = self.rest();
        if let Some(inner) = rest.strip_prefix('"') {
            let end =
                closing_quote(inner).ok_or_else(|| self.wrong("a text that ends with a double quote"))?;
            let quoted = inner.get(..end).unwrap_or_default();
            self.at += end + 2;
            return unquote(quoted).ok_or_else(|| format!("{quoted:?} has an escape that is none"));
        }
        let end = rest.find(is_reserved).unwrap_or(rest.len());
        let word = rest.get(..end).filter(|word| !word.is_empty()).ok_or_else(|| self.wrong(expected))?;
        self.at += end;
        Ok(word.to_owned())
    }
}

/// Where the quoted text ends.
fn closing_quote(inner: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// What Go's `strconv.Unquote` makes of the inside of double quotes.
fn unquote(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\n' => return None,
            '\\' => escape(&mut chars, &mut bytes)?,
            c => push(&mut bytes, c),
        }
    }
    String::from_utf8(bytes).ok()
}

fn escape(chars: &mut std::str::Chars<'_>, bytes: &mut Vec<u8>) -> Option<()> {
    let plain = match chars.next()? {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '"' => b'"',
        'x' => u8::try_from(digits(chars, 2, 16)?).ok()?,
        'u' => {
            push(bytes, char::from_u32(digits(chars, 4, 16)?)?);
            return Some(());
        }
        'U' => {
            push(bytes, char::from_u32(digits(chars, 8, 16)?)?);
            return Some(());
        }
        first @ '0'..='7' => {
            u8::try_from(first.to_digit(8)?.checked_mul(64)?.checked_add(digits(chars, 2, 8)?)?).ok()?
        }
        _ => return None,
    };
    bytes.push(plain);
    Some(())
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn digits(chars: &mut std::str::Chars<'_>, count: usize, radix: u32) -> Option<u32> {
    (0..count).try_fold(0_u32, |sum, _| sum.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?))
}
