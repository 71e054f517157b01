//! Times and durations as Go writes them.

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Year, month, day of a count of days since 1970-01-01, in the Gregorian calendar.
fn date(days: i64) -> (i64, i64, i64) {
    // Counted in eras of 400 years, which begin on a 1st of March, so that a leap day is the last of its year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `2015-07-09 12:00:00.5 +0000 UTC`.
pub(super) fn text(at_ms: i64) -> String {
    let (days, ms) = (at_ms.div_euclid(DAY_MS), at_ms.rem_euclid(DAY_MS));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let fraction = match ms % 1000 {
        0 => String::new(),
        part => format!(".{part:03}").trim_end_matches('0').to_owned(),
    };
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} +0000 UTC")
}

/// What a method of Go's `time.Time` gives that takes nothing and returns a number.
pub(super) fn field(at_ms: i64, name: &str) -> Option<i64> {
    let (days, ms) = (at_ms.div_euclid(DAY_MS), at_ms.rem_euclid(DAY_MS));
    let (year, month, day) = date(days);
    Some(match name {
        "Year" => year,
        "Month" => month,
        "Day" => day,
        "Hour" => ms / 3_600_000,
        "Minute" => ms / 60_000 % 60,
        "Second" => ms / 1000 % 60,
        "Unix" => at_ms.div_euclid(1000),
        "UnixMilli" => at_ms,
        "Weekday" => (days + 4).rem_euclid(7),
        _ => return None,
    })
}

/// The time of so many seconds since 1970; `None` where Go's nanoseconds overflow.
pub(super) fn from_seconds(seconds: f64) -> Option<i64> {
    let nanos = seconds * 1e9;
    // The cast truncates towards zero, as Go's does, and the range was looked at.
    #[allow(clippy::cast_possible_truncation)]
    (nanos.abs() < 9.223_372_036_854_775e18).then_some(nanos as i64 / 1_000_000)
}

/// Go's text of a duration: `1h2m3.5s`.
pub(super) fn duration(nanos: i64) -> String {
    let (sign, size) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    if size == 0 {
        return "0s".to_owned();
    }
    let part = |size: u64, unit: u64| {
        let width = unit.ilog10() as usize;
        let fraction = format!("{:0width$}", size % unit);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() || unit == 1 { "" } else { "." };
        let fraction = if unit == 1 { "" } else { fraction };
        format!("{}{point}{fraction}", size / unit)
    };
    match size {
        0..1_000 => format!("{sign}{size}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", part(size, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", part(size, 1_000_000)),
        _ => {
            let (minutes, rest) = (size / 60_000_000_000, size % 60_000_000_000);
            let seconds = part(rest, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// Seconds of a duration as Prometheus writes it: `1d2h30m`, largest unit first, each once.
pub(super) fn parse_duration(text: &str) -> Option<f64> {
    if text == "0" {
        return Some(0.0);
    }
    const UNITS: [(&str, f64); 7] = [
        ("y", 31_536_000_000.0),
        ("w", 604_800_000.0),
        ("d", 86_400_000.0),
        ("h", 3_600_000.0),
        ("m", 60_000.0),
        ("s", 1_000.0),
        ("ms", 1.0),
    ];
    let (mut rest, mut ms, mut place) = (text, 0.0, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        let after = rest.get(digits..)?;
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, remainder) = after.split_at(end);
        let found = UNITS.iter().skip(place).position(|(it, _)| *it == unit)? + place;
        ms += number * UNITS.get(found)?.1;
        (place, rest) = (found + 1, remainder);
    }
    (place > 0 && ms < 9.2e12).then_some(ms / 1000.0)
}
