//! Go's `fmt`: `Sprint`, `Sprintln` and `Sprintf`.

use std::fmt::Write as _;

use super::number::{float, hexadecimal};
use super::time;
use super::value::Value;

/// Largest width or precision that Go takes.
const WIDEST: usize = 1_000_000;

/// How a verb's text is shaped.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    plus: bool,
    /// `%+v`: fields of structs have their names.
    named: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// A value as a template shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Sample(..) => plain(value).trim_start_matches('&').to_owned(),
        value => plain(value),
    }
}

/// A value as Go prints it by default.
fn plain(value: &Value) -> String {
    let mut out = String::new();
    verb(&mut out, 'v', Flags::default(), value);
    out
}

/// `print`: a space between two operands of which neither is a string.
pub(super) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    let mut before: Option<&Value> = None;
    for value in values {
        let text = |it: &Value| matches!(it, Value::Text(_));
        if before.is_some_and(|it| !text(it) && !text(value)) {
            out.push(' ');
        }
        out.push_str(&plain(value));
        before = Some(value);
    }
    out
}

/// `println`: spaces between all operands, and a new line.
pub(super) fn sprintln(values: &[Value]) -> String {
    values.iter().map(plain).collect::<Vec<_>>().join(" ") + "\n"
}

/// `printf`. It never fails: what is wrong stands in the text, as in Go. Gives up when the text would be longer than `most`.
pub(super) fn sprintf(format: &str, values: &[Value], most: usize) -> Option<String> {
    let mut out = String::new();
    let mut place = 0;
    let mut reordered = false;
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if out.len() > most {
            return None;
        }
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec { values, place, reordered: false, bad: "" };
        let flags = spec.flags(&mut chars);
        spec.index(&mut chars);
        (place, reordered) = (spec.place, reordered || spec.reordered);
        let width = flags.width.unwrap_or(0).max(flags.precision.unwrap_or(0));
        if out.len().saturating_add(width) > most {
            return None;
        }
        out.push_str(spec.bad);
        match (chars.next(), values.get(place)) {
            (None, _) => out.push_str("%!(NOVERB)"),
            (Some('%'), _) => out.push('%'),
            (Some(letter), _) if spec.bad == "%!(BADINDEX)" => {
                out.truncate(out.len() - spec.bad.len());
                let _ = write!(out, "%!{letter}(BADINDEX)");
            }
            (Some(letter), None) => {
                let _ = write!(out, "%!{letter}(MISSING)");
            }
            (Some(letter), Some(value)) => {
                let named = letter == 'v' && flags.plus;
                let flags = Flags { named, plus: flags.plus && !named, ..flags };
                verb(&mut out, letter, flags, value);
                place += 1;
            }
        }
    }
    if !reordered && place < values.len() {
        extra(&mut out, values.get(place..).unwrap_or_default());
    }
    (out.len() <= most).then_some(out)
}

/// Operands that no verb took.
fn extra(out: &mut String, values: &[Value]) {
    out.push_str("%!(EXTRA ");
    for (at, value) in values.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        match value {
            Value::Nil => out.push_str("<nil>"),
            value => {
                let _ = write!(out, "{}={}", value.kind(), plain(value));
            }
        }
    }
    out.push(')');
}

/// What stands between `%` and the verb.
struct Spec<'a> {
    values: &'a [Value],
    place: usize,
    reordered: bool,
    bad: &'static str,
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

impl Spec<'_> {
    fn flags(&mut self, chars: &mut Chars<'_>) -> Flags {
        let mut flags = Flags::default();
        while let Some(c) = chars.peek() {
            match c {
                '+' => flags.plus = true,
                '-' => (flags.minus, flags.zero) = (true, false),
                '#' => flags.sharp = true,
                ' ' => flags.space = true,
                // Zeros stand only before a number.
                '0' => flags.zero = !flags.minus,
                _ => break,
            }
            chars.next();
        }
        self.index(chars);
        flags.width = self.size(chars, "%!(BADWIDTH)", &mut flags.minus);
        if flags.minus {
            flags.zero = false;
        }
        if chars.next_if_eq(&'.').is_some() {
            self.index(chars);
            let mut negative = false;
            flags.precision = self.size(chars, "%!(BADPREC)", &mut negative).or(Some(0));
            if negative {
                (flags.precision, self.bad) = (None, "%!(BADPREC)");
            }
        }
        flags
    }

    /// A number, or `*` for the next operand.
    fn size(&mut self, chars: &mut Chars<'_>, bad: &'static str, negative: &mut bool) -> Option<usize> {
        if chars.next_if_eq(&'*').is_some() {
            let value = self.values.get(self.place);
            self.place += usize::from(value.is_some());
            let Some(Value::Int(size)) = value else {
                self.bad = bad;
                return None;
            };
            *negative |= *size < 0;
            return usize::try_from(size.unsigned_abs()).ok().filter(|it| *it <= WIDEST);
        }
        let mut size = None;
        while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
            chars.next();
            size = Some((size.unwrap_or(0) * 10 + digit as usize).min(WIDEST + 1));
        }
        size.filter(|it| *it <= WIDEST)
    }

    /// `[2]`: which operand is next.
    fn index(&mut self, chars: &mut Chars<'_>) {
        if chars.next_if_eq(&'[').is_none() {
            return;
        }
        self.reordered = true;
        let text: String = std::iter::from_fn(|| chars.next_if(|c| c.is_ascii_digit())).collect();
        let closed = chars.next_if_eq(&']').is_some();
        match text.parse::<usize>() {
            Ok(place) if closed && (1..=self.values.len()).contains(&place) => self.place = place - 1,
            _ => self.bad = "%!(BADINDEX)",
        }
    }
}

