//! Times and sizes as people read them, counted from the view's own moment.

use ops_contract::Timestamp;

/// `6 min ago`, `just now`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).as_secs();
    match seconds {
        0..5 => "just now".to_owned(),
        _ => format!("{} ago", span(seconds)),
    }
}

/// `6 min`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `02:09:12 UTC`, with the date when it is not today's.
pub(crate) fn clock(at: Timestamp, now: Timestamp) -> String {
    let (Ok(at), Ok(now)) =
        (jiff::Timestamp::from_microsecond(at.0), jiff::Timestamp::from_microsecond(now.0))
    else {
        return "at no time".to_owned();
    };
    let day = |it: jiff::Timestamp| it.strftime("%Y-%m-%d").to_string();
    let format = if day(at) == day(now) { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
    at.strftime(format).to_string()
}

/// `02:19:12 UTC (in 6 min)` for a moment to come; one that has passed is told by the clock alone.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> String {
    match at.since(now).as_secs() {
        0 => clock(at, now),
        seconds => format!("{} (in {})", clock(at, now), span(seconds)),
    }
}

/// The machine's form of a time, for `<time datetime>`.
pub(crate) fn iso(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map(|it| it.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// `41 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes / 1024),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes / 1_048_576),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

/// `0.4 s`, `42 s`, `3 min`.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 9.95 && (seconds - seconds.round()).abs() >= 0.05 {
        return format!("{seconds:.1} s");
    }
    span(seconds.round().clamp(0.0, 1e12) as u64)
}

/// `1,204`.
pub(crate) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12`, `2.5`, `0.04`: two places at most, none that say nothing.
pub(crate) fn decimal(value: f64) -> String {
    if value.abs() >= 1_000.0 && value.abs() < 1e15 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", number(value.abs().round() as u64));
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `0.0000123`, `12.5`, `1.5e20`: six places that say something, for values of any size.
pub(crate) fn significant(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size >= 1e15 || (size > 0.0 && size < 1e-6) {
        return format!("{value:e}").replace("NaN", "no number").replace("inf", "∞");
    }
    let places = (5 - size.max(1e-6).log10().floor() as i32).clamp(0, 11) as usize;
    let text = format!("{value:.places$}");
    let text = if places > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A text as one value of an address's query.
pub(crate) fn query_value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => value.push(byte.into()),
            other => value += &format!("%{other:02X}"),
        }
    }
    value
}

/// The first three names, and how many more.
pub(crate) fn first(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `1 replica`, `2 replicas`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_size_are_told() {
        let cases = [
            (0.0, "0"),
            (12.5, "12.5"),
            (-0.000_012_3, "-0.0000123"),
            (1_234_567.8, "1234568"),
            (1.5e20, "1.5e20"),
            (2e-9, "2e-9"),
            (f64::NEG_INFINITY, "-∞"),
            (f64::NAN, "no number"),
        ];
        for (given, expected) in cases {
            assert_eq!(significant(given), expected);
        }
    }

    #[test]
    fn an_address_holds_any_text() {
        assert_eq!(query_value("up{a=\"ä&b\"} + 1"), "up%7Ba%3D%22%C3%A4%26b%22%7D%20%2B%201");
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let cases = [(12.0, "12"), (2.5, "2.5"), (0.041, "0.04"), (-0.001, "0"), (1_204.4, "1,204")];
        for (given, expected) in cases {
            assert_eq!(decimal(given), expected);
        }
        assert_eq!(
            (seconds(0.42), seconds(5.0), seconds(190.0)),
            ("0.4 s".into(), "5 s".into(), "3 min".into())
        );
    }
}
