//! A small world for the rules' tests, and a log that is written entry by entry.

use std::collections::{BTreeMap, BTreeSet};

use ops_contract::{
    AuditActorKind, AuditEntry, AuditOutcome, Finding, FindingsSpec, SecretSource, SecretSpec, Timestamp,
};

use super::{Deploy, Habits, World, observe, tick};

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;
/// Monday, 4 May 2026, 9 h UTC.
pub(crate) const MONDAY: i64 = 1_777_885_200;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000_000)
}

/// What was declared, and the log so far.
pub(crate) struct Scene {
    pub(crate) secrets: BTreeMap<String, SecretSpec>,
    pub(crate) consumers: BTreeMap<String, BTreeSet<String>>,
    pub(crate) departed: BTreeMap<String, Timestamp>,
    pub(crate) deploys: Option<Vec<Deploy>>,
    pub(crate) spec: FindingsSpec,
    pub(crate) habits: Habits,
    seq: u64,
}

impl Scene {
    /// Secrets `s0` to `s399` and `root-key` of tier 0; `api`, `alice` and `bob` may have each.
    pub(crate) fn new() -> Self {
        let mut secrets: BTreeMap<String, SecretSpec> =
            (0..400).map(|number| (format!("s{number}"), secret())).collect();
        secrets.insert("root-key".to_owned(), SecretSpec { tier: 0, ..secret() });
        Self {
            secrets,
            consumers: BTreeMap::new(),
            departed: BTreeMap::new(),
            deploys: None,
            spec: FindingsSpec::default(),
            habits: Habits::default(),
            seq: 0,
        }
    }

    /// Observes an entry as the next of the log.
    pub(crate) fn observe(&mut self, entry: AuditEntry) -> Vec<Finding> {
        let entry = AuditEntry { seq: self.seq, ..entry };
        self.seq += 1;
        let mut habits = std::mem::take(&mut self.habits);
        let findings = observe(&mut habits, &entry, &self.world());
        self.habits = habits;
        findings
    }

    /// What a rule found of an entry.
    pub(crate) fn by(&mut self, rule: &str, entry: AuditEntry) -> Vec<Finding> {
        let found = self.observe(entry);
        found.into_iter().filter(|it| it.rule == rule).collect()
    }

    pub(crate) fn tick(&mut self, now: i64) -> Vec<Finding> {
        let mut habits = std::mem::take(&mut self.habits);
        let findings = tick(&mut habits, at(now), &self.world());
        self.habits = habits;
        findings
    }

    pub(crate) fn world(&self) -> World<'_> {
        World {
            secrets: &self.secrets,
            consumers: &self.consumers,
            departed: &self.departed,
            deploys: self.deploys.as_deref(),
            spec: &self.spec,
        }
    }
}

fn secret() -> SecretSpec {
    let source = SecretSource::Env { variable: "S".to_owned() };
    SecretSpec { readers: vec!["alice".into(), "bob".into(), "api".into()], ..SecretSpec::new(source) }
}

/// A successful read by a person, from the office.
pub(crate) fn read(who: &str, secret: &str, seconds: i64) -> AuditEntry {
    AuditEntry {
        seq: 0,
        at: at(seconds),
        actor_kind: AuditActorKind::Person,
        actor: who.to_owned(),
        address: Some("10.1.2.3".to_owned()),
        action: "secret.read".to_owned(),
        subject: secret.to_owned(),
        purpose: None,
        outcome: AuditOutcome::Allowed,
        device: None,
        details: BTreeMap::new(),
    }
}

/// The same, refused.
pub(crate) fn refused(who: &str, secret: &str, seconds: i64) -> AuditEntry {
    AuditEntry { outcome: AuditOutcome::Denied, ..read(who, secret, seconds) }
}

/// The response line of a device.
pub(crate) fn device(
    action: &str,
    who: &str,
    subject: &str,
    seconds: i64,
    details: &[(&str, &str)],
) -> AuditEntry {
    let details = details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    AuditEntry {
        actor_kind: AuditActorKind::External,
        action: action.to_owned(),
        device: Some("bao".to_owned()),
        details,
        ..read(who, subject, seconds)
    }
}

/// From another address.
pub(crate) fn from(address: &str, entry: AuditEntry) -> AuditEntry {
    AuditEntry { address: Some(address.to_owned()), ..entry }
}

/// By a service.
pub(crate) fn service(entry: AuditEntry) -> AuditEntry {
    AuditEntry { actor_kind: AuditActorKind::Service, ..entry }
}
