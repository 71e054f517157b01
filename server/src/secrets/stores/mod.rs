//! Where secrets lie. One file per store; each reads a value with what is known of its version, and writes a new one if it can.
//!
//! Stores know nothing of who asks: that is decided, and recorded, before they are asked ([`super`]). Each call has a
//! deadline. To add one: a file here, an arm in `Secrets`, a variant of `ops_contract::SecretSource`.

// Until everything here is used.

pub(crate) mod aws;
pub(crate) mod encrypted_file;
pub(crate) mod master_key;
pub(crate) mod vault;

use ops_contract::Timestamp;
use secrecy::SecretString;

/// A value as a store has it.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// The secret itself.
    pub(crate) value: SecretString,
    /// What the store knows of it.
    pub(crate) facts: Facts,
}

/// What a store knows of a value without showing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Its version, as the store names it.
    pub(crate) version: Option<String>,
    /// When this version was made.
    pub(crate) changed_at: Option<Timestamp>,
    /// Since when a renewal is under way that has not ended (AWS: AWSPENDING on another version than AWSCURRENT).
    pub(crate) pending_since: Option<Timestamp>,
}

/// Why a store did not do what it was asked. Its text names the place and never a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There is no such secret.
    #[error("{0}")]
    Missing(String),
    /// The store does not let the server in, or not there.
    #[error("{0}")]
    Refused(String),
    /// It does not answer, or not in time.
    #[error("{0}")]
    Unreachable(String),
    /// It cannot be written to by us.
    #[error("{0}")]
    ReadOnly(String),
    /// What lies there cannot be what it should be: damaged, of another key, too long.
    #[error("{0}")]
    Unsound(String),
}
