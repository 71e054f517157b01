//! Numbers as Go reads and writes them.

use super::TemplateError;
use super::value::Value;

/// The value of a number that stands in a template: whole, or a float when it is written as one.
pub(super) fn constant(text: &str) -> Result<Value, TemplateError> {
    let wrong = || TemplateError::new(format!("{text:?} is no number"));
    if let Some(whole) = integer(text) {
        return Ok(Value::Int(whole));
    }
    let hexadecimal = text.to_ascii_lowercase().contains("0x");
    if hexadecimal || !text.contains(['.', 'e', 'E']) {
        return Err(wrong());
    }
    text.replace('_', "").parse().ok().filter(|it: &f64| it.is_finite()).map(Value::Float).ok_or_else(wrong)
}

/// A whole number with Go's prefixes for its base.
fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "").to_ascii_lowercase();
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x', ..] => (16, digits.get(2..)?),
        [b'0', b'b', ..] => (2, digits.get(2..)?),
        [b'0', b'o', ..] => (8, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits.as_str()),
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(&if negative { format!("-{digits}") } else { digits.to_owned() }, base).ok()
}

/// A float as Go's `strconv.FormatFloat` writes it with the verb `e`, `f` or `g`; without precision, the fewest
/// digits that say exactly this number.
pub(super) fn float(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    match verb {
        'e' => exponential(value, precision),
        'f' => precision.map_or_else(|| format!("{value}"), |digits| format!("{value:.digits$}")),
        _ => general(value, precision),
    }
}

/// `1.5e+06`: at least two digits of exponent.
fn exponential(value: f64, precision: Option<usize>) -> String {
    let text = precision.map_or_else(|| format!("{value:e}"), |digits| format!("{value:.digits$e}"));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |it| ('-', it));
    format!("{mantissa}e{sign}{exponent:0>2}")
}

/// Exponential below 1e-4 and from as many digits as the precision has, six by default for that decision; plain else.
/// Trailing zeros go.
fn general(value: f64, precision: Option<usize>) -> String {
    let digits = precision.map(|it| it.max(1));
    let text = match digits {
        Some(digits) => format!("{value:.*e}", digits - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let count = mantissa.chars().filter(char::is_ascii_digit).count();
    // Digits that are there count for more than a precision that asks for fewer than the number has before its point.
    let threshold = match digits {
        None => DECISION,
        Some(asked) => {
            let before_point = usize::try_from(exponent + 1).unwrap_or_default();
            if asked > count && count >= before_point { count } else { asked }
        }
    };
    let small = exponent < -4;
    if small || i64::from(exponent) >= i64::try_from(threshold).unwrap_or(i64::MAX) {
        let (sign, size) = if exponent < 0 { ('-', -exponent) } else { ('+', exponent) };
        return format!("{mantissa}e{sign}{size:02}");
    }
    let places = i32::try_from(count).unwrap_or_default() - 1 - exponent;
    let places = usize::try_from(places.max(0)).unwrap_or_default();
    written_out(mantissa, exponent, places)
}

/// Digits of the decision between exponential and plain when no precision is given.
const DECISION: usize = 6;

/// `mantissa`e`exponent` written out with `places` digits after the point.
fn written_out(mantissa: &str, exponent: i32, places: usize) -> String {
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |it| ("-", it));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let Ok(before) = usize::try_from(exponent) else {
        let zeros = usize::try_from(-exponent - 1).unwrap_or_default();
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    };
    let whole: String = digits.chars().chain(std::iter::repeat('0')).take(before + 1).collect();
    let part: String = digits.chars().skip(before + 1).collect();
    if places == 0 || part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// A float in hexadecimal: `0x1.8p+01`.
pub(super) fn hexadecimal(value: f64) -> String {
    if !value.is_finite() {
        return float(value, 'g', None);
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let bits = value.to_bits();
    let (mut exponent, mut mantissa) =
        (i32::try_from((bits >> 52) & 0x7ff).unwrap_or_default(), bits & ((1 << 52) - 1));
    if exponent == 0 && mantissa == 0 {
        return format!("{sign}0x0p+00");
    }
    if exponent == 0 {
        // Subnormal: shifted until its first bit is before the point.
        let shift = mantissa.leading_zeros() - 11;
        mantissa = (mantissa << shift) & ((1 << 52) - 1);
        exponent = 1 - i32::try_from(shift).unwrap_or_default();
    }
    let digits = format!("{mantissa:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    let exponent = exponent - 1023;
    let (way, size) = if exponent < 0 { ('-', -exponent) } else { ('+', exponent) };
    format!("{sign}0x1{point}{digits}p{way}{size:02}")
}
