//! The words that every part shares: plain data, serialised with serde.
//!
//! No I/O, no clock, no behaviour beyond reading the data itself; builds for wasm. A type stands here when
//! two crates need it. Wire rule: unknown fields are ignored on input, so that an agent and a server of
//! neighbouring versions understand each other; times are UTC microseconds ([`Timestamp`]); names end in the
//! unit they carry.
//!
//! To add a type: put it in the file of its noun, export it here.

mod action;
mod agent;
mod alert;
mod audit;
mod audit_spec;
mod change;
mod decision;
mod exit;
mod finding;
mod incident;
mod log;
mod names;
mod notification;
mod observe;
mod operator;
mod page;
mod problem;
mod queue;
mod queue_command;
mod scaling;
mod secret;
mod secret_rotation;
mod signal;
mod silence;
mod stack;
mod state;
mod time;
mod verdict;
mod view;

pub use action::{Action, ActionCause, ActionKind, ActionStatus};
pub use agent::{
    ActionReport, Concealed, Hello, Lease, LeaseRequest, LogSubscription, Report, SecretPurpose,
    SecretValues, SecretsRequest, Welcome,
};
pub use alert::{Alert, AlertState, AlertsView, ExploreRow, ExploreView, RuleHealth, RuleKind, RuleView};
pub use audit::{
    AuditActorKind, AuditAnchor, AuditEntry, AuditFilter, AuditImported, AuditOutcome, AuditState,
    AuditVerified, AuditView, Finding, FindingSeverity,
};
pub use audit_spec::{
    AnchorSpec, AuditSourceSpec, AuditSpec, AwsSpec, EncryptedFileKey, FindingsSpec, SecretStoresSpec,
    VaultAuth, VaultSpec,
};
pub use change::{Change, ChangeKind};
pub use decision::{Decision, DecisionKind};
pub use exit::{Exit, ExitReason};
pub use finding::{FindingClosed, FindingView};
pub use incident::{
    AcknowledgeRequest, Acknowledgement, EscalationStep, Incident, IncidentState, IncidentView,
    IncidentsView, NotificationView, NotificationsView,
};
pub use log::{LogChunk, LogLine, LogStream};
pub use names::{AgentName, ReplicaId, ServiceName};
pub use notification::{
    AttemptOutcome, Delivery, DeliveryAttempt, DeliveryStatus, Notification, NotificationReason,
    NotificationStatus, NotifiedAlert,
};
pub use observe::{
    AlertsSpec, Relabel, RelabelAction, RemoteWriteSpec, ScrapeSpec, ScrapeTarget, TelemetrySpec,
};
pub use operator::{Operator, Role};
pub use page::Page;
pub use problem::Problem;
pub use queue::{Due, QueueRates, QueueReport, QueueSample, QueueStoreState, RateLimit, Spread};
pub use queue_command::{
    JobState, MOST_JOBS, QueueCommand, QueueCommandRecord, QueueCommandStatus, QueueJob, QueueOperation,
    QueueOutcome, QueueReply,
};
pub use scaling::{ManualScale, ScalingDecision, ScalingPoint, ScalingSignal, ScalingState};
pub use secret::{
    Departure, DepartureWork, RotationMethod, SecretCategory, SecretConsumer, SecretReadWaits, SecretRequest,
    SecretSource, SecretSpec, SecretState, SecretView, SecretsView,
};
pub use secret_rotation::{RotationPhase, SecretRotation};
pub use signal::{DependencyReport, ReplicaReport, Signal};
pub use silence::{MakeSilence, Matcher, Silence, SilenceStanding, SilenceView};
pub use stack::{
    DeepCheck, DependencyKind, Driver, Environment, Health, PostgresSpec, Program, QueueSpec, ReplicaBounds,
    RestartMode, RestartPolicy, ScaleSpec, ServiceRole, ServiceSpec, Stack, StopPolicy, ValkeySpec,
};
pub use state::{
    DependencyState, DependencyStatus, ReplicaPhase, ReplicaState, ReplicaUsage, ServiceState, ServiceStatus,
    SystemState,
};
pub use time::Timestamp;
pub use verdict::{Tone, Verdict};
pub use view::{
    NowView, QueueStoreView, QueueView, QueuesView, ReplicaView, ScalingServiceView, ScalingView, ServiceView,
};
