//! The log as a file of JSON lines: a header, the entries in order, and an end line.
//!
//! A checkpoint or anchor of size n stands directly after entry n-1 (those of one size in the order of their times), so
//! that a reader needs to remember nothing. Entries are written out to be read and searched; the reader makes the
//! canonical bytes again from what it read, so what people see is what is hashed. A stored body that is not canonical
//! is written as bytes, for the verifier to name.

mod line;
mod split;

use serde::{Deserialize, Serialize};

pub use line::{LineError, parse};
pub use split::{MAX_LINE, Split, Splitter};

use crate::anchor::Anchor;
use crate::entry::Entry;
use crate::hash::Hash;
use crate::key::PublicKey;

/// Name and version of the format, as the header has it.
pub const FORMAT: &str = "insightdesk-audit-export/1";
/// Keys in a header at most.
pub const MAX_KEYS: usize = 256;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The first one.
    Header(Header),
    /// An entry.
    Row(Row),
    /// A signed checkpoint.
    Checkpoint(String),
    /// An anchor that was laid down.
    Anchor(Anchor),
    /// The last one.
    End(End),
}

/// What the file says of itself. Nothing in it is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// Name of the log.
    pub origin: String,
    /// Keys that signed it.
    pub keys: Vec<PublicKey>,
    /// When the file was made, Unix milliseconds.
    pub exported_ms: i64,
}

/// Tells a file that came whole from one that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Entries in the file.
    pub entries: u64,
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub seq: u64,
    /// The leaf hash that is stored.
    pub leaf: Hash,
    /// The link that is stored.
    pub link: Hash,
    /// What it says.
    pub body: Body,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The entry.
    Entry(Box<Entry>),
    /// Bytes that are no canonical entry.
    Bytes(Vec<u8>),
    /// Nothing any more: retention dropped it.
    Dropped,
}

impl Row {
    /// A row of the store; `bytes` are those that were stored, if they still are.
    #[must_use]
    pub fn stored(seq: u64, leaf: Hash, link: Hash, bytes: Option<&[u8]>) -> Self {
        Self { seq, leaf, link, body: bytes.map_or(Body::Dropped, Body::stored) }
    }
}

impl Body {
    fn stored(bytes: &[u8]) -> Self {
        Entry::decode(bytes)
            .map_or_else(|_| Self::Bytes(bytes.to_vec()), |entry| Self::Entry(Box::new(entry)))
    }
}

impl Header {
    /// A header of this version.
    #[must_use]
    pub fn new(origin: &str, keys: Vec<PublicKey>, exported_ms: i64) -> Self {
        Self { format: FORMAT.to_owned(), origin: origin.to_owned(), keys, exported_ms }
    }
}
