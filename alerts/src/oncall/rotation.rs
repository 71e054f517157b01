//! People who take turns.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::restriction::{Restriction, at_minute};
use super::{LayerSettings, Person};
use crate::routing::minute;
use crate::rules::parse_duration;

const DAY_MS: i64 = 86_400_000;
/// Shortest shift.
const SHORTEST_MS: i64 = 3_600_000;

/// A layer of a schedule.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    people: Vec<Person>,
    start: Date,
    /// Minute of the day.
    handover: u16,
    length: Length,
    pub(super) restrictions: Vec<Restriction>,
}

#[derive(Clone, Copy, Debug)]
enum Length {
    /// Shifts change at the same time of the day, over summer and winter.
    Days(i64),
    Exact(SignedDuration),
}

impl Rotation {
    /// What is written, or what is wrong with it.
    pub(super) fn read(settings: &LayerSettings) -> Result<Self, String> {
        if settings.people.iter().all(|name| name.trim().is_empty()) {
            return Err("there are no people".to_owned());
        }
        let start: Date =
            settings.start.parse().map_err(|_| format!("start: {:?} is not a day", settings.start))?;
        let handover = match settings.handover.as_str() {
            "" => Some(0),
            text => minute(text).filter(|minute| *minute < 1_440),
        };
        let handover =
            handover.ok_or_else(|| format!("handover: {:?} is not a time of the day", settings.handover))?;
        let text = if settings.rotation.is_empty() { "1w" } else { &settings.rotation };
        let ms = parse_duration(text).filter(|ms| (SHORTEST_MS..=366 * DAY_MS).contains(ms));
        let ms = ms.ok_or_else(|| format!("rotation: {text:?} is not a time from 1h to 366d"))?;
        let length = match ms % DAY_MS {
            0 => Length::Days(ms / DAY_MS),
            _ => Length::Exact(SignedDuration::from_millis(ms)),
        };
        let restrictions = settings.restrictions.iter().map(Restriction::read).collect::<Result<_, _>>()?;
        let people = settings.people.iter().map(|name| Person(name.trim().to_owned())).collect();
        Ok(Self { people, start, handover, length, restrictions })
    }

    /// Whose turn it is.
    pub(super) fn on_call(&self, at: Timestamp, zone: &TimeZone) -> Option<&Person> {
        let local = at.to_zoned(zone.clone());
        let is_open = self.restrictions.is_empty() || self.restrictions.iter().any(|it| it.contains(&local));
        let turn = self.turn(at, zone).filter(|_| is_open)?;
        self.people.get(usize::try_from(turn).ok()? % self.people.len())
    }

    /// The number of the shift, from 0; `None` before the first.
    fn turn(&self, at: Timestamp, zone: &TimeZone) -> Option<i64> {
        let first = self.begin(0, zone)?;
        if at < first {
            return None;
        }
        let turn = match self.length {
            Length::Exact(length) => {
                let passed = at.duration_since(first).as_millis() / length.as_millis();
                return i64::try_from(passed).ok();
            }
            Length::Days(days) => {
                let today = at.to_zoned(zone.clone()).date();
                i64::from(today.since((jiff::Unit::Day, self.start)).ok()?.get_days()) / days
            }
        };
        // Counted in days it is off by at most one: before the time of the day at which shifts change.
        let begins = |turn: i64| self.begin(turn, zone).is_some_and(|begin| begin <= at);
        Some(if begins(turn) { turn } else { turn - 1 })
    }

    /// When a shift begins.
    fn begin(&self, turn: i64, zone: &TimeZone) -> Option<Timestamp> {
        match self.length {
            Length::Days(days) => {
                let days = Span::new().try_days(days.checked_mul(turn)?).ok()?;
                at_minute(self.start.checked_add(days).ok()?, self.handover, zone)
            }
            Length::Exact(length) => {
                let passed = length.checked_mul(i32::try_from(turn).ok()?)?;
                at_minute(self.start, self.handover, zone)?.checked_add(passed).ok()
            }
        }
    }

    /// The moments between two at which shifts begin.
    pub(super) fn changes(&self, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
        let first = self.turn(from, zone).unwrap_or(-1);
        (first + 1..).map_while(|turn| self.begin(turn, zone)).take_while(|at| *at < until).collect()
    }
}
