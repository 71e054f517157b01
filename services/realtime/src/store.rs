//! The only question to the database: what a ticket is like, for somebody who may see it.

use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

/// What joining a ticket's room tells.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub(crate) struct TicketState {
    pub(crate) status: String,
    pub(crate) priority: String,
    pub(crate) subject: String,
}

/// A ticket of the organisation; of the requester alone, when given.
pub(crate) async fn ticket(
    pool: &PgPool,
    id: Uuid,
    organisation: Uuid,
    requester: Option<Uuid>,
) -> sqlx::Result<Option<TicketState>> {
    sqlx::query_as(
        "SELECT status, priority, subject FROM tickets
         WHERE id = $1 AND organisation_id = $2 AND ($3::uuid IS NULL OR requester_id = $3)",
    )
    .bind(id)
    .bind(organisation)
    .bind(requester)
    .fetch_optional(pool)
    .await
}
