use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Most jobs on one page of a list.
pub const MOST_JOBS: u32 = 100;

/// What an operator wants of a queue, written down before an agent hears of it. Doing one twice is harmless: whatever acts
/// on many jobs leaves those alone that came after `requested_at`, or goes by a limit of which what was done is taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueCommand {
    /// UUIDv7 as text.
    pub id: String,
    /// The Valkey: `valkey.main`.
    pub store: String,
    /// Name of the queue.
    pub queue: String,
    /// What is wanted.
    #[serde(flatten)]
    pub operation: QueueOperation,
    /// An operator's name.
    pub requested_by: String,
    /// When it was asked for, by the server's clock.
    pub requested_at: Timestamp,
}

/// What can be wanted of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum QueueOperation {
    /// No worker takes a job any more; running ones go on.
    Pause,
    /// Workers take jobs again.
    Resume,
    /// Failed jobs go back in line, the ones that failed first before the others.
    RetryFailed {
        /// How many at most.
        limit: u64,
    },
    /// Jobs that wait are removed.
    Drain {
        /// Those that are not due yet, too.
        delayed: bool,
    },
    /// Delayed jobs may run now, the ones due first before the others.
    PromoteDelayed {
        /// How many at most.
        limit: u64,
    },
    /// A page of the jobs of a state, newest first, without their data.
    ListJobs {
        /// Which.
        state: JobState,
        /// How many to pass over.
        from: u64,
        /// How many at most; no more than [`MOST_JOBS`].
        limit: u32,
    },
    /// One job with its data and stack trace, redacted.
    LookAt {
        /// Which.
        job_id: String,
    },
}

impl QueueOperation {
    /// Whether it changes the queue, or only looks.
    pub fn changes(&self) -> bool {
        !matches!(self, Self::ListJobs { .. } | Self::LookAt { .. })
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// In line, whether the queue is paused or not.
    Waiting,
    /// In line by priority.
    Prioritized,
    /// Being worked on.
    Active,
    /// Not due yet.
    Delayed,
    /// Waiting for the children of its flow.
    WaitingChildren,
    /// Completed and kept.
    Completed,
    /// Failed and kept.
    Failed,
    /// In none of them: it moved while it was read.
    Unknown,
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Prioritized => "prioritized",
            Self::Active => "active",
            Self::Delayed => "delayed",
            Self::WaitingChildren => "waiting for children",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        })
    }
}

/// `PUT /agent/queue-commands/{id}`: how a command goes or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum QueueReply {
    /// Under way; keeps the lease alive.
    Leased {
        /// Jobs so far.
        done: u64,
    },
    /// Done, or done as far as its time went.
    Succeeded(QueueOutcome),
    /// There is no such queue or job.
    Missing {
        /// What is not there.
        error: String,
    },
    /// Not done, or not wholly.
    Failed {
        /// Why, without anything of what jobs carry.
        error: String,
        /// Jobs up to then.
        done: u64,
    },
}

/// What came of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueOutcome {
    /// Jobs that were moved or removed; 1 when a queue was paused or resumed that was not before.
    pub done: u64,
    /// What was looked at. Never kept by the server.
    pub jobs: Vec<QueueJob>,
    /// Whether there is more: a next page, or jobs that are left because of the limit or the time.
    pub more: bool,
}

/// A job as an operator may see it: redacted by the agent before it goes anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueJob {
    /// Its id within the queue.
    pub id: String,
    /// Its name, which says what kind of job it is.
    pub name: String,
    /// Where it stands.
    pub state: JobState,
    /// Attempts that have ended.
    pub attempts_made: u32,
    /// Most attempts, where it says so.
    pub attempts: Option<u32>,
    /// When it was added.
    pub added_at: Option<Timestamp>,
    /// When its last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why its last attempt failed.
    pub failed_reason: Option<String>,
    /// What its attempts left, the newest last; cut in length. Empty in a list.
    pub stack: Vec<String>,
    /// What it carries, as redacted JSON of at most 4 KiB. Absent in a list.
    pub data: Option<String>,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum QueueCommandStatus {
    /// Written down; no agent has it.
    Requested,
    /// An agent has it.
    Leased,
    /// Done.
    Succeeded,
    /// Not done, or not wholly; see `error`.
    Failed,
    /// No agent took it in time, or the one that did has been silent since.
    Expired,
}

/// A command as the journal has it: who asked what of which queue, and what came of it. Nothing of what jobs carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueCommandRecord {
    /// What was asked.
    #[serde(flatten)]
    pub command: QueueCommand,
    /// How far it is.
    pub status: QueueCommandStatus,
    /// Jobs that were moved or removed, as far as an agent has told.
    pub done: u64,
    /// Whether jobs were left because of the limit or the time.
    pub more: bool,
    /// Why it was not done.
    pub error: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_flat_object_with_its_operation_by_name() {
        let command = QueueCommand {
            id: "1".to_owned(),
            store: "valkey.main".to_owned(),
            queue: "email".to_owned(),
            operation: QueueOperation::RetryFailed { limit: u64::MAX },
            requested_by: "anna".to_owned(),
            requested_at: Timestamp(1),
        };
        let json = serde_json::to_value(&command).unwrap();
        assert_eq!(json["operation"], "retry_failed");
        assert_eq!(json["limit"], u64::MAX);
        assert_eq!(serde_json::from_value::<QueueCommand>(json).unwrap(), command);
    }

    #[test]
    fn a_reply_is_told_by_its_status() {
        let text = r#"{"status":"succeeded","done":3,"jobs":[],"more":false,"of_a_later_version":1}"#;
        let reply: QueueReply = serde_json::from_str(text).unwrap();
        assert_eq!(reply, QueueReply::Succeeded(QueueOutcome { done: 3, jobs: Vec::new(), more: false }));
        let text = r#"{"status":"failed","error":"no answer","done":2}"#;
        let failed = QueueReply::Failed { error: "no answer".to_owned(), done: 2 };
        assert_eq!(serde_json::from_str::<QueueReply>(text).unwrap(), failed);
    }
}
