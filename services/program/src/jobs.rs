//! The background jobs: which queues there are, what a job carries, and how it is treated.

use std::time::Duration;

use ops_bullmq::{Backoff, JobOptions, Keep};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Mails.
pub const EMAIL: &str = "email";
/// What happened to a ticket: sockets and mails follow.
pub const NOTIFICATION: &str = "ticket-notification";
/// Looks at a ticket when its deadline is due.
pub const SLA_CHECK: &str = "sla-check";
/// A ticket missed its deadline.
pub const SLA_BREACHED: &str = "sla-breached";
/// Repeated work: auto-close and the SLA sweep.
pub const SCHEDULED: &str = "scheduled";
/// Figures, when there is nothing better to do.
pub const ANALYTICS: &str = "analytics";

/// Every queue, the most urgent first.
pub const QUEUES: [&str; 6] = [SLA_CHECK, SLA_BREACHED, NOTIFICATION, EMAIL, SCHEDULED, ANALYTICS];

/// How the jobs of a queue are treated: SLA first, notifications second, analytics last.
pub fn options(queue: &str) -> JobOptions {
    let (priority, attempts, first) = match queue {
        SLA_CHECK | SLA_BREACHED => (1, 3, 1000),
        NOTIFICATION => (5, 2, 500),
        EMAIL => (6, 3, 1000),
        ANALYTICS => (20, 1, 1000),
        _ => (10, 1, 1000),
    };
    JobOptions {
        priority: Some(priority),
        attempts: Some(attempts),
        backoff: Some(Backoff::exponential(Duration::from_millis(first))),
        remove_on_complete: Some(Keep::Last(100)),
        remove_on_fail: Some(Keep::Last(500)),
        ..JobOptions::default()
    }
}

/// Data of a `ticket-notification`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The ticket.
    pub ticket_id: Uuid,
    /// Its organisation.
    pub organisation_id: Uuid,
    /// `ticket:created`, `ticket:updated` or `ticket:message_added`.
    pub event: String,
    /// The new message, if that is what happened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message_id: Option<Uuid>,
}

/// Data of an `sla-check` and of an `sla-breached`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlaDeadline {
    /// The ticket.
    pub ticket_id: Uuid,
    /// Its organisation.
    pub organisation_id: Uuid,
    /// The deadline, in ms since 1970.
    pub due_at_ms: i64,
}

/// Data of an `email`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Email {
    /// Who gets it. The address is looked up when it is sent, so that none stands in the queue.
    pub user_id: Uuid,
    /// The subject line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Data of an `analytics` job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// Whose figure it is.
    pub organisation_id: Uuid,
    /// What is counted.
    pub name: String,
}
