//! What keyed hashes of values and numbers of versions show, without a value being seen: whether a rotation changed the
//! value, whether one value lies at two places, and who read which version last.
//!
//! A store's device writes the same keyed hash for the same value, within that device and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use ops_contract::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::{Access, Verb};
use super::limits::{HASHES_EACH, READERS_EACH, SECRETS};
use super::recent::make_room;

/// What is known of the values of secrets, by name or path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(BTreeMap<String, Value>);

/// What is known of one secret's value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The newest version that was written or read.
    pub version: Option<u64>,
    /// When that version was seen first.
    pub version_since: Timestamp,
    /// The entry that shows it.
    pub version_seq: u64,
    /// The newest value's keyed hash, by the device that told it.
    pub hashes: BTreeMap<String, Hash>,
    /// When the value was last seen to differ from the one before; `None`: no change was seen.
    pub changed_at: Option<Timestamp>,
    /// The entry that shows it.
    pub changed_seq: Option<u64>,
    /// Whether the newest version has the value of the one before: a rotation that was none.
    pub is_same: bool,
    /// When it was read or changed last.
    pub seen_at: Timestamp,
    /// Who read it last when, by name, and which version.
    pub readers: BTreeMap<String, ReadOf>,
}

/// A value as a device shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hash {
    /// Its keyed hash.
    pub hmac: String,
    /// Which version that is of; `None`: of one whose number was not told yet.
    pub version: Option<u64>,
    /// When it was told.
    pub at: Timestamp,
}

/// A principal's last successful read of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOf {
    /// When.
    pub at: Timestamp,
    /// The entry.
    pub seq: u64,
    /// Which version, if it was told.
    pub version: Option<u64>,
}

impl Values {
    /// What is known of a secret's value.
    pub fn of(&self, secret: &str) -> Option<&Value> {
        self.0.get(secret)
    }

    /// Secrets that have one value, in groups of two and more.
    pub fn shared(&self) -> Vec<Vec<&str>> {
        let mut places: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (secret, value) in &self.0 {
            for (device, hash) in &value.hashes {
                places.entry((device, &hash.hmac)).or_default().push(secret);
            }
        }
        let shared: BTreeSet<Vec<&str>> = places.into_values().filter(|it| it.len() > 1).collect();
        shared.into_iter().collect()
    }

    /// Remembers what a successful access shows.
    pub(super) fn observe(&mut self, access: &Access<'_>) {
        if !access.reached_a_secret() {
            return;
        }
        if !self.0.contains_key(access.secret) {
            make_room(&mut self.0, SECRETS, |it| it.seen_at);
        }
        let value = self.0.entry(access.secret.to_owned()).or_default();
        value.seen_at = value.seen_at.max(access.at);
        value.learn(access);
        if access.verb == Verb::Read {
            value.read(access);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Value {
    fn learn(&mut self, access: &Access<'_>) {
        let version = access.version();
        if version.is_some() && version < self.version {
            return;
        }
        let is_newer = version > self.version;
        if is_newer {
            (self.version, self.version_since, self.version_seq) = (version, access.at, access.seq);
        }
        let Some(hmac) = access.detail("value_hmac") else {
            // Of a newer version without its hash it is unknown whether it is another value.
            self.is_same &= !is_newer;
            return;
        };
        let device = access.device.unwrap_or_default();
        let before = self.hashes.get(device).cloned();
        let is_write = access.verb == Verb::Write;
        // A write may not tell its version; the first read after it does.
        let told = if is_write { version } else { version.or(before.as_ref().and_then(|it| it.version)) };
        if before.is_none() {
            make_room(&mut self.hashes, HASHES_EACH, |it| it.at);
        }
        self.hashes.insert(device.to_owned(), Hash { hmac: hmac.to_owned(), version: told, at: access.at });
        let Some(before) = before else { return };
        let is_another = is_write || before.version.is_some() && version > before.version;
        if before.hmac != hmac {
            (self.changed_at, self.changed_seq, self.is_same) = (Some(access.at), Some(access.seq), false);
        } else if is_another {
            self.is_same = true;
        }
    }

    fn read(&mut self, access: &Access<'_>) {
        if !self.readers.contains_key(access.principal) {
            make_room(&mut self.readers, READERS_EACH, |it| it.at);
        }
        let read = ReadOf { at: access.at, seq: access.seq, version: access.version() };
        // A file that is brought later tells of earlier.
        if self.readers.get(access.principal).is_none_or(|it| it.at <= read.at) {
            self.readers.insert(access.principal.to_owned(), read);
        }
    }
}
