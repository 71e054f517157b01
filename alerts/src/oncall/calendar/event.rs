//! One event, and all the times at which it happens.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::lines::{Line, unescape};
use super::rule::Rule;
use crate::oncall::Person;

/// Longest shift.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A shift, or a row of them.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) person: Person,
    uid: String,
    zone: TimeZone,
    start: DateTime,
    /// In local time: one that ends at nine does so in summer and winter.
    length: SignedDuration,
    rule: Option<Rule>,
    /// Local times at which it does not happen.
    except: BTreeSet<DateTime>,
    /// Which one of a row of the same uid it replaces.
    replaces: Option<Timestamp>,
}

/// A time as it stands in a calendar.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    local: DateTime,
    zone: TimeZone,
    is_date: bool,
}

impl Event {
    /// Reads the lines between BEGIN and END; `None`: it was cancelled. A cancelled one of a row is an event of no length.
    pub(super) fn read(lines: &[Line], zone: &TimeZone, budget: &mut u64) -> Result<Option<Self>, String> {
        let find = |name: &str| lines.iter().find(|line| line.name == name);
        let moment = |line: &Line| Moment::read(&line.value, line.parameter("TZID"), zone);
        let replaces = find("RECURRENCE-ID").map(moment).transpose()?.and_then(|it| it.instant());
        let is_cancelled = find("STATUS").is_some_and(|line| line.is("STATUS", "CANCELLED"));
        if is_cancelled && replaces.is_none() {
            return Ok(None);
        }
        let person = find("SUMMARY").map(|line| unescape(&line.value).trim().to_owned()).unwrap_or_default();
        if person.is_empty() && !is_cancelled {
            return Err("it has no SUMMARY that names a person".to_owned());
        }
        let start = moment(find("DTSTART").ok_or("it has no DTSTART")?)?;
        let length = match is_cancelled {
            true => SignedDuration::ZERO,
            false => length(lines, &start, zone)?,
        };
        let local = |text: &str| Moment::read(text, None, &start.zone).map(|it| it.within(&start.zone));
        let rules: Vec<&Line> = lines.iter().filter(|line| line.name == "RRULE").collect();
        if rules.len() > 1 || lines.iter().any(|line| matches!(line.name.as_str(), "RDATE" | "EXRULE")) {
            return Err("it repeats by more than one RRULE".to_owned());
        }
        let rule =
            rules.first().map(|line| Rule::read(&line.value, start.local, &local, budget)).transpose()?;
        let mut except = BTreeSet::new();
        for line in lines.iter().filter(|line| line.name == "EXDATE") {
            for text in line.value.split(',') {
                let it = Moment::read(text, line.parameter("TZID"), zone)?;
                let time = if it.is_date { start.local.time() } else { it.within(&start.zone).local.time() };
                let date = if it.is_date { it.local.date() } else { it.within(&start.zone).local.date() };
                except.insert(date.to_datetime(time));
            }
        }
        let uid = find("UID").map(|line| line.value.clone()).unwrap_or_default();
        let (zone, start) = (start.zone, start.local);
        Ok(Some(Self { person: Person(person), uid, zone, start, length, rule, except, replaces }))
    }

    /// Whether it happens at this moment.
    pub(super) fn contains(&self, at: Timestamp) -> bool {
        self.spans(at, at).any(|(begin, end)| begin <= at && at < end)
    }

    /// Begin and end of each that lies between two moments, wholly or in part.
    pub(super) fn between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        self.spans(from, until).filter(move |(begin, end)| *begin < until && from < *end)
    }

    /// Those that may lie between two moments.
    fn spans(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let date = |at: Timestamp, days: i64| {
            let date = at.to_zoned(self.zone.clone()).date();
            date.checked_add(Span::new().days(days)).unwrap_or(if days < 0 { Date::MIN } else { Date::MAX })
        };
        let (first, last) = (date(from, -(self.length.as_hours() / 24) - 2), date(until, 1));
        let repeated = self.rule.iter().flat_map(move |rule| rule.dates(self.start, first, last));
        let once = Some(self.start.date()).filter(|_| self.rule.is_none());
        let starts = once.into_iter().chain(repeated).map(|date| date.to_datetime(self.start.time()));
        starts.filter(|start| !self.except.contains(start)).filter_map(|start| {
            let end = start.checked_add(self.length).ok()?;
            Some((self.zone.to_timestamp(start).ok()?, self.zone.to_timestamp(end).ok()?))
        })
    }
}

