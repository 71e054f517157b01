//! What was seen last when, and what happened in the last minutes, both with a limit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ops_contract::Timestamp;
use serde::{Deserialize, Serialize};

/// Names, each with the time at which it was seen last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Recent(BTreeMap<String, Timestamp>);

impl Recent {
    /// Marks the name as seen, and tells when it was seen before. Beyond `most` names the longest unseen is forgotten.
    pub(super) fn touch(&mut self, name: &str, at: Timestamp, most: usize) -> Option<Timestamp> {
        if let Some(seen) = self.0.get_mut(name) {
            return Some(std::mem::replace(seen, at.max(*seen)));
        }
        make_room(&mut self.0, most, |seen| *seen);
        self.0.insert(name.to_owned(), at);
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Forgets what has the least `rank` until another fits.
pub(super) fn make_room<T, R: Ord>(kept: &mut BTreeMap<String, T>, most: usize, rank: impl Fn(&T) -> R) {
    while kept.len() >= most.max(1) {
        let first = kept.iter().min_by_key(|(_, it)| rank(it)).map(|(name, _)| name.clone());
        let Some(name) = first else { return };
        kept.remove(&name);
    }
}

/// Time between two moments, whichever is the earlier: clocks are set back too.
pub(super) fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

/// What happened within a span before the newest of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Window(VecDeque<Event>);

/// One of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) seq: u64,
    /// To what.
    pub(super) secret: String,
}

impl Window {
    /// Drops what is not within `span` of `at`, on either side.
    pub(super) fn slide(&mut self, at: Timestamp, span: Duration) {
        self.0.retain(|it| apart(at, it.at) < span);
    }

    /// Adds one; beyond `most` the oldest goes.
    pub(super) fn push(&mut self, event: Event, most: usize) {
        while self.0.len() >= most.max(1) {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    /// Forgets events of the same secret that came before.
    pub(super) fn forget(&mut self, secret: &str) {
        self.0.retain(|it| it.secret != secret);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many different secrets.
    pub(super) fn secrets(&self) -> usize {
        self.0.iter().map(|it| it.secret.as_str()).filter(|it| !it.is_empty()).collect::<BTreeSet<_>>().len()
    }

    pub(super) fn seqs(&self) -> Vec<u64> {
        self.0.iter().map(|it| it.seq).collect()
    }

    /// When the newest of it happened.
    pub(super) fn last(&self) -> Timestamp {
        self.0.back().map_or(Timestamp(i64::MIN), |it| it.at)
    }
}

/// The newest names that were seen, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Newest {
    order: VecDeque<String>,
    known: BTreeSet<String>,
}

impl Newest {
    /// Remembers the name, and tells whether it is new. Beyond `most` the oldest is forgotten.
    pub(super) fn insert(&mut self, name: &str, most: usize) -> bool {
        if !self.known.insert(name.to_owned()) {
            return false;
        }
        self.order.push_back(name.to_owned());
        while self.order.len() > most {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        true
    }
}
