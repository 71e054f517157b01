use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ActionCause, ActionKind, ReplicaId, Timestamp};

/// What the engine decided, why, and from which inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Decision {
    /// What.
    #[serde(flatten)]
    pub kind: DecisionKind,
    /// Why, in one sentence.
    pub reason: String,
    /// The figures it rests on.
    pub inputs: BTreeMap<String, String>,
}

/// The kinds of decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum DecisionKind {
    /// Ask an agent to act.
    Act {
        /// On which replica.
        replica: ReplicaId,
        /// To do what.
        action: ActionKind,
        /// Because of what.
        cause: ActionCause,
    },
    /// Wait before starting again.
    BackOff {
        /// Which replica.
        replica: ReplicaId,
        /// Until when.
        until: Timestamp,
    },
    /// Stop trying; a person must look.
    GiveUp {
        /// Which replica.
        replica: ReplicaId,
    },
    /// Do nothing although something is wrong, and say why.
    Hold {
        /// Which replica.
        replica: ReplicaId,
    },
}
