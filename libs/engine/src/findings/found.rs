//! How a rule's result becomes a finding: its key, its severity while habits are learnt, its evidence.

use std::collections::BTreeSet;

use ops_contract::{Finding, FindingSeverity, Timestamp};

use super::access::Access;
use super::limits::EVIDENCE;

const HOUR: i64 = 3_600_000_000;

/// What a rule found of an access.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// `R1` to `R11`.
    pub(super) rule: &'static str,
    /// Which of the rule's judgements: it parts keys, so that the worse is not lost behind the lesser.
    pub(super) judgement: &'static str,
    pub(super) severity: FindingSeverity,
    /// Whether it rests on habits, and is only shown while these are learnt.
    pub(super) by_habit: bool,
    /// Whether it is about the secret of the access, or about none in particular.
    pub(super) about_secret: bool,
    pub(super) summary: String,
    /// Entries beside the access itself.
    pub(super) evidence: Vec<u64>,
}

impl Found {
    /// What rests on a declaration.
    pub(super) fn declared(
        rule: &'static str,
        judgement: &'static str,
        severity: FindingSeverity,
        summary: String,
    ) -> Self {
        let by_habit = false;
        Self { rule, judgement, severity, by_habit, about_secret: true, summary, evidence: Vec::new() }
    }

    /// What rests on a principal's habits.
    pub(super) fn by_habit(rule: &'static str, severity: FindingSeverity, summary: String) -> Self {
        Self { by_habit: true, ..Self::declared(rule, "", severity, summary) }
    }

    /// About no secret in particular.
    pub(super) fn about_none(self) -> Self {
        Self { about_secret: false, ..self }
    }

    /// With further entries as evidence.
    pub(super) fn shown_by(self, evidence: Vec<u64>) -> Self {
        Self { evidence, ..self }
    }

    /// The finding. `is_known` says whether the secret is in the inventory; others are taken together by folder.
    pub(super) fn of(mut self, access: &Access<'_>, is_known: bool, is_learning: bool) -> Finding {
        let learning = self.by_habit && is_learning;
        let secret = if self.about_secret { access.secret } else { "" };
        let folder = secret.rsplit_once('/').map_or(secret, |(folder, _)| folder);
        let group = if is_known { secret } else { folder };
        self.evidence.push(access.seq);
        Finding {
            rule: self.rule.to_owned(),
            key: key(self.rule, self.judgement, access.principal, group, access.at),
            severity: if learning { FindingSeverity::Info } else { self.severity },
            principal: access.principal.to_owned(),
            secret: secret.to_owned(),
            at: access.at,
            summary: self.summary,
            evidence: newest(self.evidence),
            learning,
        }
    }
}

/// One finding for each rule, judgement, principal, group of secrets and hour.
pub(super) fn key(rule: &str, judgement: &str, principal: &str, group: &str, at: Timestamp) -> String {
    let rule = if judgement.is_empty() { rule.to_owned() } else { format!("{rule}.{judgement}") };
    format!("{rule}|{principal}|{group}|{}", at.0.div_euclid(HOUR))
}

/// The newest entries as evidence, in order, each once.
pub(super) fn newest(evidence: Vec<u64>) -> Vec<u64> {
    let ordered: BTreeSet<u64> = evidence.into_iter().collect();
    let skip = ordered.len().saturating_sub(EVIDENCE);
    ordered.into_iter().skip(skip).collect()
}

/// Takes what was found again into what is known by the same key: the worse severity with its words, the earlier time,
/// and as evidence the first entries, to which later ones are added until there are 20.
pub fn merge(known: &mut Finding, again: &Finding) {
    if again.severity > known.severity {
        known.severity = again.severity;
        known.summary.clone_from(&again.summary);
    }
    known.at = known.at.min(again.at);
    known.learning &= again.learning;
    let ordered: BTreeSet<u64> = known.evidence.iter().chain(&again.evidence).copied().collect();
    known.evidence = ordered.into_iter().take(EVIDENCE).collect();
}
