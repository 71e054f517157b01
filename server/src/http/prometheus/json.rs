//! Answers as Prometheus writes them, by hand: a range over many series is mostly numbers, and a tree of values for them
//! would cost more than their evaluation.

use std::fmt::Write as _;

use ops_promql::Value;
use ops_samples::{Labels, Sample};

/// The head of a good answer; [`finish`] ends it.
pub(super) fn begin(bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 128);
    out.push_str("{\"status\":\"success\",\"data\":");
    out
}

/// Ends an answer, with what is to be said about it.
pub(super) fn finish(mut out: String, warnings: &[String], infos: &[String]) -> String {
    for (name, texts) in [("warnings", warnings), ("infos", infos)] {
        if !texts.is_empty() {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":");
            texts_of(&mut out, texts);
        }
    }
    out.push('}');
    out
}

/// A list of texts.
pub(super) fn texts_of<T: AsRef<str>>(out: &mut String, texts: &[T]) {
    list(out, texts, |out, it| text(out, it.as_ref()));
}

/// A list.
pub(super) fn list<T>(out: &mut String, items: impl IntoIterator<Item = T>, one: impl Fn(&mut String, T)) {
    out.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        one(out, item);
    }
    out.push(']');
}

/// The result of an expression, evaluated at `at_ms`, with its type.
pub(super) fn value(out: &mut String, value: &Value, at_ms: i64) {
    out.push_str("\"resultType\":\"");
    out.push_str(match value {
        Value::Scalar(_) => "scalar",
        Value::String(_) => "string",
        Value::Vector(_) => "vector",
        Value::Matrix(_) => "matrix",
    });
    out.push_str("\",\"result\":");
    match value {
        Value::Scalar(it) => sample(out, *it),
        Value::String(it) => {
            out.push('[');
            time(out, at_ms);
            out.push(',');
            text(out, it);
            out.push(']');
        }
        Value::Vector(rows) => list(out, rows, |out, row| {
            out.push_str("{\"metric\":");
            labels(out, &row.labels);
            out.push_str(",\"value\":");
            sample(out, row.sample);
            out.push('}');
        }),
        Value::Matrix(rows) => list(out, rows, |out, row| {
            out.push_str("{\"metric\":");
            labels(out, &row.labels);
            out.push_str(",\"values\":");
            list(out, &row.samples, |out, it| sample(out, *it));
            out.push('}');
        }),
    }
}

/// About how many bytes a result takes.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Scalar(_) => 64,
        Value::String(it) => it.len() + 64,
        Value::Vector(rows) => rows.iter().map(|row| row.labels.as_bytes().len() * 3 / 2 + 80).sum(),
        Value::Matrix(rows) => {
            rows.iter().map(|row| row.labels.as_bytes().len() * 3 / 2 + 40 + row.samples.len() * 32).sum()
        }
    }
}

/// A label set as an object.
pub(super) fn labels(out: &mut String, labels: &Labels) {
    pairs(out, labels.iter());
}

/// Pairs as an object.
pub(super) fn pairs<'a>(out: &mut String, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) {
    out.push('{');
    for (at, (name, value)) in pairs.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        text(out, name);
        out.push(':');
        text(out, value);
    }
    out.push('}');
}

fn sample(out: &mut String, sample: Sample) {
    out.push('[');
    time(out, sample.at_ms);
    out.push_str(",\"");
    number(out, sample.value);
    out.push_str("\"]");
}

/// Milliseconds as seconds, with three decimals or none.
pub(super) fn time(out: &mut String, at_ms: i64) {
    if at_ms < 0 {
        out.push('-');
    }
    let at = at_ms.unsigned_abs();
    integer(out, at / 1_000);
    let rest = at % 1_000;
    if rest != 0 {
        out.push('.');
        for part in [rest / 100, rest / 10 % 10, rest % 10] {
            out.push(char::from(b'0' + u8::try_from(part).unwrap_or_default()));
        }
    }
}

/// A number as Prometheus' query API writes it: the shortest digits that say it, with an exponent below 1e-6 and from
/// 1e21 on.
pub(super) fn number(out: &mut String, value: f64) {
    let size = value.abs();
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else if size < 1e15 && value.trunc() == value && !(value == 0.0 && value.is_sign_negative()) {
        if value < 0.0 {
            out.push('-');
        }
        integer(out, size as u64);
    } else if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let start = out.len();
        let _ = write!(out, "{value:e}");
        two_digits(out, start);
    } else {
        let _ = write!(out, "{value}");
    }
}

/// `1e-7` becomes `1e-07`, `1e21` becomes `1e+21`.
fn two_digits(out: &mut String, start: usize) {
    let Some(at) = out.get(start..).and_then(|it| it.find('e')).map(|at| start + at) else { return };
    let exponent = out.split_off(at + 1);
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent.as_str()), |it| ('-', it));
    out.push(sign);
    if digits.len() < 2 {
        out.push('0');
    }
    out.push_str(digits);
}

fn integer(out: &mut String, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        used += 1;
        if value == 0 {
            break;
        }
    }
    digits.iter().skip(digits.len() - used).for_each(|digit| out.push(char::from(*digit)));
}

/// A text, in quotation marks.
pub(super) fn text(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        // Bytes that are escaped are characters of their own, so both ends are borders of characters.
        out.push_str(text.get(from..at).unwrap_or_default());
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                let _ = write!(out, "\\u{other:04x}");
            }
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push('"');
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
