//! Which keys are in force at which length of the log.

use super::finding::Kind;
use crate::key::PublicKey;
use crate::note::{Note, NoteError};

/// Keys that were handed over to, at most.
const MAX_KEYS: usize = 4096;

struct Known {
    key: PublicKey,
    /// The first size of a log that it may sign.
    from: u64,
    /// The last one; none while it is in force.
    until: Option<u64>,
}

#[derive(Default)]
pub(super) struct Keys(Vec<Known>);

impl Keys {
    pub(super) fn new(keys: &[PublicKey]) -> Self {
        Self(keys.iter().map(|key| Known { key: key.clone(), from: 0, until: None }).collect())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &PublicKey> + Clone {
        self.0.iter().map(|known| &known.key)
    }

    /// Those that may sign a log of this size.
    pub(super) fn in_force(&self, size: u64) -> impl Iterator<Item = &PublicKey> {
        self.0.iter().filter(move |known| known.may_sign(size)).map(|known| &known.key)
    }

    /// Entry `seq` hands over from one key to another: who covers it with a checkpoint needs the new one.
    pub(super) fn hand_over(&mut self, from: &PublicKey, to: PublicKey, seq: u64) {
        for known in &mut self.0 {
            if known.key == *from {
                known.until = Some(seq);
            }
        }
        let from = seq.saturating_add(1);
        if let Some(known) = self.0.iter_mut().find(|known| known.key == to) {
            (known.from, known.until) = (from, None);
        } else if self.0.len() < MAX_KEYS {
            self.0.push(Known { key: to, from, until: None });
        }
    }

    /// Checks that a key in force signed `note` for a log of this size.
    pub(super) fn check(&self, note: &Note, size: u64) -> Result<(), (Kind, String)> {
        match note.verify(self.all()) {
            Ok(signers) if self.in_force(size).any(|key| signers.contains(&key)) => Ok(()),
            Ok(signers) => {
                let names: Vec<String> = signers.iter().map(|key| key.id().to_string()).collect();
                Err((Kind::RetiredKey, format!("signed only by {}", names.join(", "))))
            }
            Err(error @ NoteError::UnknownKeys(_)) => Err((Kind::UnknownKey, error.to_string())),
            Err(error) => Err((Kind::BadSignature, error.to_string())),
        }
    }
}

impl Known {
    fn may_sign(&self, size: u64) -> bool {
        self.from <= size && self.until.is_none_or(|until| size <= until)
    }
}
