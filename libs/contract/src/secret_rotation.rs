use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How far a renewal is. Which of them there are, and in which order, depends on the method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RotationPhase {
    /// The new value is made, and in force nowhere.
    Prepare,
    /// Key of tokens: programs are restarted, so that all verify with the new key before one signs with it.
    Spread,
    /// Password: the user whose turn it is gets the new one.
    Change,
    /// The new value is in force; programs are restarted, so that all have it.
    Switch,
    /// Key of tokens: the key before still verifies, until the grace is over.
    Overlap,
    /// Key of tokens: programs are restarted without the key before.
    Drop,
    /// By hand: somebody is to set the new value.
    Waiting,
    /// It is over.
    Done,
    /// It was given up before the new value was in force.
    Aborted,
}

impl RotationPhase {
    /// Whether it is over.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Aborted)
    }

    /// Whether the new value is in force with all that use it.
    #[must_use]
    pub const fn is_renewed(self) -> bool {
        matches!(self, Self::Overlap | Self::Drop | Self::Done)
    }
}

/// A renewal of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretRotation {
    /// Its identity.
    pub id: String,
    /// Which secret.
    pub secret: String,
    /// How: `jwt`, `postgres` or `manual`.
    pub method: String,
    /// How far it is.
    pub phase: RotationPhase,
    /// Who began it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When this phase began.
    pub phase_at: Timestamp,
    /// The database user whose turn it is.
    pub login: Option<String>,
    /// Until when the key before is good.
    pub until: Option<Timestamp>,
    /// What it waits for, or why it does not go on.
    pub waits_for: Option<String>,
    /// What is to be done by hand, in order.
    pub steps: Vec<String>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}
