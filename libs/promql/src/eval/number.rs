//! Numbers and dates, computed and written as Prometheus does.

use ops_samples::{Labels, is_stale};

/// A computed value; none may look like the mark that a series ended.
pub(crate) fn clean(value: f64) -> f64 {
    if is_stale(value) { f64::NAN } else { value }
}

/// The greater of both; infinity wins over NaN, NaN over the rest.
pub(crate) fn greater(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

/// The lesser of both; negative infinity wins over NaN, NaN over the rest.
pub(crate) fn lesser(a: f64, b: f64) -> f64 {
    -greater(-a, -b)
}

/// Adds to a sum and to what was lost of it by rounding (Neumaier's variant of Kahan's).
pub(crate) fn add(value: f64, sum: f64, lost: f64) -> (f64, f64) {
    let total = sum + value;
    let lost = if total.is_infinite() {
        0.0
    } else if sum.abs() >= value.abs() {
        lost + ((sum - total) + value)
    } else {
        lost + ((value - total) + sum)
    };
    (total, lost)
}

/// The quantile of values, which are put in order; NaN counts as the least.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_unstable_by(ascending);
    let last = values.len() - 1;
    let rank = q * last as f64;
    let lower = rank.floor().max(0.0);
    let weight = rank - rank.floor();
    let at = |index: f64| values.get((index as usize).min(last)).copied().unwrap_or(f64::NAN);
    at(lower) * (1.0 - weight) + at(lower + 1.0) * weight
}

/// NaN first, then from the least to the greatest.
pub(crate) fn ascending(a: &f64, b: &f64) -> std::cmp::Ordering {
    b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
}

/// As Go's `%g`: the shortest text that is this number, with an exponent if it is large or small.
pub(crate) fn shortest(value: f64) -> String {
    match special(value) {
        Some(text) => text,
        None => with_exponent(&format!("{value:e}"), 6),
    }
}

/// As Go's `%.<digits>g`.
pub(crate) fn general(value: f64, digits: usize) -> String {
    match special(value) {
        Some(text) => text,
        None => with_exponent(&format!("{value:.*e}", digits.saturating_sub(1)), digits),
    }
}

/// As Go writes a number without an exponent.
pub(crate) fn plain(value: f64) -> String {
    special(value).unwrap_or_else(|| value.to_string())
}

fn special(value: f64) -> Option<String> {
    let text = if value.is_nan() {
        "NaN"
    } else if value == f64::INFINITY {
        "+Inf"
    } else if value == f64::NEG_INFINITY {
        "-Inf"
    } else {
        return None;
    };
    Some(text.to_owned())
}

/// Of `1.5e-7`: with the exponent as Go writes it when it is below -4 or at least `most`, without it otherwise.
fn with_exponent(scientific: &str, most: usize) -> String {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let trimmed =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    if exponent < -4 || exponent >= i32::try_from(most).unwrap_or(i32::MAX) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{trimmed}e{sign}{:02}", exponent.abs());
    }
    format!("{trimmed}e{exponent}").parse::<f64>().map(|it| it.to_string()).unwrap_or_default()
}

/// A quantile as the value of a label.
pub(crate) fn open_metrics(value: f64) -> String {
    let text = match special(value) {
        Some(text) => return text,
        None => with_exponent(&format!("{value:e}"), 6),
    };
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

/// ` for metric name "…"`, if it has one.
pub(crate) fn of_metric(metric: &str) -> String {
    if metric.is_empty() { String::new() } else { format!(" for metric name {metric:?}") }
}

/// A label set as Prometheus' errors write it.
pub(crate) fn braces<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let plain = |name: &str| {
        !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let pair = |(name, value): (&str, &str)| {
        if plain(name) { format!("{name}={value:?}") } else { format!("{name:?}={value:?}") }
    };
    format!("{{{}}}", pairs.map(pair).collect::<Vec<_>>().join(", "))
}

/// A label set as Prometheus' errors write it.
pub(crate) fn labels(labels: &Labels) -> String {
    braces(labels.iter())
}

/// The day of a time in seconds since 1970, and the second of that day.
pub(crate) fn day_and_second(seconds: i64) -> (i64, i64) {
    (seconds.div_euclid(86_400), seconds.rem_euclid(86_400))
}

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant's algorithm).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// A time as RFC 3339 writes it, in UTC.
pub(crate) fn rfc3339(ms: i64) -> String {
    let (days, second) = day_and_second(ms.div_euclid(1_000));
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}
