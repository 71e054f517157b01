//! All SQL of the worker. Each write is one statement, and harmless when done again.

use ops_program::jobs::SlaDeadline;
use sqlx::PgPool;
use uuid::Uuid;

/// What a notification says of a ticket.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Ticket {
    pub(crate) requester_id: Uuid,
    pub(crate) subject: String,
    pub(crate) status: String,
    pub(crate) priority: String,
}

/// What a notification says of a message.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) author_id: Uuid,
    pub(crate) body: String,
}

pub(crate) async fn ticket(pool: &PgPool, organisation: Uuid, id: Uuid) -> sqlx::Result<Option<Ticket>> {
    sqlx::query_as(
        "SELECT requester_id, subject, status, priority FROM tickets WHERE id = $1 AND organisation_id = $2",
    )
    .bind(id)
    .bind(organisation)
    .fetch_optional(pool)
    .await
}

pub(crate) async fn message(pool: &PgPool, ticket: Uuid, id: Uuid) -> sqlx::Result<Option<Message>> {
    sqlx::query_as("SELECT id, author_id, body FROM ticket_messages WHERE id = $1 AND ticket_id = $2")
        .bind(id)
        .bind(ticket)
        .fetch_optional(pool)
        .await
}

pub(crate) async fn address(pool: &PgPool, user: Uuid) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT email FROM users WHERE id = $1").bind(user).fetch_optional(pool).await
}

/// Agents and admins of an organisation, at most a hundred.
pub(crate) async fn staff(pool: &PgPool, organisation: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("SELECT id FROM users WHERE organisation_id = $1 AND role IN ('agent', 'admin') ORDER BY id LIMIT 100")
        .bind(organisation)
        .fetch_all(pool)
        .await
}

/// Records that a ticket missed its deadline, if it did and still waits for an answer. Tells whether it is recorded.
pub(crate) async fn record_breach(pool: &PgPool, ticket: Uuid) -> sqlx::Result<bool> {
    // The staff has answered when somebody else than the requester wrote before the deadline.
    sqlx::query_scalar(
        "WITH breach AS (
             INSERT INTO sla_breaches (ticket_id, due_at)
             SELECT t.id, t.sla_due_at FROM tickets t
             WHERE t.id = $1 AND t.status IN ('open', 'pending') AND t.sla_due_at <= now()
               AND NOT EXISTS (SELECT FROM ticket_messages m WHERE m.ticket_id = t.id AND m.author_id <> t.requester_id
                               AND m.created_at <= t.sla_due_at)
             ON CONFLICT (ticket_id) DO NOTHING RETURNING ticket_id)
         SELECT EXISTS (SELECT FROM breach) OR EXISTS (SELECT FROM sla_breaches WHERE ticket_id = $1)",
    )
    .bind(ticket)
    .fetch_one(pool)
    .await
}

/// Active tickets past their deadline by more than a minute without a breach: their check was lost.
pub(crate) async fn overdue(pool: &PgPool) -> sqlx::Result<Vec<SlaDeadline>> {
    let rows: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(
        "SELECT t.id, t.organisation_id, micros(t.sla_due_at) FROM tickets t
         WHERE t.status IN ('open', 'pending') AND t.sla_due_at < now() - interval '1 min'
           AND NOT EXISTS (SELECT FROM sla_breaches b WHERE b.ticket_id = t.id)
           AND NOT EXISTS (SELECT FROM ticket_messages m WHERE m.ticket_id = t.id AND m.author_id <> t.requester_id
                           AND m.created_at <= t.sla_due_at)
         ORDER BY t.sla_due_at LIMIT 500",
    )
    .fetch_all(pool)
    .await?;
    let deadline = |(ticket_id, organisation_id, micros)| SlaDeadline {
        ticket_id,
        organisation_id,
        due_at_ms: micros / 1000,
    };
    Ok(rows.into_iter().map(deadline).collect())
}

/// Closes what was resolved a week ago; the closed tickets and their organisations.
pub(crate) async fn close_stale(pool: &PgPool) -> sqlx::Result<Vec<(Uuid, Uuid)>> {
    sqlx::query_as(
        "UPDATE tickets SET status = 'closed', updated_at = now() WHERE id IN (
             SELECT id FROM tickets WHERE status = 'resolved' AND updated_at < now() - interval '7 days'
             ORDER BY updated_at LIMIT 500 FOR UPDATE SKIP LOCKED)
         RETURNING id, organisation_id",
    )
    .fetch_all(pool)
    .await
}

/// Whether a job has done this already.
pub(crate) async fn is_done(pool: &PgPool, job: &str, effect: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM job_effects WHERE job_id = $1 AND effect = $2)")
        .bind(job)
        .bind(effect)
        .fetch_one(pool)
        .await
}

/// Remembers that a job has done this.
pub(crate) async fn mark_done(pool: &PgPool, job: &str, effect: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO job_effects (job_id, effect) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(job)
        .bind(effect)
        .execute(pool)
        .await?;
    Ok(())
}

/// Adds one to a figure of the day unless this job did so before.
pub(crate) async fn count(pool: &PgPool, job: &str, organisation: Uuid, name: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "WITH first AS (INSERT INTO job_effects (job_id, effect) VALUES ($1, 'count') ON CONFLICT DO NOTHING RETURNING 1)
         INSERT INTO daily_figures (organisation_id, day, name, value) SELECT $2, current_date, $3, 1 FROM first
         ON CONFLICT (organisation_id, day, name) DO UPDATE SET value = daily_figures.value + 1",
    )
    .bind(job)
    .bind(organisation)
    .bind(name)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