fn verb(out: &mut String, letter: char, flags: Flags, value: &Value) {
    match (letter, value) {
        ('T', _) => pad(out, flags, value.kind()),
        ('v', Value::Nil) => pad(out, flags, "<nil>"),
        (_, Value::Nil) => {
            let _ = write!(out, "%!{letter}(<nil>)");
        }
        ('t' | 'v', Value::Bool(it)) => pad(out, flags, if *it { "true" } else { "false" }),
        ('d' | 'v' | 'b' | 'o' | 'O' | 'x' | 'X', Value::Int(it)) => whole(out, letter, flags, *it),
        ('d' | 'b' | 'o' | 'x' | 'X', Value::Duration(it)) => whole(out, letter, flags, *it),
        ('c', Value::Int(it)) => pad(out, flags, &character(*it).to_string()),
        ('q', Value::Int(it)) => pad(out, flags, &format!("'{}'", escape(character(*it), '\'', flags.plus))),
        ('U', Value::Int(it)) => pad(out, flags, &format!("U+{it:04X}")),
        ('v' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'x' | 'X', Value::Float(it)) => {
            floating(out, letter, flags, *it);
        }
        ('v' | 's' | 'q' | 'x' | 'X', Value::Text(it) | Value::Safe(it)) => text(out, letter, flags, it),
        ('v' | 's' | 'q', Value::Time(it)) => text(out, letter, flags, &time::text(*it)),
        ('v' | 's' | 'q', Value::Duration(it)) => text(out, letter, flags, &time::duration(*it)),
        ('v' | 's' | 'q', Value::Object(it)) => text(out, letter, flags, &it.text()),
        (_, Value::Labels(_) | Value::Map(_) | Value::Sample(..) | Value::Samples(_))
        | (_, Value::Data(_) | Value::List(_)) => {
            composite(out, letter, flags, value);
        }
        _ => {
            let _ = write!(out, "%!{letter}({}=", value.kind());
            verb(out, 'v', flags, value);
            out.push(')');
        }
    }
}

/// Maps and structs: the verb counts for each part.
fn composite(out: &mut String, letter: char, flags: Flags, value: &Value) {
    let each = |out: &mut String, parts: &mut dyn Iterator<Item = (Option<&str>, Value)>| {
        for (at, (name, part)) in parts.enumerate() {
            out.push_str(if at > 0 { " " } else { "" });
            if let Some(name) = name {
                verb(out, letter, flags, &Value::text(name));
                out.push(':');
            }
            verb(out, letter, flags, &part);
        }
    };
    match value {
        Value::Labels(labels) => {
            out.push_str("map[");
            each(out, &mut labels.iter().map(|(name, it)| (Some(name), Value::text(it))));
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            each(out, &mut map.iter().map(|(name, it)| (Some(name.as_str()), it.clone())));
            out.push(']');
        }
        Value::Samples(samples) => {
            out.push('[');
            let parts = samples.iter().map(|(labels, it)| (None, Value::Sample(labels.clone(), *it)));
            each(out, &mut { parts });
            out.push(']');
        }
        Value::Sample(labels, it) => {
            out.push('&');
            let fields = [("Labels", Value::Labels(labels.clone())), ("Value", Value::Float(*it))];
            structure(out, letter, flags, &fields);
        }
        Value::List(list) => {
            out.push('[');
            each(out, &mut list.iter().map(|it| (None, it.clone())));
            out.push(']');
        }
        Value::Data(fields) => structure(out, letter, flags, fields),
        _ => {}
    }
}

