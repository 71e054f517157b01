//! Makes inclusion and consistency proofs.
//!
//! `subtree(from, to)` is asked for the root over the leaves `from..to`. A full subtree (its length a power of two)
//! never changes once it is full, so the caller may keep those; [`root`] computes any from leaf hashes.

use std::ops::Range;

use super::{Frontier, ProofError};
use crate::MAX_SEQ;
use crate::hash::Hash;

/// Hashes that a proof can have at most in a tree of 2^53 leaves; a consistency proof has one more than an inclusion
/// proof.
pub const MAX_PROOF: usize = 54;

/// Root over these leaf hashes.
#[must_use]
pub fn root(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(leaf);
    }
    frontier.root()
}

/// Proof that leaf `index` is in the tree of the first `size` leaves, from the leaf upwards.
///
/// # Errors
/// Those of `subtree`, and when there is no such leaf.
pub fn inclusion<E: From<ProofError>>(
    index: u64,
    size: u64,
    mut subtree: impl FnMut(Range<u64>) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if index >= size || size > MAX_SEQ + 1 {
        return Err(ProofError::OutOfRange.into());
    }
    let (mut range, mut above) = (0..size, Vec::new());
    while range.end - range.start > 1 {
        let middle = split(&range);
        if index < middle {
            above.push(middle..range.end);
            range.end = middle;
        } else {
            above.push(range.start..middle);
            range.start = middle;
        }
    }
    above.into_iter().rev().map(&mut subtree).collect()
}

/// Proof that the tree of the first `size` leaves begins with the tree of the first `old`.
///
/// # Errors
/// Those of `subtree`, and when `old` is larger than `size`.
pub fn consistency<E: From<ProofError>>(
    old: u64,
    size: u64,
    mut subtree: impl FnMut(Range<u64>) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if old > size || size > MAX_SEQ + 1 {
        return Err(ProofError::OutOfRange.into());
    }
    if old == 0 || old == size {
        return Ok(Vec::new());
    }
    let (mut range, mut above) = (0..size, Vec::new());
    while range.end != old {
        let middle = split(&range);
        if old <= middle {
            above.push(middle..range.end);
            range.end = middle;
        } else {
            above.push(range.start..middle);
            range.start = middle;
        }
    }
    // The old root itself is known to whoever checks; another subtree at the old edge is not.
    if range.start > 0 {
        above.push(range);
    }
    above.into_iter().rev().map(&mut subtree).collect()
}

/// Where RFC 6962 splits: the left part is the largest power of two that leaves something for the right.
fn split(range: &Range<u64>) -> u64 {
    range.start + (range.end - range.start).next_power_of_two() / 2
}
