//! What is signed: how long the log is, its root, when that was and where its chain ends (C2SP tlog-checkpoint).
//!
//! Two extension lines follow the root: `time` (Unix milliseconds) and `head` (the latest link). The time makes a
//! stretch visible in which nothing was sealed; therefore the log is sealed also when nothing happens.

use crate::hash::Hash;
use crate::key::{PublicKey, SignError, Signer, check_name};
use crate::note::{Note, NoteError};
use crate::{MAX_SEQ, note};

/// State of a log at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// When, Unix milliseconds.
    pub time_ms: i64,
    /// Link of the last entry.
    pub head: Hash,
}

/// A text that is no checkpoint of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a note, or not signed by a known key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A line does not say what it must.
    #[error("the checkpoint's {0} is not as it must be")]
    BadLine(&'static str),
    /// It is of another log.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    WrongOrigin {
        /// Which log it is of.
        found: String,
        /// Which one it should be of.
        expected: String,
    },
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { origin, size, root, time_ms, head } = self;
        format!("{origin}\n{size}\n{root}\ntime {time_ms}\nhead {head}\n")
    }

    /// Reads that text; the form above and no other.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::BadLine("end"))?.split('\n');
        let mut next = |name| lines.next().ok_or(CheckpointError::BadLine(name));
        let checkpoint = Self {
            origin: next("origin")?.to_owned(),
            size: next("size")?.parse().map_err(|_| CheckpointError::BadLine("size"))?,
            root: Hash::parse(next("root")?).map_err(|_| CheckpointError::BadLine("root"))?,
            time_ms: next("time")?
                .strip_prefix("time ")
                .and_then(|time| time.parse().ok())
                .ok_or(CheckpointError::BadLine("time"))?,
            head: next("head")?
                .strip_prefix("head ")
                .and_then(|head| Hash::parse(head).ok())
                .ok_or(CheckpointError::BadLine("head"))?,
        };
        check_name(&checkpoint.origin).map_err(|_| CheckpointError::BadLine("origin"))?;
        if checkpoint.size > MAX_SEQ + 1 {
            return Err(CheckpointError::BadLine("size"));
        }
        // Catches what number parsing lets pass (`+1`, `01`) and every line too many.
        if checkpoint.text() != text {
            return Err(CheckpointError::BadLine("form"));
        }
        Ok(checkpoint)
    }

    /// The signed note of it.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn sign(&self, signer: &dyn Signer) -> Result<Signed, SignError> {
        let mut signed = self.unsigned();
        signed.note.sign(signer)?;
        Ok(signed)
    }

    /// A note of it without signatures, for [`Note::add`].
    #[must_use]
    pub fn unsigned(&self) -> Signed {
        Signed { checkpoint: self.clone(), note: Note::unsigned(self.text()) }
    }
}

/// A checkpoint with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The note; its text is that of the checkpoint.
    pub note: Note,
}

impl Signed {
    /// Reads a signed checkpoint. Nothing in it is true yet.
    ///
    /// # Errors
    /// When it is no note or no checkpoint.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let note = Note::parse(text)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// Reads a signed checkpoint of the log `origin` and checks who signed it.
    ///
    /// # Errors
    /// When it is none, of another log, or not signed by one of `keys`.
    pub fn open(text: &str, origin: &str, keys: &[PublicKey]) -> Result<Self, CheckpointError> {
        let signed = Self::parse(text)?;
        signed.note.verify(keys)?;
        if signed.checkpoint.origin != origin {
            return Err(CheckpointError::WrongOrigin {
                found: signed.checkpoint.origin,
                expected: origin.to_owned(),
            });
        }
        Ok(signed)
    }
}

impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.note.fmt(f)
    }
}

/// How often the log is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// At the latest after so many entries.
    pub entries: u64,
    /// At the latest after so many milliseconds, also when nothing was appended.
    pub every_ms: i64,
}

impl Cadence {
    /// Whether a log of `size` entries is to be sealed at `now_ms`, if it was last sealed by `last`.
    #[must_use]
    pub fn is_due(&self, last: Option<&Checkpoint>, size: u64, now_ms: i64) -> bool {
        last.is_none_or(|last| {
            size.saturating_sub(last.size) >= self.entries.max(1)
                || now_ms.saturating_sub(last.time_ms) >= self.every_ms
        })
    }
}

/// Bytes of a signed checkpoint at most.
pub const MAX_CHECKPOINT: usize = note::MAX_NOTE;