fn structure(out: &mut String, letter: char, flags: Flags, fields: &[(&'static str, Value)]) {
    out.push('{');
    for (at, (name, value)) in fields.iter().enumerate() {
        out.push_str(if at > 0 { " " } else { "" });
        if flags.named {
            let _ = write!(out, "{name}:");
        }
        verb(out, letter, flags, value);
    }
    out.push('}');
}

fn character(code: i64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `text` at the width that is asked for.
fn pad(out: &mut String, flags: Flags, text: &str) {
    let missing = flags.width.unwrap_or(0).saturating_sub(text.chars().count());
    let filler = |c: char| std::iter::repeat_n(c, missing).collect::<String>();
    if flags.minus {
        out.push_str(text);
        out.push_str(&filler(' '));
    } else {
        out.push_str(&filler(if flags.zero { '0' } else { ' ' }));
        out.push_str(text);
    }
}

/// A number: zeros come between its sign and its digits.
fn pad_number(out: &mut String, flags: Flags, sign: &str, digits: &str) {
    let size = sign.chars().count() + digits.chars().count();
    let zeros = flags.width.filter(|_| flags.zero && !flags.minus).unwrap_or(0).saturating_sub(size);
    let text = format!("{sign}{}{digits}", "0".repeat(zeros));
    pad(out, Flags { zero: false, ..flags }, &text);
}

fn sign(flags: Flags, negative: bool) -> &'static str {
    match (negative, flags.plus, flags.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn whole(out: &mut String, letter: char, flags: Flags, value: i64) {
    let size = value.unsigned_abs();
    let (prefix, mut digits) = match letter {
        'b' => (if flags.sharp { "0b" } else { "" }, format!("{size:b}")),
        'o' => (if flags.sharp { "0" } else { "" }, format!("{size:o}")),
        'O' => ("0o", format!("{size:o}")),
        'x' => (if flags.sharp { "0x" } else { "" }, format!("{size:x}")),
        'X' => (if flags.sharp { "0X" } else { "" }, format!("{size:X}")),
        _ => ("", size.to_string()),
    };
    let flags = match flags.precision {
        // A precision says how many digits, and then no zeros are put before them for the width.
        Some(least) => {
            digits = if least == 0 && size == 0 { String::new() } else { format!("{digits:0>least$}") };
            Flags { zero: false, ..flags }
        }
        None => flags,
    };
    pad_number(out, flags, &format!("{}{prefix}", sign(flags, value < 0)), &digits);
}

fn floating(out: &mut String, letter: char, flags: Flags, value: f64) {
    let digits = match letter {
        'x' | 'X' => hexadecimal(value),
        'e' | 'E' => float(value, 'e', flags.precision.or(Some(6))),
        'f' | 'F' => float(value, 'f', flags.precision.or(Some(6))),
        _ => float(value, 'g', flags.precision),
    };
    let finite = value.is_finite();
    let digits = if finite && matches!(letter, 'E' | 'G' | 'X') { digits.to_uppercase() } else { digits };
    let negative = digits.starts_with('-');
    let unsigned = digits.trim_start_matches(['+', '-']);
    let plus = flags.plus || (value == f64::INFINITY && !flags.space);
    let flags = Flags { zero: flags.zero && finite, plus, ..flags };
    pad_number(out, flags, sign(flags, negative), unsigned);
}

fn text(out: &mut String, letter: char, flags: Flags, value: &str) {
    let cut: String = match flags.precision {
        Some(most) if matches!(letter, 'v' | 's' | 'q') => value.chars().take(most).collect(),
        _ => value.to_owned(),
    };
    match letter {
        'q' if flags.sharp && !cut.contains(|c: char| c == '`' || (c.is_control() && c != '\t')) => {
            pad(out, flags, &format!("`{cut}`"));
        }
        'v' if flags.sharp => pad(out, flags, &quote(&cut, false)),
        'q' => pad(out, flags, &quote(&cut, flags.plus)),
        'x' | 'X' => {
            let most = flags.precision.unwrap_or(usize::MAX);
            let hex: String = cut.bytes().take(most).fold(String::new(), |mut hex, byte| {
                let _ = if letter == 'x' { write!(hex, "{byte:02x}") } else { write!(hex, "{byte:02X}") };
                hex
            });
            pad(out, flags, &hex);
        }
        _ => pad(out, flags, &cut),
    }
}

/// A string in quotation marks, as in Go's source.
pub(super) fn quote(text: &str, ascii: bool) -> String {
    let inner: String = text.chars().map(|c| escape(c, '"', ascii)).collect();
    format!("\"{inner}\"")
}

fn escape(c: char, quote: char, ascii: bool) -> String {
    match c {
        c if c == quote || c == '\\' => format!("\\{c}"),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        c if c < ' ' || c == '\u{7f}' => format!("\\x{:02x}", u32::from(c)),
        c if c.is_control() || (ascii && !c.is_ascii()) => match u32::from(c) {
            code @ 0..=0xffff => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        },
        c => c.to_string(),
    }
}
