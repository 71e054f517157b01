//! Reads canonical bytes, and only those: what decodes encodes to the same bytes again.

use std::collections::BTreeMap;

use super::encode::{DOMAIN, EXTERNAL, OWN};
use super::{Actor, ActorKind, Entry, EntryError, MAX_BYTES, MAX_DETAILS, Outcome, Source};

/// Bytes that are no canonical entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They begin otherwise: another version, or no entry at all.
    #[error("these bytes are no entry of version 1")]
    NotAnEntry,
    /// They end in the middle of something.
    #[error("the entry ends within {0}")]
    Short(&'static str),
    /// Something follows.
    #[error("{0} bytes follow the entry")]
    TrailingBytes(usize),
    /// A text is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotText(&'static str),
    /// A number stands for nothing.
    #[error("{field} has no meaning {code}")]
    UnknownCode {
        /// Which field.
        field: &'static str,
        /// What stands there.
        code: u8,
    },
    /// Details out of order, or one twice.
    #[error("the details are not in the order of their names")]
    DetailsOutOfOrder,
    /// Well formed, but beyond what the log takes.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

impl Entry {
    /// Reads canonical bytes.
    ///
    /// # Errors
    /// For everything that [`encode`](Self::encode) could not have made.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(EntryError::TooLarge(bytes.len()).into());
        }
        let mut reader = Reader { rest: bytes.strip_prefix(DOMAIN).ok_or(DecodeError::NotAnEntry)? };
        let entry = Self {
            seq: u64::from_be_bytes(reader.array("the number")?),
            time_ms: i64::from_be_bytes(reader.array("the time")?),
            salt: reader.array("the salt")?,
            actor: Actor {
                kind: reader.coded("the actor's kind", ActorKind::from_code)?,
                name: reader.text("the actor's name")?,
                via: reader.optional("the actor's session")?,
                address: reader.optional("the actor's address")?,
            },
            action: reader.text("the action")?,
            subject: reader.text("the subject")?,
            purpose: reader.optional("the purpose")?,
            outcome: reader.coded("the outcome", Outcome::from_code)?,
            source: reader.source()?,
            details: reader.details()?,
        };
        if !reader.rest.is_empty() {
            return Err(DecodeError::TrailingBytes(reader.rest.len()));
        }
        entry.check()?;
        Ok(entry)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Short(field))?;
        self.rest = rest;
        Ok(*head)
    }

    fn length(&mut self, field: &'static str) -> Result<usize, DecodeError> {
        let length = u32::from_be_bytes(self.array(field)?);
        usize::try_from(length).map_err(|_| DecodeError::Short(field))
    }

    fn text(&mut self, field: &'static str) -> Result<String, DecodeError> {
        let length = self.length(field)?;
        let (head, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Short(field))?;
        self.rest = rest;
        let text = std::str::from_utf8(head).map_err(|_| DecodeError::NotText(field))?;
        Ok(text.to_owned())
    }

    fn optional(&mut self, field: &'static str) -> Result<Option<String>, DecodeError> {
        let text = self.text(field)?;
        Ok((!text.is_empty()).then_some(text))
    }

    fn coded<T>(&mut self, field: &'static str, meaning: impl Fn(u8) -> Option<T>) -> Result<T, DecodeError> {
        let [code] = self.array(field)?;
        meaning(code).ok_or(DecodeError::UnknownCode { field, code })
    }

    fn source(&mut self) -> Result<Source, DecodeError> {
        match self.array("the source")? {
            [OWN] => Ok(Source::Own),
            [EXTERNAL] => Ok(Source::External {
                device: self.text("the source's device")?,
                event_id: self.text("the source's event id")?,
            }),
            [code] => Err(DecodeError::UnknownCode { field: "the source", code }),
        }
    }

    fn details(&mut self) -> Result<BTreeMap<String, String>, DecodeError> {
        let count = self.length("the details")?;
        if count > MAX_DETAILS {
            return Err(EntryError::TooManyDetails(count).into());
        }
        let mut details = BTreeMap::new();
        for _ in 0..count {
            let name = self.text("a detail's name")?;
            if details.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err(DecodeError::DetailsOutOfOrder);
            }
            details.insert(name, self.text("a detail")?);
        }
        Ok(details)
    }
}
