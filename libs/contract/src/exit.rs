use serde::{Deserialize, Serialize};

use crate::{LogLine, ReplicaId, Timestamp};

/// How one generation of a replica ended, with the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Exit {
    /// Which replica.
    pub replica: ReplicaId,
    /// Which start of it.
    pub generation: i64,
    /// Why it ended.
    pub reason: ExitReason,
    /// Exit code, when it exited.
    pub code: Option<i32>,
    /// Signal number, when it was killed.
    pub signal: Option<i32>,
    /// What code or signal mean, in words: `killed by SIGKILL (137)`.
    pub meaning: String,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub at: Timestamp,
    /// Its last lines, oldest first, at most 200, redacted.
    pub last_lines: Vec<LogLine>,
}

/// Why a replica ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// We stopped it. Never counts as a failure.
    Asked,
    /// It ended by itself with code 0.
    Finished,
    /// It ended by itself with another code or by a signal.
    Failed,
    /// It could not be started.
    StartFailed,
    /// It gave no good answer within its start time-out, and was stopped for it.
    StartTimeout,
    /// Liveness failed, and it was stopped for it.
    Unresponsive,
    /// It ended while nobody watched; how is not known.
    Lost,
}

impl ExitReason {
    /// Whether it counts against the restart budget.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Asked | Self::Finished)
    }
}
