use serde::{Deserialize, Serialize};

use crate::{Action, ActionStatus, AgentName, QueueCommand, ReplicaId, Signal, Stack};

/// `POST /agent/hello`: the first word of an agent. The agent's name is that of its token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Hello {
    /// Name of the machine, for people.
    pub host: String,
    /// Process id of the agent.
    pub pid: u32,
    /// Made anew at each start of the agent.
    pub session: String,
}

/// The answer to [`Hello`]: what the agent is to look after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Welcome {
    /// The agent's name.
    pub agent: AgentName,
    /// The stack as the server read it.
    pub stack: Stack,
}

/// `POST /agent/signals`: what an agent saw, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Report {
    /// What it saw; at most 1,000 in one report.
    pub signals: Vec<Signal>,
}

/// `POST /agent/lease`: asks for work, and waits for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LeaseRequest {
    /// Made anew at each start of the agent: actions leased to an earlier run of it are handed out again at once.
    pub session: String,
    /// Longest wait for work; the server cuts it to 30,000.
    pub wait_ms: u64,
    /// Whether the agent knows that the stack is being stopped; the server answers at once when that is otherwise.
    #[serde(default)]
    pub stopping: bool,
}

/// The work handed out. Empty when the wait was over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Lease {
    /// What to do.
    pub actions: Vec<Action>,
    /// Which logs to send.
    pub logs: Vec<LogSubscription>,
    /// Whether the stack is being stopped: what drains at leisure has its grace left and no more.
    #[serde(default)]
    pub stopping: bool,
    /// What to do to queues.
    #[serde(default)]
    pub queue_commands: Vec<QueueCommand>,
}

/// `PUT /agent/actions/{id}`: how an action went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ActionReport {
    /// `leased` keeps the lease alive; `succeeded` and `failed` end it.
    pub status: ActionStatus,
    /// What went wrong, when it failed.
    pub error: Option<String>,
}

/// Somebody wants to read a replica's log. The agent answers with `POST /agent/logs/{id}` ([`crate::LogChunk`]s) until
/// the log has ended (without `follow`) or the server answers 410 (nobody reads any more).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LogSubscription {
    /// UUID as text.
    pub id: String,
    /// Whose log.
    pub replica: ReplicaId,
    /// Which start of it; `None`: the latest.
    pub generation: Option<i64>,
    /// How many of the last lines first.
    pub lines: u32,
    /// Whether new lines follow as they come.
    pub follow: bool,
}

/// `POST /agent/secrets`: asks for values, and says what for. Answered with [`SecretValues`], or 403 when one of them is
/// not for this purpose, 404 when one is not there, 503 when it cannot be recorded that they were handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretsRequest {
    /// Names of secrets, at most 100.
    pub names: Vec<String>,
    /// What for.
    pub purpose: SecretPurpose,
}

/// What an agent needs secrets for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum SecretPurpose {
    /// To start a replica, as an action that it was handed out says.
    Start {
        /// Which.
        replica: ReplicaId,
        /// Which start of it.
        generation: i64,
    },
    /// To look at a data store, or at the queues in it.
    Probe {
        /// `postgres.main`, `valkey.main`.
        store: String,
    },
}

/// Values of secrets by name. A secret whose renewal overlaps brings the value before along under its own name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretValues {
    /// By name; also those that were not asked for and belong to what was.
    pub values: std::collections::BTreeMap<String, Concealed>,
}

/// A secret value on its way between server and agent: it has no `Debug` that shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Concealed(pub String);

impl std::fmt::Debug for Concealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
