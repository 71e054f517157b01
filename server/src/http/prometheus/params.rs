use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use ops_promql::Query;
use ops_series::Matcher;
use url::form_urlencoded;

use super::error::Fault;
use crate::clock;

/// Most parameters of a question.
const MOST: usize = 1_000;
/// What Prometheus' clients send for "since ever" and "for ever".
const MIN_TIME: &str = "-292273086-05-16T16:47:06Z";
const MAX_TIME: &str = "292277025-08-18T07:12:54.999999999Z";
/// No time beyond these is meant; sums with them do not overflow.
pub(super) const MIN_MS: i64 = i64::MIN / 4;
pub(super) const MAX_MS: i64 = i64::MAX / 4;

/// The parameters of a question: of the address, and of the form when it is posted.
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let mut pairs = Vec::new();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if request.method() == Method::POST && form {
            let body = Bytes::from_request(request, state).await.map_err(|rejection| {
                match rejection.into_response().status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Fault::BadData("the form is too long".to_owned()),
                    _ => Fault::BadData("the form could not be read to its end".to_owned()),
                }
            })?;
            pairs.extend(form_urlencoded::parse(&body).take(MOST).map(owned));
        }
        pairs.extend(form_urlencoded::parse(query.as_bytes()).take(MOST).map(owned));
        Ok(Self(pairs))
    }
}

fn owned((name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

impl Params {
    /// The first value of `name` that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, value)| it == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Every value of `name` that is not empty.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(it, value)| it == name && !value.is_empty()).map(|(_, it)| it.as_str())
    }

    /// A time in milliseconds.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Fault> {
        self.get(name).map(|text| parse_time(text).map_err(|error| Fault::parameter(name, error))).transpose()
    }

    /// A time in milliseconds that must be given.
    pub(super) fn needed_time(&self, name: &str) -> Result<i64, Fault> {
        parse_time(self.get(name).unwrap_or_default()).map_err(|error| Fault::parameter(name, error))
    }

    /// A length of time in milliseconds.
    pub(super) fn duration(&self, name: &str) -> Result<Option<i64>, Fault> {
        let parsed = self.get(name).map(parse_duration);
        parsed.transpose().map_err(|error| Fault::parameter(name, error))
    }

    /// How long the question may take.
    pub(super) fn timeout(&self, most: Duration) -> Result<Duration, Fault> {
        let asked = self.duration("timeout")?.map(|ms| Duration::from_millis(ms.max(0).unsigned_abs()));
        Ok(asked.map_or(most, |asked| asked.min(most)))
    }

    /// How much is answered at most; `None`: all.
    pub(super) fn limit(&self, name: &str) -> Result<Option<usize>, Fault> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let limit: i64 = text.parse().map_err(|_| Fault::parameter(name, "limit must be a number"))?;
        if limit < 0 {
            return Err(Fault::parameter(name, "limit must be non-negative"));
        }
        Ok(usize::try_from(limit).ok().filter(|limit| *limit > 0))
    }

    /// From when to when, in milliseconds, both included; all of the time when not told.
    pub(super) fn span(&self) -> Result<(i64, i64), Fault> {
        let start = self.time("start")?.unwrap_or(MIN_MS);
        let end = self.time("end")?.unwrap_or(MAX_MS);
        if end < start {
            return Err(Fault::parameter("end", "end timestamp must not be before start timestamp"));
        }
        Ok((start, end))
    }

    /// The selectors given as `match[]`.
    pub(super) fn matchers(&self) -> Result<Vec<Vec<Matcher>>, Fault> {
        self.all("match[]").map(|text| selector(text).map_err(|it| Fault::parameter("match[]", it))).collect()
    }

    /// The time of an instant question: now when not told.
    pub(super) fn at(&self) -> Result<i64, Fault> {
        Ok(self.time("time")?.unwrap_or_else(|| clock::now().0 / 1_000))
    }
}

