use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Whether something of what is told still fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationStatus {
    /// At least one alert fires.
    Firing,
    /// All have resolved.
    Resolved,
}

/// Why a receiver is told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationReason {
    /// The group is told for the first time.
    FirstNotification,
    /// Alerts have joined the group.
    NewAlerts,
    /// Some of its alerts have resolved.
    SomeResolved,
    /// All of its alerts have resolved.
    AllResolved,
    /// Nothing changed and `repeat_interval` is over.
    Repeat,
    /// Somebody looks after the incident.
    Acknowledged,
    /// Nobody acknowledged in time.
    Escalation,
    /// Another receiver refused it for good.
    Fallback,
    /// An operator asked for a test.
    Test,
}

/// One alert as a receiver is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotifiedAlert {
    /// The alert: the same over its whole life.
    pub id: String,
    /// 16 hexadecimal digits over its labels, as Alertmanager computes it.
    pub fingerprint: String,
    /// Whether it fires.
    pub status: NotificationStatus,
    /// Its labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// Its annotations; of a resolved one those that it had while it fired.
    pub annotations: BTreeMap<String, String>,
    /// When it fired.
    pub starts_at: Timestamp,
    /// When it resolved.
    pub ends_at: Option<Timestamp>,
    /// Where its expression can be looked at; may be empty.
    pub generator_url: String,
    /// Alerts that are its consequences by the dependency graph and are told with it, as `alertname` and what tells it apart.
    #[serde(default)]
    pub folded: Vec<String>,
}

/// What one receiver is told at once: a group of alerts as it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Notification {
    /// Stays the same over all attempts and restarts: receivers may take it as idempotency key (`webhook-id`).
    pub id: String,
    /// The receiver's name in the configuration.
    pub receiver: String,
    /// The path of the route and the group's labels: `{}/{severity="critical"}:{alertname="ApiDown"}`.
    pub group_key: String,
    /// Labels by which the route groups.
    pub group_labels: BTreeMap<String, String>,
    /// Whether something still fires.
    pub status: NotificationStatus,
    /// Why it is told now.
    pub reason: NotificationReason,
    /// What is told, firing ones first, then by time.
    pub alerts: Vec<NotifiedAlert>,
    /// Alerts of the group that are left out because they were too many.
    #[serde(default)]
    pub truncated: u64,
    /// The incident that the page shows for it.
    #[serde(default)]
    pub incident: Option<String>,
    /// When it was decided.
    pub created_at: Timestamp,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// To be sent, for the first time or again.
    Pending,
    /// The receiver has taken it.
    Delivered,
    /// A newer message to the same receiver tells it too.
    Superseded,
    /// The receiver refused it for good, or time ran out.
    Dead,
}

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The receiver has taken it.
    Delivered,
    /// It may work later.
    Failed,
    /// It will never work as it is.
    Refused,
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeliveryAttempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// What the receiver answered or why there was no answer; at most 500 characters, nothing secret.
    pub detail: String,
}

/// The delivery of one notification by one of its receiver's integrations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Its identity.
    pub id: String,
    /// What is delivered.
    pub notification: String,
    /// Kind and place of the integration within the receiver: `slack/0`.
    pub integration: String,
    /// The alert, where an integration tells one at a time.
    #[serde(default)]
    pub alert: Option<String>,
    /// How it stands.
    pub status: DeliveryStatus,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// What was tried, oldest first; at most the last 50.
    pub attempts: Vec<DeliveryAttempt>,
}
