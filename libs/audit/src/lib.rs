//! The record of who read which secret, made so that nobody can change, cut or reorder it unnoticed.
//!
//! An [`Entry`](entry::Entry) becomes canonical bytes, its leaf hash is linked to the one before ([`chain`]) and put
//! into a Merkle tree ([`merkle`]) whose root is signed at least every few seconds ([`checkpoint`]). Checkpoints are
//! laid down outside the trust domain ([`anchor`]), callers get a [`receipt`], and [`verify`] judges an [`export`]
//! from its first entry on and trusts no hash that is written in it.
//!
//! Pure: no I/O, no clock, no randomness, no async. The server (which stores the log) and the command line (which
//! verifies it offline) use the same code. What each part defeats, and what it does not:
//!
//! | part | defeats | not enough against |
//! | --- | --- | --- |
//! | canonical bytes | editing a field | hashing again |
//! | dense numbers and links | cutting out, inserting, reordering | linking the rest again |
//! | signed checkpoints, also when idle | linking again without the key | a stolen key, cutting the tail |
//! | anchors outside, high-water mark | cutting the tail, an older backup, a stolen key | what is newer than the last anchor |

pub mod anchor;
pub mod chain;
pub mod checkpoint;
pub mod entry;
pub mod export;
pub mod hash;
pub mod key;
pub mod merkle;
pub mod note;
pub mod receipt;
pub mod statement;
pub mod verify;

/// Highest number that an entry may have: above it JSON readers lose digits.
pub const MAX_SEQ: u64 = (1 << 53) - 1;