/// Seconds since 1970 with decimals, or RFC 3339; in milliseconds.
pub(super) fn parse_time(text: &str) -> Result<i64, String> {
    let fault = || format!("cannot parse {text:?} to a valid timestamp");
    if let Ok(seconds) = text.parse::<f64>() {
        return if seconds.is_finite() && seconds.abs() < 9.2e15 {
            Ok(((seconds * 1_000.0).round() as i64).clamp(MIN_MS, MAX_MS))
        } else {
            Err(fault())
        };
    }
    match text {
        MIN_TIME => Ok(MIN_MS),
        MAX_TIME => Ok(MAX_MS),
        _ => text.parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(|_| fault()),
    }
}

/// Seconds with decimals, or numbers with units such as `1h30m`; in milliseconds.
pub(super) fn parse_duration(text: &str) -> Result<i64, String> {
    let fault = || format!("cannot parse {text:?} to a valid duration");
    if let Ok(seconds) = text.parse::<f64>() {
        let ms = (seconds * 1_000.0).trunc();
        return if seconds.is_finite() && ms.abs() < 9.2e15 { Ok(ms as i64) } else { Err(fault()) };
    }
    let (mut rest, mut total, mut smallest) = (text, 0_i64, usize::MAX);
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
        ("y", 31_536_000_000),
    ];
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
        let (number, after) = rest.split_at(digits);
        let number: i64 = number.parse().map_err(|_| fault())?;
        let unit = UNITS.iter().position(|(unit, _)| {
            after
                .strip_prefix(unit)
                .is_some_and(|it| it.is_empty() || it.starts_with(|c: char| c.is_ascii_digit()))
        });
        let unit = unit.filter(|at| *at < smallest).ok_or_else(fault)?;
        let (name, ms) = UNITS.get(unit).copied().ok_or_else(fault)?;
        total = number.checked_mul(ms).and_then(|it| total.checked_add(it)).ok_or_else(fault)?;
        smallest = unit;
        rest = after.get(name.len()..).unwrap_or_default();
    }
    if text.is_empty() || total > MAX_MS { Err(fault()) } else { Ok(total) }
}

/// The conditions of an expression that is a selector and nothing else.
fn selector(text: &str) -> Result<Vec<Matcher>, String> {
    let query = Query::parse(text).map_err(|error| error.to_string())?;
    let text = text.trim();
    let (metric, conditions) = text.split_once('{').unwrap_or((text, "}"));
    // With one selector in all, a name before the braces and nothing after them, there is no room for more.
    let plain = metric.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    match query.reads().selectors.as_slice() {
        [one] if plain && conditions.ends_with('}') && one.range_ms.is_none() => Ok(one.matchers.clone()),
        _ => Err(format!("{text:?} is not a selector of series")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_are_read_as_prometheus_reads_them() {
        assert_eq!(parse_time("1435781430.781"), Ok(1_435_781_430_781));
        assert_eq!(parse_time("2015-07-01T20:10:30.781Z"), Ok(1_435_781_430_781));
        assert_eq!(parse_time(MIN_TIME), Ok(MIN_MS));
        assert_eq!(parse_time("1e300"), Err("cannot parse \"1e300\" to a valid timestamp".to_owned()));
        for (text, ms) in
            [("15", 15_000), ("0.5", 500), ("1h30m", 5_400_000), ("5ms", 5), ("1y", 31_536_000_000)]
        {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
        }
        for text in ["", "x", "5m1h", "5", "5q", "99999999999999999999s", "1s1s", "-5m", "NaN", "inf"] {
            assert_eq!(parse_duration(text).is_err(), text != "5", "{text}");
        }
    }

    #[test]
    fn a_selector_is_a_selector_only() {
        assert_eq!(selector("up{job=\"a}\"}").unwrap().len(), 2);
        assert_eq!(selector("{__name__=~\"u.+\"}").unwrap().len(), 1);
        for text in
            ["sum(up)", "up[5m]", "up + up", "-up", "up > 1", "sum(up{a=\"1\"})", "up{a=\"1\"} * 2", "1", "("]
        {
            assert!(selector(text).is_err(), "{text}");
        }
    }
}
