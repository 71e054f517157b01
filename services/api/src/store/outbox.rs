//! What happened and has not been told to the queues.

use std::time::Duration;

use ops_bullmq::{JobOptions, NewJob};
use ops_program::jobs::{self, Fact, Notification, SlaDeadline};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// One row of the outbox.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) event: String,
    pub(crate) ticket_id: Uuid,
    pub(crate) organisation_id: Uuid,
    pub(crate) message_id: Option<Uuid>,
    pub(crate) due_at: Option<i64>,
    pub(crate) trace: Option<String>,
}

impl Entry {
    /// The jobs that follow from it, each with its queue. Their ids come from the entry: relaying twice adds once.
    pub(crate) fn jobs(&self, now_ms: i64) -> Result<Vec<(&'static str, NewJob)>, ops_bullmq::Error> {
        let mut jobs = Vec::with_capacity(3);
        let options = |queue: &str, id: String| JobOptions {
            job_id: Some(id),
            telemetry: self.trace.clone(),
            ..jobs::options(queue)
        };
        let notification = Notification {
            ticket_id: self.ticket_id,
            organisation_id: self.organisation_id,
            event: self.event.clone(),
            message_id: self.message_id,
        };
        let about = options(jobs::NOTIFICATION, format!("notify-{}", self.id));
        jobs.push((jobs::NOTIFICATION, NewJob::new(jobs::NOTIFICATION, notification, about)?));
        if let Some(due_at) = self.due_at {
            let due_at_ms = due_at / 1000;
            let data =
                SlaDeadline { ticket_id: self.ticket_id, organisation_id: self.organisation_id, due_at_ms };
            let mut about = options(jobs::SLA_CHECK, format!("sla-{}", self.ticket_id));
            about.delay = Some(Duration::from_millis(due_at_ms.saturating_sub(now_ms).max(0).unsigned_abs()));
            jobs.push((jobs::SLA_CHECK, NewJob::new(jobs::SLA_CHECK, data, about)?));
            let data = Fact { organisation_id: self.organisation_id, name: "tickets_created".to_owned() };
            let about = options(jobs::ANALYTICS, format!("created-{}", self.ticket_id));
            jobs.push((jobs::ANALYTICS, NewJob::new("count", data, about)?));
        }
        Ok(jobs)
    }
}

/// Deletes what Valkey has. Rows that another program relayed meanwhile are gone already.
pub(crate) async fn delete(primary: &PgPool, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM job_outbox WHERE id = ANY($1)").bind(ids).execute(primary).await?;
    Ok(())
}

/// Takes the oldest entries that nobody has relayed within two seconds; they are gone once the transaction commits.
pub(crate) async fn take_overdue(transaction: &mut PgConnection) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as(
        "DELETE FROM job_outbox WHERE id IN (
             SELECT id FROM job_outbox WHERE created_at < now() - interval '2 s'
             ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED)
         RETURNING id, event, ticket_id, organisation_id, message_id, micros(due_at) AS due_at, trace",
    )
    .fetch_all(transaction)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_ticket_makes_jobs_with_ids_that_add_once_and_the_sla_first() {
        let entry = Entry {
            id: Uuid::now_v7(),
            event: "ticket:created".to_owned(),
            ticket_id: Uuid::now_v7(),
            organisation_id: Uuid::now_v7(),
            message_id: None,
            due_at: Some(10_000_000),
            trace: Some("{}".to_owned()),
        };
        let jobs = entry.jobs(4_000).unwrap();
        assert_eq!(
            jobs.iter().map(|(queue, _)| *queue).collect::<Vec<_>>(),
            ["ticket-notification", "sla-check", "analytics"]
        );
        let priority = |index: usize| jobs[index].1.options.priority.unwrap();
        assert!(priority(1) < priority(0) && priority(0) < priority(2));
        assert_eq!(jobs[1].1.options.delay, Some(Duration::from_secs(6)));
        assert_eq!(entry.jobs(20_000).unwrap()[1].1.options.delay, Some(Duration::ZERO));
        let ids = |jobs: &[(&str, NewJob)]| {
            jobs.iter().map(|(_, job)| job.options.job_id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&jobs), ids(&entry.jobs(0).unwrap()));
        assert!(ids(&jobs).iter().flatten().all(|id| !id.contains(':')));
    }
}
