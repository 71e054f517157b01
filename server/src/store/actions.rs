use ops_contract::{Action, ActionStatus, AgentName, ReplicaId, Timestamp};
use sqlx::AnyConnection;

use super::{Result, from_word, replica, word};

/// Writes an action down; false when one is open for the slot.
pub(crate) async fn insert(db: &mut AnyConnection, action: &Action, agent: &AgentName) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO actions (id, kind, service, slot, generation, cause, reason, requested_by, requested_at_us,
             status, agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
    )
    .bind(&action.id)
    .bind(word(&action.kind)?)
    .bind(action.replica.service.as_str())
    .bind(i64::from(action.replica.slot))
    .bind(action.generation)
    .bind(word(&action.cause)?)
    .bind(&action.reason)
    .bind(&action.requested_by)
    .bind(action.requested_at.0)
    .bind(word(&action.status)?)
    .bind(agent.as_str())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Actions that are requested or leased.
pub(crate) async fn open(db: &mut AnyConnection) -> Result<Vec<Action>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM actions WHERE status IN ('requested', 'leased') ORDER BY id")
            .fetch_all(db)
            .await?;
    rows.into_iter().map(Row::action).collect()
}

/// Actions that an agent ended after `since`.
pub(crate) async fn ended_since(db: &mut AnyConnection, since: Timestamp) -> Result<Vec<Action>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM actions WHERE finished_at_us > $1 AND status IN ('succeeded', 'failed') ORDER BY id",
    )
    .bind(since.0)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::action).collect()
}

/// Hands out what is requested of `agent`, and what an earlier session of it had or let run out.
pub(crate) async fn lease(
    db: &mut AnyConnection,
    agent: &AgentName,
    session: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Action>> {
    let rows: Vec<Row> = sqlx::query_as(
        "UPDATE actions SET status = 'leased', session = $2, leased_until_us = $3
         WHERE agent = $1 AND (status = 'requested'
             OR (status = 'leased' AND (session <> $2 OR leased_until_us < $4)))
         RETURNING *",
    )
    .bind(agent.as_str())
    .bind(session)
    .bind(until.0)
    .bind(now.0)
    .fetch_all(db)
    .await?;
    let mut actions = rows.into_iter().map(Row::action).collect::<Result<Vec<_>>>()?;
    actions.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(actions)
}

/// Whether the agent has an action to start or restart this generation of the replica.
pub(crate) async fn is_leased(
    db: &mut AnyConnection,
    agent: &AgentName,
    replica: &ReplicaId,
    generation: i64,
) -> Result<bool> {
    let found: Option<String> = sqlx::query_scalar(
        "SELECT id FROM actions WHERE agent = $1 AND service = $2 AND slot = $3 AND generation = $4
             AND status = 'leased' AND kind IN ('start', 'restart')",
    )
    .bind(agent.as_str())
    .bind(replica.service.as_str())
    .bind(i64::from(replica.slot))
    .bind(generation)
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Keeps a lease of the agent alive; false when there is none.
pub(crate) async fn extend(
    db: &mut AnyConnection,
    id: &str,
    agent: &AgentName,
    until: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE actions SET leased_until_us = $3 WHERE id = $1 AND agent = $2 AND status = 'leased'",
    )
    .bind(id)
    .bind(agent.as_str())
    .bind(until.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends an open action of the agent; `None` when it is not open.
pub(crate) async fn finish(
    db: &mut AnyConnection,
    id: &str,
    agent: &AgentName,
    status: ActionStatus,
    error: Option<&str>,
    now: Timestamp,
) -> Result<Option<Action>> {
    let row: Option<Row> = sqlx::query_as(
        "UPDATE actions SET status = $3, error = $4, finished_at_us = $5, leased_until_us = NULL
         WHERE id = $1 AND agent = $2 AND status IN ('requested', 'leased') RETURNING *",
    )
    .bind(id)
    .bind(agent.as_str())
    .bind(word(&status)?)
    .bind(error)
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    row.map(Row::action).transpose()
}

/// Whether the agent ever had this action.
pub(crate) async fn exists(db: &mut AnyConnection, id: &str, agent: &AgentName) -> Result<bool> {
    let found: Option<String> = sqlx::query_scalar("SELECT id FROM actions WHERE id = $1 AND agent = $2")
        .bind(id)
        .bind(agent.as_str())
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// Withdraws what no agent has taken yet; `None` withdraws it for every slot.
pub(crate) async fn cancel_requested(
    db: &mut AnyConnection,
    only: Option<&ReplicaId>,
    now: Timestamp,
) -> Result<u64> {
    let service = only.map_or("", |id| id.service.as_str());
    let slot = only.map_or(-1, |id| i64::from(id.slot));
    let done = sqlx::query(
        "UPDATE actions SET status = 'cancelled', finished_at_us = $1
         WHERE status = 'requested' AND ($2 = '' OR (service = $2 AND slot = $3))",
    )
    .bind(now.0)
    .bind(service)
    .bind(slot)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Leases that ran out: the agent said nothing for too long, so the work is to be had again.
pub(crate) async fn expire(db: &mut AnyConnection, now: Timestamp) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE actions SET status = 'requested', session = NULL, leased_until_us = NULL
         WHERE status = 'leased' AND leased_until_us < $1",
    )
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Newest first, older than the id `before`.
pub(crate) async fn list(db: &mut AnyConnection, before: Option<&str>, limit: u32) -> Result<Vec<Action>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM actions WHERE id < $1 ORDER BY id DESC LIMIT $2")
        .bind(before.unwrap_or("~"))
        .bind(i64::from(limit))
        .fetch_all(db)
        .await?;
    rows.into_iter().map(Row::action).collect()
}

pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let done =
        sqlx::query("DELETE FROM actions WHERE finished_at_us < $1").bind(before.0).execute(db).await?;
    Ok(done.rows_affected())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    service: String,
    slot: i64,
    generation: i64,
    cause: String,
    reason: String,
    requested_by: String,
    requested_at_us: i64,
    status: String,
    error: Option<String>,
    finished_at_us: Option<i64>,
}

impl Row {
    fn action(self) -> Result<Action> {
        Ok(Action {
            id: self.id,
            kind: from_word(self.kind)?,
            replica: replica(self.service, self.slot)?,
            generation: self.generation,
            cause: from_word(self.cause)?,
            reason: self.reason,
            requested_by: self.requested_by,
            requested_at: Timestamp(self.requested_at_us),
            status: from_word(self.status)?,
            error: self.error,
            finished_at: self.finished_at_us.map(Timestamp),
        })
    }
}
