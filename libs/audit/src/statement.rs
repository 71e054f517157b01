//! Entries that change how the log is read: another key signs from now on, or old bodies may be dropped.
//!
//! Whoever can write to the database can write such an entry, so it carries a signature of its own by the key that is
//! in force. The signature names the log and the entry's number: it fits at one place only.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::chain::Head;
use crate::entry::{Actor, Draft, Entry, Outcome, Source, action};
use crate::key::{PublicKey, SignError, Signer};

const KEY: &str = "key";
const BELOW: &str = "below";
const BEFORE: &str = "before_ms";
const SIGNATURE: &str = "signature";

/// What such an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Checkpoints that cover this entry are signed by another key, and no longer by the one that signed this.
    Handover {
        /// The key from now on.
        to: Box<PublicKey>,
    },
    /// Bodies of entries may be dropped from the front on.
    Retention {
        /// Those with a number below this.
        below: u64,
        /// All of which are older than this, Unix milliseconds.
        before_ms: i64,
    },
}

/// An entry that says it is a statement, and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// A detail is missing or says nothing.
    #[error("its detail {0} is missing or cannot be read")]
    BadDetail(&'static str),
    /// Nobody who may signed it.
    #[error("it is signed by no key that is in force")]
    NotSigned,
}

/// Whether the body of an entry with this action must be kept whatever the retention: verifying needs it.
#[must_use]
pub fn keeps_its_body(name: &str) -> bool {
    [action::START, action::HANDOVER, action::RETENTION].contains(&name)
}

impl Statement {
    /// The entry that says this, to be appended to `head` and to no other: it is signed for its number.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn draft(
        &self,
        head: &Head,
        signer: &dyn Signer,
        actor: Actor,
        salt: [u8; 16],
    ) -> Result<Draft, SignError> {
        let signature = signer.sign(self.text(&head.origin, head.size()).as_bytes())?;
        let mut details = BTreeMap::from([(SIGNATURE.to_owned(), STANDARD.encode(signature))]);
        let name = match self {
            Self::Handover { to } => {
                details.insert(KEY.to_owned(), to.to_string());
                action::HANDOVER
            }
            Self::Retention { below, before_ms } => {
                details.insert(BELOW.to_owned(), below.to_string());
                details.insert(BEFORE.to_owned(), before_ms.to_string());
                action::RETENTION
            }
        };
        Ok(Draft {
            salt,
            actor,
            action: name.to_owned(),
            subject: head.origin.clone(),
            purpose: None,
            outcome: Outcome::Allowed,
            source: Source::Own,
            details,
        })
    }

    /// Reads the statement of an entry; none for all other entries. With it the key that signed it, one of `keys`.
    ///
    /// # Errors
    /// When the entry is meant as a statement and is none.
    pub fn read<'k>(
        entry: &Entry,
        origin: &str,
        keys: impl IntoIterator<Item = &'k PublicKey>,
    ) -> Result<Option<(Self, &'k PublicKey)>, StatementError> {
        let statement = match entry.action.as_str() {
            action::HANDOVER => Self::Handover { to: Box::new(detail(entry, KEY)?) },
            action::RETENTION => {
                Self::Retention { below: detail(entry, BELOW)?, before_ms: detail(entry, BEFORE)? }
            }
            _ => return Ok(None),
        };
        let mut bytes = [0; 66];
        let encoded = entry.details.get(SIGNATURE).map(String::as_str).unwrap_or_default();
        let signature: &[u8; 64] = match STANDARD.decode_slice(encoded, &mut bytes) {
            Ok(64) => bytes.first_chunk().ok_or(StatementError::BadDetail(SIGNATURE))?,
            _ => return Err(StatementError::BadDetail(SIGNATURE)),
        };
        let text = statement.text(origin, entry.seq);
        keys.into_iter()
            .find(|key| key.verifies(text.as_bytes(), signature))
            .map(|key| Some((statement, key)))
            .ok_or(StatementError::NotSigned)
    }

    /// What is signed. Its first line is no origin of a log, as it holds a space: no checkpoint reads like it.
    fn text(&self, origin: &str, seq: u64) -> String {
        match self {
            Self::Handover { to } => format!("insightdesk audit handover v1\n{origin}\n{seq}\n{to}\n"),
            Self::Retention { below, before_ms } => {
                format!("insightdesk audit retention v1\n{origin}\n{seq}\n{below}\n{before_ms}\n")
            }
        }
    }
}

fn detail<T: std::str::FromStr>(entry: &Entry, name: &'static str) -> Result<T, StatementError> {
    entry.details.get(name).and_then(|value| value.parse().ok()).ok_or(StatementError::BadDetail(name))
}
