//! One line of the record: who did what to what, why, and how it ended.
//!
//! The typed entry and its JSON are for people and programs; what is hashed are its canonical bytes, see
//! [`Entry::encode`]. There is one byte string for each entry and one entry for each byte string that decodes.

mod check;
mod decode;
mod encode;
mod field;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use check::deceives;
pub use check::{
    EntryError, MAX_ACTION, MAX_BYTES, MAX_DETAIL, MAX_DETAIL_NAME, MAX_DETAILS, MAX_NAME, MAX_TEXT,
};
pub use decode::DecodeError;

/// Names of actions that mean something to the log itself.
pub mod action {
    /// The control plane came up: the time before, in which nothing was sealed, is explained.
    pub const START: &str = "audit.start";
    /// Another key signs from now on; see [`crate::statement`].
    pub const HANDOVER: &str = "audit.handover";
    /// Bodies of old entries may be dropped; see [`crate::statement`].
    pub const RETENTION: &str = "audit.retention";
    /// Somebody read the log.
    pub const READ: &str = "audit.read";
    /// Somebody took a copy of the log.
    pub const EXPORT: &str = "audit.export";
    /// A checkpoint was laid down outside.
    pub const ANCHOR: &str = "audit.anchor";
}

/// One entry. Every field is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Number, dense from 0: also its place in the tree.
    pub seq: u64,
    /// The server's time, Unix milliseconds; never before that of the entry before.
    pub time_ms: i64,
    /// Random bytes: without them a dropped body could be guessed from its leaf hash.
    #[serde(with = "crate::hash::base64_bytes")]
    pub salt: [u8; 16],
    /// Who.
    pub actor: Actor,
    /// Did what: a dotted name, such as `secret.read`, `scale.set`, `audit.read`.
    pub action: String,
    /// To what: a secret, a service, a rule.
    pub subject: String,
    /// Why, in the actor's words or as the program says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Where we know it from.
    pub source: Source,
    /// What else there is as evidence, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "field::details")]
    pub details: BTreeMap<String, String>,
}

/// An entry before it has a number and a time; see [`crate::chain::Head::append`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Sixteen random bytes.
    pub salt: [u8; 16],
    /// Who.
    pub actor: Actor,
    /// Did what.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why.
    pub purpose: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Where we know it from.
    pub source: Source,
    /// What else there is as evidence, by name.
    pub details: BTreeMap<String, String>,
}

impl Draft {
    /// The entry with this number and time.
    #[must_use]
    pub fn at(self, seq: u64, time_ms: i64) -> Entry {
        Entry {
            seq,
            time_ms,
            salt: self.salt,
            actor: self.actor,
            action: self.action,
            subject: self.subject,
            purpose: self.purpose,
            outcome: self.outcome,
            source: self.source,
            details: self.details,
        }
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// What sort of actor.
    pub kind: ActorKind,
    /// Its name.
    pub name: String,
    /// Through what it was authenticated: the id of a session or of a token, never the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Remote address, as the server saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What sort of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was permitted, and done.
    Allowed,
    /// It was refused.
    Denied,
    /// It was permitted, and did not work.
    Failed,
}

/// Where we know it from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// We saw it ourselves.
    Own,
    /// An audit device of another system told us.
    External {
        /// Name of the device.
        device: String,
        /// The id that the device gave it.
        event_id: String,
    },
}

#[cfg(test)]
mod tests;
