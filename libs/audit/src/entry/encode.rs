//! Canonical bytes of an entry.
//!
//! `domain, seq u64, time i64, salt 16, actor (kind u8, name, via, address), action, subject, purpose, outcome u8,
//! source (tag u8, device, event id), details (count u32, name, value …)`. Numbers are big-endian; a text is its
//! length as u32 and its bytes. A text that is absent has length 0, and none that is present may be empty. Details
//! are in the order of their names' bytes. The domain ends with the version: another form gets another one.

use super::{ActorKind, Entry, EntryError, MAX_BYTES, Outcome, Source};

pub(super) const DOMAIN: &[u8] = b"insightdesk/audit/entry/v1\n";
pub(super) const OWN: u8 = 0;
pub(super) const EXTERNAL: u8 = 1;

impl Entry {
    /// The canonical bytes.
    ///
    /// # Errors
    /// When a field does not have its form or is too long.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let mut bytes = Vec::with_capacity(512);
        self.encode_into(&mut bytes)?;
        Ok(bytes)
    }

    /// As [`encode`](Self::encode), into a buffer that is used again; what it held is dropped.
    ///
    /// # Errors
    /// When a field does not have its form or is too long.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) -> Result<(), EntryError> {
        self.check()?;
        bytes.clear();
        bytes.extend_from_slice(DOMAIN);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.time_ms.to_be_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes.push(self.actor.kind.code());
        text(bytes, &self.actor.name);
        optional(bytes, self.actor.via.as_deref());
        optional(bytes, self.actor.address.as_deref());
        text(bytes, &self.action);
        text(bytes, &self.subject);
        optional(bytes, self.purpose.as_deref());
        bytes.push(self.outcome.code());
        match &self.source {
            Source::Own => bytes.push(OWN),
            Source::External { device, event_id } => {
                bytes.push(EXTERNAL);
                text(bytes, device);
                text(bytes, event_id);
            }
        }
        length(bytes, self.details.len());
        for (name, value) in &self.details {
            text(bytes, name);
            text(bytes, value);
        }
        if bytes.len() > MAX_BYTES {
            return Err(EntryError::TooLarge(bytes.len()));
        }
        Ok(())
    }
}

impl ActorKind {
    pub(super) const ALL: [Self; 5] =
        [Self::Person, Self::Service, Self::Agent, Self::System, Self::External];

    const fn code(self) -> u8 {
        match self {
            Self::Person => 1,
            Self::Service => 2,
            Self::Agent => 3,
            Self::System => 4,
            Self::External => 5,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl Outcome {
    pub(super) const ALL: [Self; 3] = [Self::Allowed, Self::Denied, Self::Failed];

    const fn code(self) -> u8 {
        match self {
            Self::Allowed => 1,
            Self::Denied => 2,
            Self::Failed => 3,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

fn optional(bytes: &mut Vec<u8>, value: Option<&str>) {
    text(bytes, value.unwrap_or_default());
}

fn text(bytes: &mut Vec<u8>, value: &str) {
    length(bytes, value.len());
    bytes.extend_from_slice(value.as_bytes());
}

fn length(bytes: &mut Vec<u8>, length: usize) {
    // `check` holds every length far below; a larger one would fail the limit of the whole, not wrap.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
}
