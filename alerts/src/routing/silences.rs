//! Silences: what state one is in, what it mutes, and which ones nobody should be allowed to make.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{Silence, Timestamp};
use thiserror::Error;

use super::{LivingAlert, MatcherError, Matchers};

/// Longest silence.
const LONGEST: Duration = Duration::from_hours(366 * 24);
/// Most matchers of one.
const MOST_MATCHERS: usize = 1_000;
/// Most bytes of all its texts.
const LARGEST: usize = 1 << 20;

/// How a silence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SilenceState {
    /// It has not begun.
    Pending,
    /// It mutes.
    Active,
    /// It is over.
    Expired,
}

/// Why a silence is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SilenceError {
    /// It would mute everything.
    #[error("the silence has no matchers; name at least one label")]
    NoMatchers,
    /// It would mute everything that lacks a label or two.
    #[error(
        "the matchers {0} match alerts that have none of these labels; one must not match the empty text"
    )]
    MatchesEverything(String),
    /// A matcher is none.
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    /// It would never be active.
    #[error("the silence ends before it begins; endsAt must be after startsAt")]
    EndsBeforeStart,
    /// It is over.
    #[error("the silence ends in the past; endsAt must be after now")]
    EndsInThePast,
    /// It would be forgotten.
    #[error("the silence lasts {0} days; at most 366 are possible, make a new one then")]
    TooLong(u64),
    /// It is too large.
    #[error("the silence has {0} matchers; at most 1000 are possible")]
    TooManyMatchers(usize),
    /// It is too large.
    #[error("the silence has {0} bytes of text; at most 1048576 are possible")]
    TooLarge(usize),
}

/// How a silence stands at `now`.
#[must_use]
pub fn silence_state(silence: &Silence, now: Timestamp) -> SilenceState {
    // One that is expired by hand ends at that moment, and must not mute what is decided in the same instant.
    if now >= silence.ends_at {
        SilenceState::Expired
    } else if now < silence.starts_at {
        SilenceState::Pending
    } else {
        SilenceState::Active
    }
}

/// Whether a silence may be made or changed at `now`.
///
/// # Errors
/// The first reason why not.
pub fn check_silence(silence: &Silence, now: Timestamp) -> Result<(), SilenceError> {
    let bytes = size(silence);
    if bytes > LARGEST {
        return Err(SilenceError::TooLarge(bytes));
    }
    if silence.matchers.is_empty() {
        return Err(SilenceError::NoMatchers);
    }
    if silence.matchers.len() > MOST_MATCHERS {
        return Err(SilenceError::TooManyMatchers(silence.matchers.len()));
    }
    let matchers = Matchers::compile(silence.matchers.clone())?;
    if matchers.matches_everything() {
        return Err(SilenceError::MatchesEverything(matchers.to_string().chars().take(200).collect()));
    }
    if silence.ends_at <= silence.starts_at {
        return Err(SilenceError::EndsBeforeStart);
    }
    if silence.ends_at <= now {
        return Err(SilenceError::EndsInThePast);
    }
    let length = silence.ends_at.since(silence.starts_at);
    if length > LONGEST {
        return Err(SilenceError::TooLong(length.as_secs() / 86_400));
    }
    Ok(())
}

fn size(silence: &Silence) -> usize {
    let matchers = silence.matchers.iter().map(|matcher| matcher.name.len() + matcher.value.len());
    let annotations = silence.annotations.iter().map(|(name, value)| name.len() + value.len());
    let texts = silence.id.len() + silence.created_by.len() + silence.comment.len();
    texts + matchers.sum::<usize>() + annotations.sum::<usize>()
}

/// How many of the living, firing alerts a silence mutes while it is active.
///
/// # Errors
/// A matcher that is none.
pub fn would_mute(silence: &Silence, alerts: &[LivingAlert<'_>]) -> Result<usize, MatcherError> {
    let matchers = Matchers::compile(silence.matchers.clone())?;
    Ok(alerts.iter().filter(|alert| alert.firing && matchers.matches(alert.labels)).count())
}

/// Silences with their matchers compiled.
#[derive(Clone, Debug, Default)]
pub struct Silences {
    all: BTreeMap<String, (Silence, Matchers)>,
}

impl Silences {
    /// Compiles them. What cannot be compiled is left out and returned with its id: it was checked when it was made.
    #[must_use]
    pub fn new(silences: impl IntoIterator<Item = Silence>) -> (Self, Vec<(String, MatcherError)>) {
        let mut this = Self::default();
        let mut wrong = Vec::new();
        for silence in silences {
            let id = silence.id.clone();
            wrong.extend(this.put(silence).err().map(|error| (id, error)));
        }
        (this, wrong)
    }

    /// Takes up a silence, in place of the one with its id.
    ///
    /// # Errors
    /// A matcher that is none; then nothing is changed.
    pub fn put(&mut self, silence: Silence) -> Result<(), MatcherError> {
        let matchers = Matchers::compile(silence.matchers.clone())?;
        self.all.insert(silence.id.clone(), (silence, matchers));
        Ok(())
    }

    /// Forgets a silence.
    pub fn remove(&mut self, id: &str) -> Option<Silence> {
        self.all.remove(id).map(|(silence, _)| silence)
    }

    /// A silence.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Silence> {
        self.all.get(id).map(|(silence, _)| silence)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Silence> {
        self.all.values().map(|(silence, _)| silence)
    }

    /// Ids of the silences that mute an alert with these labels at `now`, in order.
    #[must_use]
    pub fn muting(&self, labels: &BTreeMap<String, String>, now: Timestamp) -> Vec<&str> {
        let active =
            self.all.values().filter(|(silence, _)| silence_state(silence, now) == SilenceState::Active);
        // Stored ones may be older than the guard: without matchers they mute nothing.
        active
            .filter(|(_, matchers)| !matchers.is_empty() && matchers.matches(labels))
            .map(|(silence, _)| silence.id.as_str())
            .collect()
    }

    /// The next moment after `now` at which a silence begins or ends.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.iter().flat_map(|it| [it.starts_at, it.ends_at]).filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests;
