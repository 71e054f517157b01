//! The file as it is written: JSON that says which secrets there are, how old and with which key, and nothing of their values.

use std::collections::BTreeMap;

use ops_contract::Timestamp;
use serde::{Deserialize, Serialize};

use super::seal::{self, Broken};
use crate::secrets::stores::master_key::{Header, Key};

/// The one format that is written and read.
pub(super) const FORMAT: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    /// Which format this is.
    pub(super) format: u32,
    /// What the master key is.
    pub(super) key: Header,
    /// How often the file was written: one that has a lower number than was seen before was put there by somebody.
    pub(super) generation: u64,
    /// All secrets, by name.
    pub(super) secrets: BTreeMap<String, Entry>,
    /// Over everything above.
    pub(super) seal: Sealed,
}

/// One secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) current: Record,
    /// What it was before; programs take both for a while.
    pub(super) previous: Option<Record>,
}

/// One version of a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) version: u64,
    pub(super) changed_at: Timestamp,
    /// The key of this value, encrypted with the master key.
    pub(super) key: Sealed,
    /// The value, encrypted with its key.
    pub(super) value: Sealed,
}

/// Nonce and ciphertext, base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Sealed(pub(super) String);

impl Contents {
    pub(super) fn new(key: Header) -> Self {
        Self { format: FORMAT, key, generation: 0, secrets: BTreeMap::new(), seal: Sealed::default() }
    }

    /// Counts the writing and seals it.
    pub(super) fn seal(&mut self, master: &Key) -> Result<(), serde_json::Error> {
        self.generation += 1;
        self.seal = seal::seal(master, &self.covered()?);
        Ok(())
    }

    pub(super) fn check(&self, master: &Key) -> Result<(), Broken> {
        seal::check(master, &self.covered().map_err(|_| Broken)?, &self.seal)
    }

    /// What the seal is over: these very bytes for these very contents, since maps are sorted.
    fn covered(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&(self.format, &self.key, self.generation, &self.secrets))
    }
}
