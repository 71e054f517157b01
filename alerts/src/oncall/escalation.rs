//! Escalation: who else is told when nobody answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ops_contract::Timestamp;

use super::{LevelSettings, PolicySettings};
use crate::rules::{Fault, parse_duration};

/// Most policies.
const MOST: usize = 1_000;
/// Most levels of a policy, with those of others that it names.
const MOST_LEVELS: usize = 100;
/// How often a policy may repeat.
const MOST_REPEATS: u32 = 100;
/// Pause before a policy repeats, when none is said.
const PAUSE: Duration = Duration::from_mins(5);

/// Who is told when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// How long after the incident was opened.
    pub after: Duration,
    /// Receivers that are told.
    pub receivers: Vec<String>,
    /// Schedules whose people are told.
    pub schedules: Vec<String>,
}

/// A policy, with the levels of others that it names put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its levels, by time; never none.
    pub levels: Vec<Level>,
    /// How often all of it begins anew.
    pub repeat: u32,
    /// From one beginning to the next.
    pub period: Duration,
}

/// How far an escalation has come: later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// How often it began anew; 0: this is the first time.
    pub round: u32,
    /// The level, from 0.
    pub level: usize,
}

/// All policies, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    all: BTreeMap<String, Policy>,
}

impl Policy {
    /// The last level that is due at `now`; `None` before the first, and once somebody has acknowledged.
    #[must_use]
    pub fn due(&self, opened_at: Timestamp, acked: bool, now: Timestamp) -> Option<Due> {
        if acked || now < opened_at {
            return None;
        }
        let passed = now.since(opened_at);
        let rounds = passed.as_micros().checked_div(self.period.as_micros()).unwrap_or(0);
        let round = u32::try_from(rounds).unwrap_or(u32::MAX).min(self.repeat);
        let inside = passed.saturating_sub(self.period.saturating_mul(round));
        match self.levels.iter().rposition(|level| level.after <= inside) {
            Some(level) => Some(Due { round, level }),
            // A round has begun and its first level is not due: the last one of the round before is.
            None => Some(Due { round: round.checked_sub(1)?, level: self.levels.len().checked_sub(1)? }),
        }
    }

    /// When the next level after `now` is due, unless somebody acknowledges.
    #[must_use]
    pub fn next_at(&self, opened_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let passed = now.since(opened_at);
        let rounds = passed.as_micros().checked_div(self.period.as_micros()).unwrap_or(0);
        let round = u32::try_from(rounds).unwrap_or(u32::MAX).min(self.repeat);
        let times = (round..=round.saturating_add(1).min(self.repeat))
            .flat_map(|round| self.levels.iter().map(move |level| (round, level.after)))
            .map(|(round, after)| opened_at + self.period.saturating_mul(round) + after);
        times.filter(|at| *at > now).min()
    }
}

impl Policies {
    /// Reads the policies of the settings in `file`.
    ///
    /// # Errors
    /// All that is wrong with them: names of receivers, schedules or policies that are not there, policies that name each other in
    /// a circle, levels that tell nobody or are not in order.
    pub fn read(
        file: &str,
        settings: &BTreeMap<String, PolicySettings>,
        receivers: &BTreeSet<&str>,
        schedules: &BTreeSet<&str>,
    ) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { file, settings, receivers, schedules, faults: Vec::new() };
        if settings.len() > MOST {
            reader.fault("escalations", format!("there are more than {MOST} policies"), "remove some");
            return Err(reader.faults);
        }
        let mut all = BTreeMap::new();
        for (name, policy) in settings {
            all.extend(reader.policy(name, policy).map(|policy| (name.clone(), policy)));
        }
        if reader.faults.is_empty() { Ok(Self { all }) } else { Err(reader.faults) }
    }

    /// A policy.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Policy> {
        self.all.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Policy)> {
        self.all.iter().map(|(name, policy)| (name.as_str(), policy))
    }
}

