//! Limits and form of an entry. What does not fit is refused before it is hashed, and again when it is read.

use super::{Entry, Source};
use crate::MAX_SEQ;

/// Bytes of canonical form at most.
pub const MAX_BYTES: usize = 64 * 1024;
/// Bytes of a name at most: of an actor, session, address, device, event.
pub const MAX_NAME: usize = 256;
/// Bytes of an action's name at most.
pub const MAX_ACTION: usize = 64;
/// Bytes of the subject and of the purpose at most.
pub const MAX_TEXT: usize = 1024;
/// Details at most.
pub const MAX_DETAILS: usize = 64;
/// Bytes of a detail's name at most.
pub const MAX_DETAIL_NAME: usize = 64;
/// Bytes of a detail's value at most.
pub const MAX_DETAIL: usize = 4096;

/// An entry that the log does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A field is longer than its limit.
    #[error("{field} takes at most {limit} bytes, it has {bytes}")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its bytes.
        bytes: usize,
        /// Its limit.
        limit: usize,
    },
    /// A field that must say something is empty.
    #[error("{field} is empty: leave it out or fill it")]
    Empty {
        /// Which field.
        field: &'static str,
    },
    /// A name holds a control character or one that changes the direction of writing: it would look like another.
    #[error("{field} holds a control character")]
    ControlCharacter {
        /// Which field.
        field: &'static str,
    },
    /// The action is no dotted name.
    #[error("the action is no dotted name of lower-case words, such as secret.read")]
    BadAction,
    /// More details than the limit.
    #[error("an entry takes at most {MAX_DETAILS} details, it has {0}")]
    TooManyDetails(usize),
    /// All in all too long.
    #[error("an entry takes at most {MAX_BYTES} bytes, it has {0}")]
    TooLarge(usize),
    /// The number is above 2^53.
    #[error("the log is full: an entry's number is at most 2^53 - 1")]
    SequenceTooLarge,
}

impl Entry {
    /// Checks form and limits.
    ///
    /// # Errors
    /// Names the first field that does not fit.
    pub fn check(&self) -> Result<(), EntryError> {
        if self.seq > MAX_SEQ {
            return Err(EntryError::SequenceTooLarge);
        }
        name("the actor's name", &self.actor.name, MAX_NAME)?;
        optional("the actor's session", self.actor.via.as_deref(), MAX_NAME)?;
        optional("the actor's address", self.actor.address.as_deref(), MAX_NAME)?;
        name("the action", &self.action, MAX_ACTION)?;
        if !dotted(&self.action) {
            return Err(EntryError::BadAction);
        }
        name("the subject", &self.subject, MAX_TEXT)?;
        if let Some(purpose) = &self.purpose {
            text("the purpose", purpose, MAX_TEXT)?;
        }
        if let Source::External { device, event_id } = &self.source {
            name("the source's device", device, MAX_NAME)?;
            name("the source's event id", event_id, MAX_NAME)?;
        }
        if self.details.len() > MAX_DETAILS {
            return Err(EntryError::TooManyDetails(self.details.len()));
        }
        for (key, value) in &self.details {
            name("a detail's name", key, MAX_DETAIL_NAME)?;
            length("a detail", value, MAX_DETAIL)?;
        }
        Ok(())
    }
}

fn optional(field: &'static str, value: Option<&str>, limit: usize) -> Result<(), EntryError> {
    value.map_or(Ok(()), |value| name(field, value, limit))
}

fn name(field: &'static str, value: &str, limit: usize) -> Result<(), EntryError> {
    text(field, value, limit)?;
    // Bytes first: nearly all names are ASCII, and this is done a million times when a log is verified.
    let control = if value.is_ascii() {
        value.bytes().any(|byte| byte.is_ascii_control())
    } else {
        value.chars().any(deceives)
    };
    if control { Err(EntryError::ControlCharacter { field }) } else { Ok(()) }
}

/// Whether a character makes a text look like something else than it is.
pub(crate) fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn text(field: &'static str, value: &str, limit: usize) -> Result<(), EntryError> {
    if value.is_empty() {
        return Err(EntryError::Empty { field });
    }
    length(field, value, limit)
}

const fn length(field: &'static str, value: &str, limit: usize) -> Result<(), EntryError> {
    if value.len() > limit {
        return Err(EntryError::TooLong { field, bytes: value.len(), limit });
    }
    Ok(())
}

/// At least two words of `a-z`, `0-9` and `_`, each beginning with a letter, with a dot between them.
fn dotted(action: &str) -> bool {
    let mut words = 0;
    for word in action.split('.') {
        let mut bytes = word.bytes();
        if !bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
            || !bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        {
            return false;
        }
        words += 1;
    }
    words >= 2
}
