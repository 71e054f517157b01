//! A schedule: rotations in layers, who takes over for a while, and a calendar below them all.

use std::collections::BTreeMap;

use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ops_contract::Timestamp;

use super::restriction::at_minute;
use super::rotation::Rotation;
use super::{Calendar, OverrideSettings, Person, ScheduleSettings, Shift, instant, timestamp};
use crate::rules::Fault;

/// Most layers and overrides of a schedule.
const MOST: usize = 1_000;
/// Longest time whose shifts are listed, in microseconds.
const LONGEST: i64 = 400 * 86_400_000_000;

/// Who is on call when.
#[derive(Clone, Debug)]
pub struct Schedule {
    zone: TimeZone,
    layers: Vec<Rotation>,
    overrides: Vec<Override>,
    calendar: Option<Calendar>,
}

#[derive(Clone, Debug)]
struct Override {
    person: Person,
    from: Instant,
    until: Instant,
}

impl Schedule {
    /// Reads the schedule `name` of the settings in `file`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(file: &str, name: &str, settings: &ScheduleSettings) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut fault = |place: String, problem: String, fix: &str| {
            let place = format!("schedules.{name}{place}");
            faults.push(Fault { file: file.to_owned(), line: None, place, problem, fix: fix.to_owned() });
        };
        if settings.layers.len().max(settings.overrides.len()) > MOST {
            fault(
                String::new(),
                format!("there are more than {MOST} layers or overrides"),
                "remove old ones",
            );
            return Err(faults);
        }
        let zone = match settings.time_zone.as_str() {
            "" | "UTC" => TimeZone::UTC,
            zone => TimeZone::get(zone).unwrap_or_else(|_| {
                let problem = format!("there is no time zone {zone:?}");
                fault(".time_zone".to_owned(), problem, "write it like Europe/Berlin");
                TimeZone::UTC
            }),
        };
        let mut layers = Vec::new();
        for (at, layer) in settings.layers.iter().enumerate() {
            match Rotation::read(layer) {
                Ok(layer) => layers.push(layer),
                Err(problem) => {
                    let fix = "write people = [\"ann\"], start = \"2030-01-07\", rotation = \"1w\", handover = \"09:00\"";
                    fault(format!(".layers[{at}]"), problem, fix);
                }
            }
        }
        let mut overrides = Vec::new();
        for (at, it) in settings.overrides.iter().enumerate() {
            match Override::read(it, &zone) {
                Ok(it) => overrides.push(it),
                Err(problem) => {
                    let fix =
                        "write person = \"ann\", from = \"2030-01-07T09:00\", until = \"2030-01-08T09:00\"";
                    fault(format!(".overrides[{at}]"), problem, fix);
                }
            }
        }
        if faults.is_empty() { Ok(Self { zone, layers, overrides, calendar: None }) } else { Err(faults) }
    }

    /// Where its times are meant.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// With a calendar only.
    #[must_use]
    pub fn of_calendar(calendar: Calendar) -> Self {
        Self { zone: TimeZone::UTC, layers: Vec::new(), overrides: Vec::new(), calendar: Some(calendar) }
    }

    /// With this calendar, in place of the one that it had: it says who is on call when no layer does.
    #[must_use]
    pub fn with_calendar(self, calendar: Calendar) -> Self {
        Self { calendar: Some(calendar), ..self }
    }

    /// Who is on call at `at`: who takes over, else whose turn it is in the last layer that has somebody, else those in the
    /// calendar, of whom there may be several.
    #[must_use]
    pub fn on_call(&self, at: Timestamp) -> Vec<Person> {
        match (self.by_settings(at), &self.calendar) {
            (Some(person), _) => vec![person.clone()],
            (None, Some(calendar)) => calendar.on_call(at),
            (None, None) => Vec::new(),
        }
    }

    /// The shifts between two moments, of at most 400 days; times in which nobody is on call are left out.
    #[must_use]
    pub fn shifts(&self, from: Timestamp, until: Timestamp) -> Vec<Shift> {
        let until = Timestamp(until.0.min(from.0.saturating_add(LONGEST)));
        let mut turns =
            self.calendar.as_ref().map(|it| Turns::new(it.spans(from, until))).unwrap_or_default();
        let mut changes = self.changes(instant(from), instant(until));
        changes.extend(turns.all.iter().map(|(at, ..)| *at));
        changes.retain(|at| from < *at && *at < until);
        changes.push(from);
        changes.sort();
        changes.dedup();
        let mut shifts: Vec<Shift> = Vec::new();
        for (at, begin) in changes.iter().enumerate().filter(|_| from < until) {
            let end = changes.get(at + 1).copied().unwrap_or(until);
            turns.go_to(*begin);
            let people = match self.by_settings(*begin) {
                Some(person) => vec![person.clone()],
                None => turns.people(),
            };
            match shifts.last_mut().filter(|last| last.until == *begin && last.people == people) {
                Some(last) => last.until = end,
                None if people.is_empty() => {}
                None => shifts.push(Shift { from: *begin, until: end, people }),
            }
        }
        shifts
    }

    /// Who takes over, else whose turn it is.
    fn by_settings(&self, at: Timestamp) -> Option<&Person> {
        let now = instant(at);
        let taken_over = self.overrides.iter().rev().find(|it| it.from <= now && now < it.until);
        let in_turn = || self.layers.iter().rev().find_map(|layer| layer.on_call(now, &self.zone));
        taken_over.map(|it| &it.person).or_else(in_turn)
    }

    /// Every moment between two at which somebody else may be on call.
    fn changes(&self, from: Instant, until: Instant) -> Vec<Timestamp> {
        let mut changes: Vec<Instant> = self.overrides.iter().flat_map(|it| [it.from, it.until]).collect();
        for layer in &self.layers {
            changes.extend(layer.changes(from, until, &self.zone));
            if layer.restrictions.is_empty() {
                continue;
            }
            let mut date = from.to_zoned(self.zone.clone()).date();
            while at_minute(date, 0, &self.zone).is_some_and(|midnight| midnight < until) {
                changes.extend(at_minute(date, 0, &self.zone));
                changes.extend(layer.restrictions.iter().flat_map(|it| it.changes(date, &self.zone)));
                let Ok(tomorrow) = date.tomorrow() else { break };
                date = tomorrow;
            }
        }
        changes.into_iter().map(timestamp).collect()
    }
}

