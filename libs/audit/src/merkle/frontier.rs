//! The right edge of the tree: enough to append and to compute the root.

use serde::{Deserialize, Serialize};

use crate::MAX_SEQ;
use crate::hash::{self, Hash};

/// Roots of the full subtrees that the leaves make up, the largest first: one for each bit that is set in the size,
/// so never more than 54.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// A stored frontier that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// Number of hashes and size do not go together.
    #[error("a tree of {size} leaves has {} full subtrees, not {found}", size.count_ones())]
    WrongPeaks {
        /// Leaves.
        size: u64,
        /// Hashes found.
        found: usize,
    },
    /// Too many leaves.
    #[error("a log has at most 2^53 entries")]
    TooLarge,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    size: u64,
    peaks: Vec<Hash>,
}

impl TryFrom<Stored> for Frontier {
    type Error = FrontierError;

    fn try_from(stored: Stored) -> Result<Self, FrontierError> {
        Self::from_peaks(stored.size, stored.peaks)
    }
}

impl Frontier {
    /// The frontier of a tree of `size` leaves from the roots of its full subtrees, the largest first.
    ///
    /// # Errors
    /// When there cannot be such a tree.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Result<Self, FrontierError> {
        if size > MAX_SEQ + 1 {
            return Err(FrontierError::TooLarge);
        }
        if usize::try_from(size.count_ones()) != Ok(peaks.len()) {
            return Err(FrontierError::WrongPeaks { size, found: peaks.len() });
        }
        Ok(Self { size, peaks })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the full subtrees, the largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = hash::node(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .copied()
            .rev()
            .reduce(|right, left| hash::node(&left, &right))
            .unwrap_or_else(hash::empty_root)
    }

    /// Inclusion proof of the leaf that was pushed last, for the tree as it is: this is why a receipt needs no look at
    /// older entries. To be called with the frontier **before** that leaf was pushed.
    #[must_use]
    pub fn proof_of_next(&self) -> Vec<Hash> {
        self.peaks.iter().copied().rev().collect()
    }
}
