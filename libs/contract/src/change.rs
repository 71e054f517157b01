use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Something that changed the system, on one timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// UUIDv7 as text; sorts by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Of what kind.
    pub kind: ChangeKind,
    /// What it touched: `api`, `api/0`, `postgres.main`, `stack`.
    pub subject: String,
    /// Who did it: `engine`, an operator's name, an agent's name.
    pub actor: String,
    /// What happened, in one sentence.
    pub summary: String,
}

/// Kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The stack was started or stopped.
    Stack,
    /// The stack file differs from the one before.
    Config,
    /// A replica was started or restarted.
    Start,
    /// A replica was stopped.
    Stop,
    /// A replica ended by itself.
    Exit,
    /// The wanted number of replicas was changed.
    Scale,
    /// A replica was given up.
    GaveUp,
    /// A service, a replica or a data store changed its state.
    State,
    /// A queue was paused, resumed, drained, or its jobs were moved by hand.
    Queue,
    /// Somebody signed in, or a token was made or withdrawn.
    Access,
    /// Somebody looks after an incident, or alerts were silenced.
    Response,
}
