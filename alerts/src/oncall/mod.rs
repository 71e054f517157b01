//! Who is on call, and who is told when nobody answers.
//!
//! No I/O beyond the system's time zone files, no clock: calendars come as text, `now` is an argument.

mod calendar;
mod escalation;
mod file;
mod restriction;
mod rotation;
mod schedule;
mod settings;

use ops_contract::Timestamp;

pub use calendar::Calendar;
pub use escalation::{Due, Level, Policies, Policy};
pub use file::OnCall;
pub use schedule::Schedule;
pub use settings::{
    LayerSettings, LevelSettings, OverrideSettings, PolicySettings, RestrictionSettings, ScheduleSettings,
};

/// Somebody who can be told: a name that the settings or a calendar give.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person(pub String);

/// A time in which the same people are on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who; never nobody.
    pub people: Vec<Person>,
}

/// Microseconds since the epoch of a moment of jiff's.
fn timestamp(at: jiff::Timestamp) -> Timestamp {
    Timestamp(at.as_microsecond())
}

/// The moment; those that no calendar has are the first or last that one has.
fn instant(at: Timestamp) -> jiff::Timestamp {
    let end = if at.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(at.0).unwrap_or(end)
}
