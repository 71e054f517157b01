//! What a caller takes away: proof that its entry is in the log, checked with the public keys and nothing else.
//!
//! It holds the leaf hash only; the entry shows itself by hashing to it.

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, CheckpointError, Signed};
use crate::entry::Entry;
use crate::hash::{self, Hash};
use crate::key::PublicKey;
use crate::merkle::{self, MAX_PROOF, ProofError};

/// Bytes of a receipt's JSON at most.
pub const MAX_RECEIPT: usize = 32 * 1024;

/// Proof that an entry is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Number of the entry.
    pub seq: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Inclusion proof, from the leaf upwards.
    pub proof: Vec<Hash>,
    /// The signed checkpoint that it leads to.
    pub checkpoint: String,
}

/// A receipt that proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not the JSON of one.
    #[error("not a receipt")]
    Malformed,
    /// Its checkpoint is none, or not signed by a known key.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Receipt {
    /// Reads a receipt. Nothing in it is true yet.
    ///
    /// # Errors
    /// When it is too long or none.
    pub fn parse(json: &[u8]) -> Result<Self, ReceiptError> {
        if json.len() > MAX_RECEIPT {
            return Err(ReceiptError::Malformed);
        }
        let receipt: Self = serde_json::from_slice(json).map_err(|_| ReceiptError::Malformed)?;
        if receipt.proof.len() > MAX_PROOF {
            return Err(ProofError::WrongLength.into());
        }
        Ok(receipt)
    }

    /// Checks it for the log `origin`; gives the checkpoint that covers the entry.
    ///
    /// # Errors
    /// When it does not show that the leaf is in that log.
    pub fn verify(&self, origin: &str, keys: &[PublicKey]) -> Result<Checkpoint, ReceiptError> {
        let Checkpoint { size, root, .. } = Signed::parse(&self.checkpoint)?.checkpoint;
        // The proof first: a hash costs a hundredth of a signature.
        merkle::check_inclusion(self.seq, size, &self.leaf, &self.proof, &root)?;
        Ok(Signed::open(&self.checkpoint, origin, keys)?.checkpoint)
    }

    /// Whether it is the receipt of this entry.
    #[must_use]
    pub fn is_of(&self, entry: &Entry) -> bool {
        entry.seq == self.seq && entry.encode().is_ok_and(|bytes| hash::leaf(&bytes) == self.leaf)
    }
}
