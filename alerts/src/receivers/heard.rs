//! What receivers say to us by themselves: that somebody looks after what they were told.

/// Something that happened at a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The alert that it was told of.
    pub alert: String,
    /// Who did it, in the receiver's words.
    pub by: String,
    /// Whether somebody looks after it now, or no longer does.
    pub acknowledged: bool,
}

/// Why nothing was heard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeard {
    /// Its settings name no secret, or its kind says nothing.
    #[error("this receiver has no ack_secrets: it says nothing to us")]
    Deaf,
    /// The signature is none of a known secret.
    #[error("the signature is not one of this receiver's secrets")]
    Unsigned,
    /// A secret is not set.
    #[error("{0}")]
    NoSecret(String),
    /// What came is not what the receiver's documentation says.
    #[error("the body is not an event of this receiver: {0}")]
    Unreadable(String),
}
