//! When a scheduler's next job is due.

use std::time::Duration;

use croner::parser::{CronParser, Seconds};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::{Map, Value};

use crate::Error;

/// The rhythm of a scheduler.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Again after so much time, at least a millisecond.
    Every(Duration),
    /// At the times of a cron pattern of five fields, or six with seconds first.
    Cron {
        /// The pattern.
        pattern: String,
        /// An IANA name such as `Europe/Berlin`; the machine's zone if absent, as in npm.
        time_zone: Option<String>,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Every(Duration::from_secs(60))
    }
}

impl Schedule {
    /// Again after so much time.
    pub fn every(interval: Duration) -> Self {
        Self::Every(interval)
    }

    /// At the times of a cron pattern, in UTC.
    pub fn cron(pattern: impl Into<String>) -> Self {
        Self::Cron { pattern: pattern.into(), time_zone: Some("UTC".to_owned()) }
    }

    /// The schedule in a job's `opts.repeat`.
    pub(crate) fn from_repeat(repeat: &Map<String, Value>) -> Result<Self, Error> {
        if let Some(every) = repeat.get("every").and_then(Value::as_f64) {
            return Ok(Self::Every(Duration::from_millis(every.clamp(0.0, 1e12) as u64)));
        }
        let text = |name: &str| repeat.get(name).and_then(Value::as_str).map(str::to_owned);
        let pattern =
            text("pattern").ok_or_else(|| Error::Schedule("neither `every` nor `pattern`".to_owned()))?;
        let utc = repeat.get("utc").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self::Cron { pattern, time_zone: text("tz").or_else(|| utc.then(|| "UTC".to_owned())) })
    }
}

/// The first time of a pattern after `after` (ms since 1970). Nothing for an interval, whose times the server computes from
/// what it knows of the last iteration.
pub(crate) fn next_time(schedule: &Schedule, after: i64) -> Result<Option<i64>, Error> {
    let (pattern, zone) = match schedule {
        Schedule::Every(every) if every.as_millis() == 0 => {
            return Err(Error::Schedule("`every` is zero".to_owned()));
        }
        Schedule::Every(_) => return Ok(None),
        Schedule::Cron { pattern, time_zone } => (pattern, time_zone),
    };
    let fault = |error: &dyn std::fmt::Display| Error::Schedule(error.to_string());
    let zone = match zone {
        Some(name) => TimeZone::get(name).map_err(|error| fault(&error))?,
        None => TimeZone::system(),
    };
    let cron = CronParser::builder()
        .seconds(Seconds::Optional)
        .build()
        .parse(pattern)
        .map_err(|error| fault(&error))?;
    let after = Timestamp::from_millisecond(after).map_err(|error| fault(&error))?;
    let next: Zoned =
        cron.find_next_occurrence(&after.to_zoned(zone), false).map_err(|error| fault(&error))?;
    Ok(Some(next.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_npm_reads_them() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time").as_millisecond();
        let check = |pattern: &str, zone: &str, after: &str, next: &str| {
            let schedule = Schedule::Cron { pattern: pattern.to_owned(), time_zone: Some(zone.to_owned()) };
            assert_eq!(next_time(&schedule, at(after)).expect(pattern), Some(at(next)), "{pattern} {zone}");
        };
        check("*/5 * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z");
        check("*/2 * * * * *", "UTC", "2026-01-01T00:00:01.5Z", "2026-01-01T00:00:02Z");
        check("0 3 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z");
        check("@daily", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        check("0 0 13 * 5", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    }

    #[test]
    fn what_can_never_run_is_an_error() {
        for pattern in ["", "rubbish", "61 * * * *", "* * * * * * * * *"] {
            assert!(next_time(&Schedule::cron(pattern), 0).is_err(), "{pattern}");
        }
        assert!(next_time(&Schedule::Every(Duration::ZERO), 0).is_err());
        let zone =
            Schedule::Cron { pattern: "* * * * *".to_owned(), time_zone: Some("Mars/Base".to_owned()) };
        assert!(next_time(&zone, 0).is_err());
    }
}
