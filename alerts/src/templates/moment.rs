//! Go's `time.Time` as far as templates of notifications use it.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};
use ops_contract::Timestamp;
use ops_promql::template::{Object, TemplateError, Value};

use super::layout::formatted;

/// Microseconds of Go's zero time, 0001-01-01 00:00:00 UTC.
const NONE: i64 = -62_135_596_800_000_000;
/// How Go writes a time in JSON, and how it prints one.
const RFC_3339: &str = "2006-01-02T15:04:05.999999999Z07:00";
const PRINTED: &str = "2006-01-02 15:04:05.999999999 -0700 MST";

/// A moment in a time zone.
#[derive(Clone, Debug)]
pub(super) struct Moment(Zoned);

impl Moment {
    /// The moment in UTC; one that no calendar has is the first or last that one has.
    pub(super) fn utc(at: Timestamp) -> Self {
        let end = if at.0 < 0 { Instant::MIN } else { Instant::MAX };
        Self(Instant::from_microsecond(at.0).unwrap_or(end).to_zoned(TimeZone::UTC))
    }

    /// Of what has not happened.
    pub(super) fn none() -> Self {
        Self::utc(Timestamp(NONE))
    }

    fn microseconds(&self) -> i64 {
        self.0.timestamp().as_microsecond()
    }

    fn plain(&self, name: &str) -> Option<Value> {
        let at = &self.0;
        let whole = |it: i64| Value::Int(it);
        Some(match name {
            "Unix" => whole(at.timestamp().as_second()),
            "UnixMilli" => whole(at.timestamp().as_millisecond()),
            "UnixMicro" => whole(self.microseconds()),
            "Year" => whole(at.year().into()),
            "Month" => Value::text(at.strftime("%B").to_string()),
            "Day" => whole(at.day().into()),
            "Hour" => whole(at.hour().into()),
            "Minute" => whole(at.minute().into()),
            "Second" => whole(at.second().into()),
            "YearDay" => whole(at.day_of_year().into()),
            "Weekday" => Value::text(at.strftime("%A").to_string()),
            "IsZero" => Value::Bool(self.microseconds() == NONE),
            "String" => Value::text(self.text()),
            "MarshalText" => Value::text(formatted(at, RFC_3339)),
            // The server's own zone means nothing to who reads.
            "UTC" | "Local" => Value::Object(Arc::new(Self(at.with_time_zone(TimeZone::UTC)))),
            _ => return None,
        })
    }

    fn given(&self, name: &str, argument: &Value) -> Option<Result<Value, TemplateError>> {
        let other = microseconds(argument);
        let compared = |holds: fn(&i64, &i64) -> bool| {
            let other = other.clone()?;
            Ok(Value::Bool(holds(&self.microseconds(), &other)))
        };
        Some(match (name, argument) {
            ("Format", Value::Text(layout)) => Ok(Value::text(formatted(&self.0, layout))),
            ("In", Value::Text(zone)) => match TimeZone::get(zone) {
                Ok(zone) => Ok(Value::Object(Arc::new(Self(self.0.with_time_zone(zone))))),
                Err(_) => Err(TemplateError::new(format!("there is no time zone {zone:?}"))),
            },
            ("Sub", _) => other
                .map(|other| Value::Duration(self.microseconds().saturating_sub(other).saturating_mul(1000))),
            ("After", _) => compared(i64::gt),
            ("Before", _) => compared(i64::lt),
            ("Equal", _) => compared(i64::eq),
            _ => return None,
        })
    }
}

/// Microseconds since 1970 of a value that is a time.
pub(super) fn microseconds(value: &Value) -> Result<i64, TemplateError> {
    if let Value::Object(it) = value
        && let Some(Ok(Value::Int(at))) = it.field("UnixMicro", &[])
    {
        return Ok(at);
    }
    Err(TemplateError::new(format!("a {} is no time", value.kind())))
}

impl Object for Moment {
    fn kind(&self) -> &'static str {
        "time.Time"
    }

    fn field(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, TemplateError>> {
        match arguments {
            [] => self.plain(name).map(Ok),
            [one] => self.given(name, one),
            _ => None,
        }
    }

    fn text(&self) -> String {
        formatted(&self.0, PRINTED)
    }
}
