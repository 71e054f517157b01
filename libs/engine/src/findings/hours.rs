//! R5: a person at an hour of the week at which they do not work.
//!
//! Counted are hours in which a person did something, each once: one busy night does not make nights usual.

use ops_contract::{FindingSeverity, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::{Access, Who};
use super::counts::Counts;
use super::found::Found;
use super::world::World;

const HOUR: i64 = 3_600_000_000;
const WEEK: i64 = 7 * 24;
/// Hours that must have been seen before habits are judged by.
const ENOUGH: u64 = 50;
/// Less likely hours are unusual.
const UNLIKELY: f64 = 0.01;
/// An hour of the week that was used so often is a habit, also of somebody who works around the clock.
const HABIT: u64 = 3;
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// In which hours of the week a person does something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hours {
    latest: Option<i64>,
    used: Counts,
}

impl Hours {
    pub(super) fn judge(&mut self, access: &Access<'_>, world: &World<'_>) -> Option<Found> {
        if access.who != Who::Person || !access.reached_a_secret() {
            return None;
        }
        let (spec, hour, now) = (world.spec, hour_of_week(access.at), access.at.0.div_euclid(HOUR));
        let is_new = self.latest != Some(now);
        let before = self.used.of(u32::from(hour)).saturating_sub(u64::from(!is_new));
        let total = self.used.total().saturating_sub(u64::from(!is_new));
        if is_new {
            self.latest = Some(now);
            self.used.add(u32::from(hour), access.at, spec.memory);
        }
        let words = in_words(hour);
        // A declaration needs no learning.
        if let Some([from, to]) = spec.hours.filter(|it| !is_within(*it, hour % 24)) {
            let summary =
                format!("{} was at work on {words}, outside of {from}:00 to {to}:00 UTC", access.principal);
            let found = Found::declared("R5", "declared", FindingSeverity::Warning, summary);
            return Some(found.about_none());
        }
        let likely = (before + 1) as f64 / (total + WEEK.unsigned_abs()) as f64;
        (total >= ENOUGH && before < HABIT && likely < UNLIKELY).then(|| {
            let summary = format!(
                "{} was at work on {words}: {before} of {total} hours before were at that time of the week",
                access.principal
            );
            Found::by_habit("R5", FindingSeverity::Warning, summary).about_none()
        })
    }
}

/// 0 is Monday, midnight to one, UTC.
pub(super) fn hour_of_week(at: Timestamp) -> u8 {
    // 1 January 1970 was a Thursday.
    let hour = (at.0.div_euclid(HOUR) + 3 * 24).rem_euclid(WEEK);
    u8::try_from(hour).unwrap_or(0)
}

/// Whether the hour of the day is in `[from, to)`, over midnight when `from` is the later. Two equal ones are all day.
fn is_within([from, to]: [u8; 2], hour: u8) -> bool {
    if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to }
}

fn in_words(hour: u8) -> String {
    let day = DAYS.get(usize::from(hour / 24)).copied().unwrap_or("Monday");
    format!("{day} at {:02} h UTC", hour % 24)
}
