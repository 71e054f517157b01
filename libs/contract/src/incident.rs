use serde::{Deserialize, Serialize};

use crate::{Delivery, Notification, NotifiedAlert, Timestamp};

/// How an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Something fires and nobody has said that they look after it.
    Open,
    /// Somebody looks after it: it is neither told again nor escalated until that runs out.
    Acknowledged,
    /// All of its alerts have resolved.
    Resolved,
}

/// Somebody looks after an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// Why, or what is done.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when; then the incident is open again.
    pub until: Timestamp,
}

/// A step of an escalation that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EscalationStep {
    /// When.
    pub at: Timestamp,
    /// How often the policy had begun anew; 0: its first time.
    pub round: u32,
    /// The level, from 0.
    pub level: u32,
    /// Receivers that were told.
    pub receivers: Vec<String>,
}

/// What broke, from the first notification to the end of its last alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Incident {
    /// Its identity.
    pub id: String,
    /// What it is about: the first alert's summary, or its name and what tells it apart.
    pub title: String,
    /// The worst severity of its alerts, as they write it; empty when none says.
    pub severity: String,
    /// How it stands.
    pub state: IncidentState,
    /// When it was first told.
    pub opened_at: Timestamp,
    /// When its last alert resolved.
    pub resolved_at: Option<Timestamp>,
    /// Who looks after it.
    pub acknowledgement: Option<Acknowledgement>,
    /// Its alerts as last told, firing ones first; at most 200.
    pub alerts: Vec<NotifiedAlert>,
    /// The escalation policy; `None`: nobody else is told.
    pub policy: Option<String>,
    /// What was done of it, oldest first; at most the last 50.
    pub escalations: Vec<EscalationStep>,
    /// When the next level is told, unless somebody acknowledges.
    pub next_escalation_at: Option<Timestamp>,
}

/// `POST /api/incidents/{id}/ack`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    /// Why, or what is done; must not be empty.
    pub reason: String,
    /// For how long, in seconds [3600; at most 7 days].
    #[serde(default)]
    pub for_s: Option<u64>,
}

/// A notification with its deliveries: who was told what, when, and did it arrive?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotificationView {
    /// What was told.
    pub notification: Notification,
    /// Its ways to the receiver's integrations.
    pub deliveries: Vec<Delivery>,
}

/// What `/incidents` shows: what is broken, who looks after it, and what was it lately?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IncidentsView {
    /// Open and acknowledged ones, open first, then by severity and time.
    pub living: Vec<Incident>,
    /// Resolved ones, newest first; a page.
    pub resolved: Vec<Incident>,
    /// The page after this one, as `?before=…`.
    pub next: Option<String>,
    /// Who is on call now, by schedule.
    pub on_call: Vec<(String, Vec<String>)>,
    /// Why the routing file cannot be used, in words; what it was before still counts.
    pub faults: Vec<String>,
    /// Deliveries that wait, and since when the oldest does.
    pub waiting: u64,
    /// Since when the oldest delivery waits.
    pub waiting_since: Option<Timestamp>,
    /// When this was put together.
    pub at: Timestamp,
}

/// What `/incidents/{id}` shows: what happened, who was told, and did it arrive?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IncidentView {
    /// The incident.
    pub incident: Incident,
    /// What was told of it, newest first; at most 100.
    pub notifications: Vec<NotificationView>,
    /// When this was put together.
    pub at: Timestamp,
}

/// What `/notifications` shows: who was told what, when, and did it arrive?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotificationsView {
    /// Newest first; a page.
    pub notifications: Vec<NotificationView>,
    /// The page after this one, as `?before=…`.
    pub next: Option<String>,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Since when the oldest delivery waits.
    pub waiting_since: Option<Timestamp>,
    /// When this was put together.
    pub at: Timestamp,
}
