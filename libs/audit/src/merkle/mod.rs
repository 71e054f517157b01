//! The Merkle tree of RFC 6962 over the leaf hashes of a log.
//!
//! An odd node is promoted, never doubled. Appending needs only the [`Frontier`]; proofs are made by [`inclusion`] and [`consistency`] from
//! subtree hashes that the caller looks up, and checked here by the algorithms of RFC 9162 (2.1.3.2 and 2.1.4.2).

mod check;
mod frontier;
mod prove;

pub use check::{ProofError, check_consistency, check_inclusion};
pub use frontier::{Frontier, FrontierError};
pub use prove::{MAX_PROOF, consistency, inclusion, root};

#[cfg(test)]
mod tests;
