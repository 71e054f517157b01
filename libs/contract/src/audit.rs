use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditActorKind {
    /// A human being.
    Person,
    /// A program of the stack.
    Service,
    /// An agent of ours.
    Agent,
    /// The control plane itself.
    System,
    /// Somebody whom only another system knows.
    External,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was permitted, and done.
    Allowed,
    /// It was refused.
    Denied,
    /// It was permitted, and did not work.
    Failed,
}

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its number, dense from 0.
    pub seq: u64,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// What sort of actor.
    pub actor_kind: AuditActorKind,
    /// Who.
    pub actor: String,
    /// From where.
    pub address: Option<String>,
    /// Did what: `secret.read`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why.
    pub purpose: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Another system's device that told us; `None`: we saw it ourselves.
    pub device: Option<String>,
    /// What else there is as evidence.
    pub details: BTreeMap<String, String>,
}

/// How the log stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditState {
    /// The log's name.
    pub origin: String,
    /// How many entries it has.
    pub entries: u64,
    /// The key that signs now, `name+id+key`.
    pub key: String,
    /// Entries that are covered by a signature.
    pub sealed: u64,
    /// When the last one was made.
    pub sealed_at: Option<Timestamp>,
    /// Where the newest state of the log lies outside.
    pub anchors: Vec<AuditAnchor>,
    /// What the last verification of the whole log said; `None`: none was made since the server started.
    pub verified: Option<AuditVerified>,
    /// Why the log takes no entries now.
    pub fault: Option<String>,
}

/// A place outside the control plane that has a signed state of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditAnchor {
    /// Where: `s3://bucket/prefix`, `file:///mnt/other/anchors`.
    pub place: String,
    /// When a state was last laid down there.
    pub written_at: Option<Timestamp>,
    /// How many entries that covers.
    pub entries: u64,
    /// Why the last try did not succeed.
    pub error: Option<String>,
}

/// What a verification came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditVerified {
    /// When.
    pub at: Timestamp,
    /// Whether what is there is what was written: `intact`, `unproven` or `broken`.
    pub integrity: String,
    /// Whether all that was written is there: `complete`, `unknown` or `broken`.
    pub completeness: String,
    /// The newest seconds that nothing outside covers.
    pub not_covered_s: Option<u64>,
    /// The first fault, in words.
    pub fault: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    /// Worth a look; also all that is found while a principal's habits are still being learnt.
    Info,
    /// Somebody should look today.
    Warning,
    /// Somebody is woken.
    Critical,
}

/// An unusual or unauthorised access, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Finding {
    /// The rule: `R1` to `R11`.
    pub rule: String,
    /// What makes it one finding however often it is found: rule, principal, secret, hour.
    pub key: String,
    /// How bad it is.
    pub severity: FindingSeverity,
    /// Whose access it was.
    pub principal: String,
    /// To what; empty when it is about none in particular.
    pub secret: String,
    /// When it was found first, by the time of its entries.
    pub at: Timestamp,
    /// What was found, in one sentence with its figures.
    pub summary: String,
    /// Numbers of the entries that show it, at most 20.
    pub evidence: Vec<u64>,
    /// Whether the principal's habits are still being learnt: shown, not told.
    pub learning: bool,
}

/// What the page `/audit` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditView {
    /// When this was so.
    pub at: Timestamp,
    /// How the log stands.
    pub state: AuditState,
    /// The filter that was asked for, as it was written; empty for none.
    pub filter: AuditFilter,
    /// Entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// The number to go on below with; `None` at the end.
    pub next: Option<u64>,
    /// The latest findings, newest first.
    pub findings: Vec<Finding>,
}

/// What came of a file that was brought into the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditImported {
    /// Entries that are new.
    pub entries: u64,
    /// Entries that the log had before.
    pub known: u64,
    /// Events that do not belong into this log.
    pub others: u64,
}

/// Which entries are asked for. Empty parts ask for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AuditFilter {
    /// Who.
    pub actor: String,
    /// What: `secret.read`, or what it begins with, up to a dot: `secret`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// `allowed`, `denied` or `failed`.
    pub outcome: String,
}