struct Reader<'a> {
    file: &'a str,
    settings: &'a BTreeMap<String, PolicySettings>,
    receivers: &'a BTreeSet<&'a str>,
    schedules: &'a BTreeSet<&'a str>,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    fn fault(&mut self, place: &str, problem: impl Into<String>, fix: &str) {
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line: None,
            place: place.to_owned(),
            problem: problem.into(),
            fix: fix.to_owned(),
        });
    }

    fn duration(&mut self, text: &str, default: Duration, place: &str) -> Duration {
        if text.is_empty() {
            return default;
        }
        let ms = parse_duration(text).and_then(|ms| u64::try_from(ms).ok());
        ms.map(Duration::from_millis).unwrap_or_else(|| {
            self.fault(place, format!("{text:?} is not a duration"), "write it like 90s, 5m or 1h30m");
            default
        })
    }

    fn policy(&mut self, name: &str, settings: &'a PolicySettings) -> Option<Policy> {
        let place = format!("escalations.{name}");
        for (at, level) in settings.levels.iter().enumerate() {
            self.check(level, &format!("{place}.levels[{at}]"));
        }
        if settings.repeat > MOST_REPEATS {
            self.fault(&place, format!("repeat is more than {MOST_REPEATS}"), "");
        }
        let pause = self.duration(&settings.repeat_after, PAUSE, &format!("{place}.repeat_after"));
        if settings.repeat > 0 && pause.is_zero() {
            self.fault(&place, "repeat_after is zero", "write at least 1m");
        }
        let mut flat = Flat::default();
        if let Err(problem) = self.flatten(name, Duration::ZERO, &mut flat) {
            self.fault(&place, problem, "");
            return None;
        }
        let levels = flat.levels;
        let Some(last) = levels.last().map(|level: &Level| level.after) else {
            self.fault(&place, "there are no levels", "write at least one with receivers or schedules");
            return None;
        };
        if !levels.is_sorted_by(|a, b| a.after < b.after) {
            self.fault(
                &place,
                "the levels are not in the order of their times",
                "let each come after the one before it",
            );
        }
        Some(Policy { levels, repeat: settings.repeat, period: last.saturating_add(pause) })
    }

    fn check(&mut self, level: &'a LevelSettings, place: &str) {
        self.duration(&level.after, Duration::ZERO, &format!("{place}.after"));
        let (receivers, schedules) = (self.receivers, self.schedules);
        for name in level.receivers.iter().filter(|name| !receivers.contains(name.as_str())) {
            self.fault(place, format!("there is no receiver {name:?}"), "name one of the Alertmanager file");
        }
        for name in level.schedules.iter().filter(|name| !schedules.contains(name.as_str())) {
            self.fault(place, format!("there is no schedule {name:?}"), "name one of the schedules");
        }
        let settings = self.settings;
        if let Some(name) = level.policy.as_ref().filter(|name| !settings.contains_key(*name)) {
            self.fault(place, format!("there is no policy {name:?}"), "name one of the escalations");
        }
        if level.receivers.is_empty() && level.schedules.is_empty() && level.policy.is_none() {
            self.fault(place, "the level tells nobody", "write receivers, schedules or policy");
        }
    }

    /// Puts the levels of a policy and of those it names one after the other.
    fn flatten(&self, name: &'a str, after: Duration, flat: &mut Flat<'a>) -> Result<(), String> {
        if flat.path.contains(&name) {
            return Err(format!(
                "the policies name each other in a circle: {} -> {name}",
                flat.path.join(" -> ")
            ));
        }
        // Names that are not there were told.
        let Some(policy) = self.settings.get(name) else { return Ok(()) };
        flat.path.push(name);
        for level in &policy.levels {
            flat.looked_at += 1;
            if flat.looked_at > MOST_LEVELS {
                return Err(format!("there are more than {MOST_LEVELS} levels"));
            }
            let own = parse_duration(&level.after).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
            let after = after.saturating_add(Duration::from_millis(own));
            if !level.receivers.is_empty() || !level.schedules.is_empty() {
                let (receivers, schedules) = (level.receivers.clone(), level.schedules.clone());
                flat.levels.push(Level { after, receivers, schedules });
            }
            if let Some(name) = &level.policy {
                self.flatten(name, after, flat)?;
            }
        }
        flat.path.pop();
        Ok(())
    }
}

/// A policy's levels as they are gathered.
#[derive(Default)]
struct Flat<'a> {
    /// Policies that are open, the outermost first.
    path: Vec<&'a str>,
    levels: Vec<Level>,
    /// Levels that were looked at, with those that only name a policy.
    looked_at: usize,
}

#[cfg(test)]
mod tests;
