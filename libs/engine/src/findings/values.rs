//! What keyed hashes of values and numbers of versions show, without a value being seen: whether a rotation changed the
//! value, whether one value lies at two places, and who read which version last.
//!
//! A store's device writes the same keyed hash for the same value, within that device and nowhere else.

use std::collections::BTreeMap;

use ops_contract::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::{Access, Verb};
use super::limits::{READERS_EACH, SECRETS};
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
    /// Keyed hash of the value, with the device before it: what is equal is the same value.
    pub hmac: Option<String>,
    /// Which version that is the hash of; `None`: of one whose number was not told yet.
    pub hmac_version: Option<u64>,
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
        let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (secret, value) in &self.0 {
            if let Some(hmac) = &value.hmac {
                places.entry(hmac).or_default().push(secret);
            }
        }
        places.into_values().filter(|it| it.len() > 1).collect()
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
        let hmac =
            access.detail("value_hmac").map(|it| format!("{}|{it}", access.device.unwrap_or_default()));
        let is_newer = version > self.version;
        if is_newer {
            (self.version, self.version_since, self.version_seq) = (version, access.at, access.seq);
        }
        let Some(hmac) = hmac else {
            // Of a newer version without its hash it is unknown whether it is another value.
            if is_newer && self.hmac_version.is_some() {
                (self.hmac, self.is_same) = (None, false);
            } else if is_newer {
                self.hmac_version = version;
            }
            return;
        };
        // A write may not tell its version; the first read after it does.
        let is_another = access.verb == Verb::Write || is_newer && self.hmac_version.is_some();
        let before = self.hmac.replace(hmac);
        self.hmac_version = version;
        let Some(before) = before.filter(|it| device(it) == self.hmac.as_deref().and_then(device)) else {
            return;
        };
        if self.hmac.as_deref() != Some(before.as_str()) {
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
        self.readers.insert(access.principal.to_owned(), read);
    }
}

fn device(hmac: &str) -> Option<&str> {
    hmac.split_once('|').map(|(device, _)| device)
}
