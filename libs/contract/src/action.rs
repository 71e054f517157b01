use serde::{Deserialize, Serialize};

use crate::{ReplicaId, Timestamp};

/// Work for an agent, written down before anything happens. At most one is open per replica slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Action {
    /// UUIDv7 as text.
    pub id: String,
    /// What to do.
    pub kind: ActionKind,
    /// To which replica.
    pub replica: ReplicaId,
    /// The generation that a start or restart gives the slot; that which a stop ends. Doing an action twice is
    /// harmless: a start whose generation already runs has succeeded.
    pub generation: i64,
    /// Why it was asked for.
    pub cause: ActionCause,
    /// Why, in words.
    pub reason: String,
    /// Who asked: `engine` or an operator's name.
    pub requested_by: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// How far it is.
    pub status: ActionStatus,
    /// What went wrong, when it failed.
    pub error: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What an agent can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Start the slot. Succeeds when the program runs; readiness is told by signals.
    Start,
    /// Drain and stop the slot.
    Stop,
    /// Drain and stop it, then start it.
    Restart,
}

/// Why an action was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActionCause {
    /// The stack is being started.
    StackStart,
    /// The stack is being stopped.
    StackStop,
    /// The replica failed.
    Failure,
    /// The replica no longer answers.
    Unresponsive,
    /// More or fewer replicas are wanted.
    Scale,
    /// An operator asked.
    Operator,
}

/// How far an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActionStatus {
    /// Written down; no agent has it.
    Requested,
    /// An agent has it.
    Leased,
    /// Done.
    Succeeded,
    /// Not done; see `error`.
    Failed,
    /// Withdrawn before an agent took it.
    Cancelled,
}
