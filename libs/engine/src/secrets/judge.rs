use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{SecretConsumer, SecretSpec, SecretState, Timestamp};

use super::calendar::date;
use super::words::{list, span};

const DAY: Duration = Duration::from_secs(86_400);
/// A renewal that takes longer has stopped.
const STUCK_AFTER: Duration = Duration::from_secs(3_600);
const SOON: Duration = Duration::from_secs(14 * 86_400);
const VERY_SOON: Duration = Duration::from_secs(3 * 86_400);
/// Clocks of stores go ahead of ours by no more.
const CLOCKS: Duration = Duration::from_secs(300);

/// What is known of a secret beside its declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretFacts {
    /// When its value was last replaced by another.
    pub rotated_at: Option<Timestamp>,
    /// What shows that, in words; without it `rotated_at` counts for nothing.
    pub evidence: Option<String>,
    /// When a renewal began that has not ended.
    pub pending_since: Option<Timestamp>,
    /// Whether the newest renewal left the value as it was.
    pub same_value: bool,
    /// When each of those who use it read it last, by name.
    pub reads: BTreeMap<String, Timestamp>,
    /// Who left since the last renewal and could know the value.
    pub left: Vec<PersonLeft>,
}

/// Somebody who left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonLeft {
    /// Who.
    pub person: String,
    /// When.
    pub at: Timestamp,
}

/// How a secret stands, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretJudgement {
    /// How.
    pub state: SecretState,
    /// Why, in one sentence.
    pub reason: String,
    /// When it is to be renewed; in the past when it should have been.
    pub due_at: Option<Timestamp>,
    /// How near that is; `None` when it is more than 14 days away, or never.
    pub step: Option<DueStep>,
}

impl SecretJudgement {
    /// How long until it is to be renewed; zero when that is over, `None` when nothing asks for it.
    pub fn due_in(&self, now: Timestamp) -> Option<Duration> {
        self.due_at.map(|due| due.since(now))
    }
}

/// How near the time is at which a secret is to be renewed: each step is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueStep {
    /// Within 14 days.
    Within14Days,
    /// Within 3 days.
    Within3Days,
    /// It is over.
    Overdue,
}

/// Says how a secret stands. Of several things that are wrong the most urgent is told; the due date stands beside it.
pub fn judge_secret(spec: &SecretSpec, facts: &SecretFacts, now: Timestamp) -> SecretJudgement {
    let rotated_at = facts.rotated_at.filter(|it| facts.evidence.is_some() && *it <= now + CLOCKS);
    let left = spec.on_departure.then(|| facts.left.iter().min_by_key(|it| it.at)).flatten();
    let by_age = rotated_at.zip(spec.max_age).map(|(at, longest)| at + longest);
    let due_at = by_age.into_iter().chain(left.map(|it| it.at)).min();
    let step = due_at.and_then(|due| step(due, now));
    let (state, reason) = state(spec, facts, &Known { rotated_at, left, by_age }, now);
    SecretJudgement { state, reason, due_at, step }
}

/// Who uses the secret, and whether they have the value of before.
pub fn consumers(facts: &SecretFacts) -> Vec<SecretConsumer> {
    let consumer = |(name, read_at): (&String, &Timestamp)| SecretConsumer {
        name: name.clone(),
        read_at: Some(*read_at),
        is_stale: facts.rotated_at.is_some_and(|it| *read_at < it),
    };
    facts.reads.iter().map(consumer).collect()
}

struct Known<'a> {
    rotated_at: Option<Timestamp>,
    left: Option<&'a PersonLeft>,
    by_age: Option<Timestamp>,
}

fn step(due: Timestamp, now: Timestamp) -> Option<DueStep> {
    match due.since(now) {
        Duration::ZERO => Some(DueStep::Overdue),
        it if it <= VERY_SOON => Some(DueStep::Within3Days),
        it if it <= SOON => Some(DueStep::Within14Days),
        _ => None,
    }
}

fn state(spec: &SecretSpec, facts: &SecretFacts, known: &Known<'_>, now: Timestamp) -> (SecretState, String) {
    if let Some(since) = facts.pending_since.filter(|it| now.since(*it) > STUCK_AFTER) {
        return (
            SecretState::Stuck,
            format!("A renewal began {} ago and has not ended.", span(now.since(since))),
        );
    }
    if facts.same_value {
        return (SecretState::SameValue, "It was renewed to the value that it had.".to_owned());
    }
    if let Some(left) = known.left {
        let reason = format!("{} could know it and left on {}.", left.person, date(left.at));
        return (SecretState::Overdue, reason);
    }
    let Some(rotated_at) = known.rotated_at else {
        return (SecretState::Unknown, "Nothing shows when it was renewed last.".to_owned());
    };
    let by_age = known.by_age.and_then(|due| Some((due, step(due, now)?)));
    if let Some((due, DueStep::Overdue)) = by_age {
        return (SecretState::Overdue, format!("It should have been renewed by {}.", date(due)));
    }
    if now.since(rotated_at) > spec.grace {
        let stale = facts.reads.iter().filter(|(_, read)| **read < rotated_at);
        let stale: Vec<&str> = stale.map(|(name, _)| name.as_str()).collect();
        if !stale.is_empty() {
            let verb = if stale.len() == 1 { "has" } else { "have" };
            let (who, when) = (list(&stale), date(rotated_at));
            let reason = format!("{who} {verb} not read it since it was renewed on {when}.");
            return (SecretState::ConsumerStale, reason);
        }
    }
    match by_age {
        Some((due, _)) => (SecretState::DueSoon, due_in_words(due, now)),
        None => (SecretState::Ok, format!("It was renewed on {}.", date(rotated_at))),
    }
}

fn due_in_words(due: Timestamp, now: Timestamp) -> String {
    let left = due.since(now);
    // Part of a day is told as hours: "in 0 days" would be read as never.
    let left = if left > DAY { span(left + DAY / 2) } else { span(left) };
    format!("It is to be renewed within {left}, by {}.", date(due))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
