//! Links each entry to all before it, and holds the end of the log to which the next one is appended.
//!
//! `link(n) = H(0x02, domain, n, link(n-1), leaf(n))`, and before the first entry `H(0x02, domain, origin)`. The link
//! stands beside the entry and not inside it, for three reasons: it can be recomputed from leaf hashes alone, so that
//! the chain still verifies after retention dropped bodies; an entry has the same bytes wherever it is hashed; and
//! starting from the origin, no piece of one log continues another.
//!
//! The Merkle tree says that something before size n was changed; the links say at which entry.

use serde::{Deserialize, Serialize};

use crate::MAX_SEQ;
use crate::checkpoint::Checkpoint;
use crate::entry::{Draft, Entry, EntryError};
use crate::hash::{self, Hash};
use crate::key::{KeyError, check_name};
use crate::merkle::Frontier;

const LINK: &[u8] = b"insightdesk/audit/link/v1\n";
const GENESIS: &[u8] = b"insightdesk/audit/genesis/v1\n";

/// What stands before the first entry of the log `origin`.
#[must_use]
pub fn genesis(origin: &str) -> Hash {
    hash::chained(GENESIS, origin.as_bytes())
}

/// Link of entry `seq` with this leaf hash, after the link `previous`.
#[must_use]
pub fn link(seq: u64, previous: &Hash, leaf: &Hash) -> Hash {
    let mut data = [0; 72];
    data[..8].copy_from_slice(&seq.to_be_bytes());
    data[8..40].copy_from_slice(&previous.0);
    data[40..].copy_from_slice(&leaf.0);
    hash::chained(LINK, &data)
}

/// End of a log: all that is needed to append to it and to sign it. A few hundred bytes, however long the log is.
///
/// The store keeps it and replaces it only if it still is the one that was read (compare and set on size and link):
/// so two servers never continue the same end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Name of the log.
    pub origin: String,
    /// Latest link; [`genesis`] while there is no entry.
    pub link: Hash,
    /// Tree over all leaf hashes.
    pub tree: Frontier,
    /// Time of the latest entry or checkpoint, Unix milliseconds: nothing is ever dated before it.
    pub time_ms: i64,
}

/// An entry as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The entry with its number and time.
    pub entry: Entry,
    /// Its canonical bytes, to be stored as they are.
    pub bytes: Vec<u8>,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its link.
    pub link: Hash,
}

impl Head {
    /// The end of a log that has no entry. Its name is also that of its keys: `ops.example.com/audit`.
    ///
    /// # Errors
    /// When the name cannot be one.
    pub fn new(origin: &str) -> Result<Self, KeyError> {
        check_name(origin)?;
        Ok(Self {
            origin: origin.to_owned(),
            link: genesis(origin),
            tree: Frontier::default(),
            time_ms: i64::MIN,
        })
    }

    /// Number of entries, and so the number of the next one.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Gives `draft` its number and time and moves on. `now_ms` is raised to the latest time of the log if a clock
    /// went back, so that times never decrease.
    ///
    /// # Errors
    /// When the entry is larger than its limits or not well formed; the head is unchanged then.
    pub fn append(&mut self, draft: Draft, now_ms: i64) -> Result<Appended, EntryError> {
        let seq = self.size();
        if seq > MAX_SEQ {
            return Err(EntryError::SequenceTooLarge);
        }
        let entry = draft.at(seq, now_ms.max(self.time_ms));
        let bytes = entry.encode()?;
        let leaf = hash::leaf(&bytes);
        let link = link(seq, &self.link, &leaf);
        self.tree.push(leaf);
        self.link = link;
        self.time_ms = entry.time_ms;
        Ok(Appended { entry, bytes, leaf, link })
    }

    /// What is to be signed now. Moves the time on, because no later entry may be dated before a checkpoint.
    pub fn checkpoint(&mut self, now_ms: i64) -> Checkpoint {
        self.time_ms = now_ms.max(self.time_ms);
        Checkpoint {
            origin: self.origin.clone(),
            size: self.size(),
            root: self.tree.root(),
            time_ms: self.time_ms,
            head: self.link,
        }
    }
}
