//! Schedules and escalation policies as people write them.

use serde::Deserialize;

/// A schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Where its times are meant, like `Europe/Berlin`; empty: UTC.
    pub time_zone: String,
    /// Rotations; of several that have somebody the last one counts.
    pub layers: Vec<LayerSettings>,
    /// Who takes over for a while; of several at once the last one counts.
    pub overrides: Vec<OverrideSettings>,
    /// An iCalendar file, or the address of one: who is on call when no layer has somebody. Each event's summary is a person.
    pub calendar: String,
}

/// A rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerSettings {
    /// Who takes turns, in order.
    pub people: Vec<String>,
    /// The day of the first shift: `2030-01-07`.
    pub start: String,
    /// How long a shift is: `1w`, `1d`, `12h`; empty: a week.
    pub rotation: String,
    /// Time of the day at which shifts change: `09:00`; empty: midnight.
    pub handover: String,
    /// When the layer has somebody; empty: always.
    pub restrictions: Vec<RestrictionSettings>,
}

/// A part of each day or week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestrictionSettings {
    /// Days on which it begins, like `monday:friday`; empty: every day.
    pub weekdays: Vec<String>,
    /// When it begins: `22:00`; empty: midnight.
    pub from: String,
    /// When it ends: `06:00`, on the next day when that is not after `from`; empty: the next midnight.
    pub until: String,
}

/// Somebody who takes over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OverrideSettings {
    /// Who.
    pub person: String,
    /// From when on: `2030-01-07T09:00` in the schedule's time zone, or with `Z`.
    pub from: String,
    /// Until when.
    pub until: String,
}

/// An escalation policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// Its levels in order.
    pub levels: Vec<LevelSettings>,
    /// How often all of it begins anew when nobody has answered.
    pub repeat: u32,
    /// How long after the last level; empty: `5m`.
    pub repeat_after: String,
}

/// A level of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LevelSettings {
    /// How long after the incident was opened: `10m`; empty: at once.
    pub after: String,
    /// Receivers that are told.
    pub receivers: Vec<String>,
    /// Schedules whose people are told.
    pub schedules: Vec<String>,
    /// Another policy whose levels follow, counted from here on.
    pub policy: Option<String>,
}