/// Takes out of each row what another event of the same uid replaces.
pub(super) fn replace(events: &mut Vec<Event>) {
    let mut replaced: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    for event in events.iter() {
        if let Some(at) = event.replaces {
            replaced.entry(event.uid.clone()).or_default().push(at);
        }
    }
    for event in events.iter_mut().filter(|event| event.replaces.is_none()) {
        let times = replaced.get(&event.uid).into_iter().flatten();
        event.except.extend(times.map(|at| at.to_zoned(event.zone.clone()).datetime()));
    }
    events.retain(|event| !event.length.is_zero());
}

/// From DTEND or DURATION; an event of a whole day without either lasts that day.
fn length(lines: &[Line], start: &Moment, zone: &TimeZone) -> Result<SignedDuration, String> {
    let find = |name: &str| lines.iter().find(|line| line.name == name);
    let length = if let Some(line) = find("DTEND") {
        let end = Moment::read(&line.value, line.parameter("TZID"), zone)?.within(&start.zone);
        end.local.duration_since(start.local)
    } else if let Some(line) = find("DURATION") {
        let span: Option<Span> = line.value.trim().parse().ok();
        let length = span.and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok());
        length.ok_or_else(|| format!("DURATION: {:?} cannot be read", line.value))?
    } else if start.is_date {
        SignedDuration::from_hours(24)
    } else {
        SignedDuration::ZERO
    };
    match length {
        length if length <= SignedDuration::ZERO => Err("it does not end after it begins".to_owned()),
        length if length > LONGEST => Err("it lasts longer than 366 days".to_owned()),
        length => Ok(length),
    }
}

impl Moment {
    /// `20300107`, `20300107T090000` or `20300107T090000Z`.
    fn read(text: &str, zone_name: Option<&str>, zone: &TimeZone) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("{text:?} is no time");
        let zone = match zone_name {
            // Names of the IANA may have a maker's prefix: /mozilla.org/20050126_1/Europe/Berlin.
            Some(name) => by_name(name).ok_or_else(|| format!("there is no time zone {name:?}"))?,
            None => zone.clone(),
        };
        let (plain, is_utc) = text.strip_suffix('Z').map_or((text, false), |plain| (plain, true));
        let zone = if is_utc { TimeZone::UTC } else { zone };
        let (date, time) = plain.split_once('T').map_or((plain, None), |(date, time)| (date, Some(time)));
        let date: Date = digits(date, 8).and_then(|it| it.parse().ok()).ok_or_else(wrong)?;
        let time = match time {
            Some(time) => digits(time, 6).and_then(clock).ok_or_else(wrong)?,
            None => Time::midnight(),
        };
        Ok(Self { local: date.to_datetime(time), zone, is_date: !text.contains('T') })
    }

    fn instant(&self) -> Option<Timestamp> {
        self.zone.to_timestamp(self.local).ok()
    }

    /// The same moment in another zone; days are the same everywhere.
    fn within(&self, zone: &TimeZone) -> Self {
        let local = match (self.is_date, self.instant()) {
            (false, Some(at)) => at.to_zoned(zone.clone()).datetime(),
            _ => self.local,
        };
        Self { local, zone: zone.clone(), is_date: self.is_date }
    }

    /// The last local time that it means.
    pub(super) fn latest(&self) -> DateTime {
        if self.is_date { self.local.date().to_datetime(Time::MAX) } else { self.local }
    }
}

fn by_name(name: &str) -> Option<TimeZone> {
    let mut rest = name.trim_start_matches('/');
    loop {
        if let Ok(zone) = TimeZone::get(rest) {
            return Some(zone);
        }
        rest = rest.split_once('/')?.1;
    }
}

fn digits(text: &str, count: usize) -> Option<&str> {
    Some(text).filter(|text| text.len() == count && text.bytes().all(|it| it.is_ascii_digit()))
}

/// `090000`; a leap second is the second before it.
fn clock(text: &str) -> Option<Time> {
    let two = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    Time::new(two(0)?, two(2)?, two(4)?.min(59), 0).ok()
}
