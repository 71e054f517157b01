//! Times in a trace: dates as ISO 8601 writes them, or numbers.

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A date, with or without a zone.
    Date,
    /// Seconds, milliseconds, microseconds or nanoseconds, by its size.
    Number,
}

/// Reads a time; nanoseconds since 1970, or since the trace began when the numbers are small.
pub(super) fn parse(cell: &str) -> Option<(Form, i64)> {
    if let Ok(number) = cell.parse::<f64>() {
        return numeric(cell, number).map(|time| (Form::Number, time));
    }
    date(cell.as_bytes()).map(|time| (Form::Date, time))
}

/// Epoch seconds have ten digits until 2286, milliseconds thirteen.
fn numeric(cell: &str, number: f64) -> Option<i64> {
    if !number.is_finite() || !(0.0..9.2e18).contains(&number) {
        return None;
    }
    let unit = match number {
        1e17.. => 1,
        1e14.. => 1_000,
        1e11.. => 1_000_000,
        _ => 1_000_000_000_i64,
    };
    match cell.parse::<i64>() {
        Ok(whole) => whole.checked_mul(unit),
        Err(_) => Some((number * unit as f64) as i64),
    }
}

/// `2026-01-31`, then perhaps `T` or a space and `12:00[:00[.123]]`, then perhaps `Z` or `+01:00`.
fn date(text: &[u8]) -> Option<i64> {
    let (year, month, day) = (digits(text, 0, 4)?, digits(text, 5, 2)?, digits(text, 8, 2)?);
    let separators = (text.get(4)?, text.get(7)?);
    if !matches!(separators, (b'-', b'-') | (b'/', b'/')) {
        return None;
    }
    if !(1970..=2200).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let midnight_s = days(year, month, day) * 86_400;
    let Some(separator) = text.get(10) else {
        return Some(midnight_s * 1_000_000_000);
    };
    if !matches!(separator, b'T' | b't' | b' ') || text.get(13) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (digits(text, 11, 2)?, digits(text, 14, 2)?);
    let (second, mut rest) = match text.get(16) {
        Some(b':') => (digits(text, 17, 2)?, &text[19..]),
        _ => (0, &text[16..]),
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut nanoseconds = 0;
    if let [b'.' | b',', fraction @ ..] = rest {
        let length = fraction.iter().take_while(|it| it.is_ascii_digit()).count();
        let mut unit = 100_000_000;
        for digit in &fraction[..length] {
            nanoseconds += i64::from(digit - b'0') * unit;
            unit /= 10;
        }
        rest = &fraction[length..];
    }
    let second = midnight_s + hour * 3600 + minute * 60 + second - zone_s(rest)?;
    Some(second * 1_000_000_000 + nanoseconds)
}

fn zone_s(text: &[u8]) -> Option<i64> {
    match text {
        [] | [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let minutes = match rest.len() {
                2 => 0,
                4 => digits(rest, 2, 2)?,
                5 if rest[2] == b':' => digits(rest, 3, 2)?,
                _ => return None,
            };
            let seconds = digits(rest, 0, 2)? * 3600 + minutes * 60;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn digits(text: &[u8], from: usize, length: usize) -> Option<i64> {
    let digits = text.get(from..from + length)?;
    digits.iter().try_fold(0, |sum, it| it.is_ascii_digit().then(|| sum * 10 + i64::from(it - b'0')))
}

/// Days since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_numbers_are_the_same_moment() {
        for text in [
            "2023-11-16 18:17:03",
            "2023-11-16T18:17:03Z",
            "2023/11/16 18:17:03.000",
            "2023-11-16T19:17:03+01:00",
            "2023-11-16T17:17:03-0100",
            "1700158623",
            "1700158623000",
            "1700158623000000000",
            "1700158623.0",
        ] {
            assert_eq!(parse(text).map(|(_, time)| time), Some(1_700_158_623_000_000_000), "{text}");
        }
        assert_eq!(parse("2023-11-16 18:17:03.9799600").unwrap().1, 1_700_158_623_979_960_000);
        assert_eq!(parse("1970-01-02").unwrap(), (Form::Date, 86_400_000_000_000));
        assert_eq!(parse("0.5").unwrap(), (Form::Number, 500_000_000));
    }

    #[test]
    fn rubbish_is_no_time() {
        for text in [
            "",
            "NaN",
            "inf",
            "-5",
            "1e300",
            "timestamp",
            "2023-13-01",
            "2023-01-01X10:00",
            "2023-01-01 25:00",
            "2023-01-01 10",
            "2023-1-1",
            "2023-01-01 10:00:00+1",
            "2023-01/01",
            "ÄÖÜ-01-01 00:00",
            "2023-01-01 10:0",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