/// Who comes and goes in a calendar, in the order of time: not every event is looked at for every shift.
#[derive(Default)]
struct Turns<'a> {
    all: Vec<(Timestamp, i64, &'a Person)>,
    next: usize,
    open: BTreeMap<&'a Person, i64>,
}

impl<'a> Turns<'a> {
    fn new(spans: Vec<(Timestamp, Timestamp, &'a Person)>) -> Self {
        let turns =
            spans.into_iter().flat_map(|(begin, end, person)| [(begin, 1, person), (end, -1, person)]);
        let mut all: Vec<_> = turns.collect();
        all.sort();
        Self { all, next: 0, open: BTreeMap::new() }
    }

    fn go_to(&mut self, now: Timestamp) {
        while let Some((_, change, person)) = self.all.get(self.next).filter(|(at, ..)| *at <= now) {
            *self.open.entry(person).or_default() += change;
            self.next += 1;
        }
    }

    fn people(&self) -> Vec<Person> {
        self.open.iter().filter(|(_, count)| **count > 0).map(|(person, _)| (*person).clone()).collect()
    }
}

impl Override {
    fn read(settings: &OverrideSettings, zone: &TimeZone) -> Result<Self, String> {
        let person = Person(settings.person.trim().to_owned());
        if person.0.is_empty() {
            return Err("the person has no name".to_owned());
        }
        let (from, until) = (moment(&settings.from, zone)?, moment(&settings.until, zone)?);
        if until <= from {
            return Err("until is not after from".to_owned());
        }
        Ok(Self { person, from, until })
    }
}

/// `2030-01-07T09:00` in the zone, or a moment with its offset.
fn moment(text: &str, zone: &TimeZone) -> Result<Instant, String> {
    let exact = text.parse::<Instant>().ok();
    let local = || zone.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    exact.or_else(local).ok_or_else(|| format!("{text:?} is not a moment"))
}

#[cfg(test)]
mod tests;
