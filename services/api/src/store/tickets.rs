//! Tickets and their messages. Writes answer with the position in the log that holds them.

use sqlx::PgPool;
use uuid::Uuid;

/// A ticket as it stands.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Ticket {
    pub(crate) id: Uuid,
    pub(crate) organisation_id: Uuid,
    pub(crate) requester_id: Uuid,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) status: String,
    pub(crate) priority: String,
    pub(crate) sla_due_at: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// A message of a ticket.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) author_id: Uuid,
    pub(crate) body: String,
    pub(crate) created_at: i64,
}

/// Whose tickets a caller may see: the organisation's, or only those that they opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) organisation: Uuid,
    pub(crate) requester: Option<Uuid>,
}

/// What a write left behind: when it was made, and the position in the log.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Created {
    pub(crate) p_created: Option<i64>,
    pub(crate) p_due: Option<i64>,
    pub(crate) p_written: Option<String>,
}

/// What adding a message left behind. No status: no such ticket; no time: the ticket is closed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Added {
    pub(crate) p_status: Option<String>,
    pub(crate) p_created: Option<i64>,
    pub(crate) p_written: Option<String>,
}

/// What a change of status left behind. No time: no such ticket.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Changed {
    pub(crate) p_updated: Option<i64>,
    pub(crate) p_written: Option<String>,
}

/// A ticket to be written.
pub(crate) struct NewTicket<'a> {
    pub(crate) id: Uuid,
    pub(crate) outbox: Uuid,
    pub(crate) organisation: Uuid,
    pub(crate) requester: Uuid,
    pub(crate) subject: &'a str,
    pub(crate) description: &'a str,
    pub(crate) priority: &'a str,
    pub(crate) trace: Option<&'a str>,
}

/// A message to be written.
pub(crate) struct NewMessage<'a> {
    pub(crate) id: Uuid,
    pub(crate) outbox: Uuid,
    pub(crate) ticket: Uuid,
    pub(crate) author: Uuid,
    pub(crate) body: &'a str,
    pub(crate) trace: Option<&'a str>,
}

macro_rules! columns {
    () => {
        "SELECT id, organisation_id, requester_id, subject, description, status, priority, micros(sla_due_at) AS sla_due_at, \
         micros(created_at) AS created_at, micros(updated_at) AS updated_at FROM tickets "
    };
}

/// Writes a ticket and its outbox row in one round trip.
pub(crate) async fn create(primary: &PgPool, new: &NewTicket<'_>) -> sqlx::Result<Created> {
    sqlx::query_as("CALL create_ticket($1, $2, $3, $4, $5, $6, $7, $8, NULL, NULL, NULL)")
        .bind(new.id)
        .bind(new.outbox)
        .bind(new.organisation)
        .bind(new.requester)
        .bind(new.subject)
        .bind(new.description)
        .bind(new.priority)
        .bind(new.trace)
        .fetch_one(primary)
        .await
}

/// Writes a message and its outbox row in one round trip.
pub(crate) async fn add_message(primary: &PgPool, scope: Scope, new: &NewMessage<'_>) -> sqlx::Result<Added> {
    sqlx::query_as("CALL add_message($1, $2, $3, $4, $5, $6, $7, $8, NULL, NULL, NULL)")
        .bind(new.id)
        .bind(new.outbox)
        .bind(new.ticket)
        .bind(scope.organisation)
        .bind(scope.requester)
        .bind(new.author)
        .bind(new.body)
        .bind(new.trace)
        .fetch_one(primary)
        .await
}

/// Changes a ticket's status and writes its outbox row in one round trip.
pub(crate) async fn set_status(
    primary: &PgPool,
    scope: Scope,
    ticket: Uuid,
    outbox: Uuid,
    status: &str,
    trace: Option<&str>,
) -> sqlx::Result<Changed> {
    sqlx::query_as("CALL set_status($1, $2, $3, $4, $5, $6, NULL, NULL)")
        .bind(outbox)
        .bind(ticket)
        .bind(scope.organisation)
        .bind(scope.requester)
        .bind(trace)
        .bind(status)
        .fetch_one(primary)
        .await
}

/// One ticket, if it is within scope.
pub(crate) async fn get(pool: &PgPool, scope: Scope, id: Uuid) -> sqlx::Result<Option<Ticket>> {
    const SQL: &str = concat!(
        columns!(),
        "WHERE id = $1 AND organisation_id = $2 AND ($3::uuid IS NULL OR requester_id = $3)"
    );
    sqlx::query_as(SQL).bind(id).bind(scope.organisation).bind(scope.requester).fetch_optional(pool).await
}

/// The newest tickets below `before`, at most `limit`.
pub(crate) async fn page(
    pool: &PgPool,
    scope: Scope,
    before: Option<Uuid>,
    status: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<Ticket>> {
    const SQL: &str = concat!(
        columns!(),
        "WHERE organisation_id = $1 AND ($2::uuid IS NULL OR requester_id = $2) AND id < $3 \
         AND ($4::text IS NULL OR status = $4) ORDER BY id DESC LIMIT $5"
    );
    sqlx::query_as(SQL)
        .bind(scope.organisation)
        .bind(scope.requester)
        .bind(before.unwrap_or(Uuid::max()))
        .bind(status)
        .bind(limit)
        .fetch_all(pool)
        .await
}

/// The first messages of a ticket, oldest first. At most 200; longer talks are paged by the client's own ticket.
pub(crate) async fn messages(pool: &PgPool, ticket: Uuid) -> sqlx::Result<Vec<Message>> {
    sqlx::query_as(
        "SELECT id, author_id, body, micros(created_at) AS created_at FROM ticket_messages
         WHERE ticket_id = $1 ORDER BY id LIMIT 200",
    )
    .bind(ticket)
    .fetch_all(pool)
    .await
}

/// How many tickets are open and pending.
pub(crate) async fn active(pool: &PgPool) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as("SELECT status, count(*) FROM tickets WHERE status IN ('open', 'pending') GROUP BY status")
        .fetch_all(pool)
        .await
}
