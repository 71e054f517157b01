use ops_contract::{
    AgentName, QueueCommand, QueueCommandRecord, QueueCommandStatus, QueueOperation, Timestamp,
};
use sqlx::AnyConnection;

use super::{Result, from_json, from_word, to_json, word};

/// How long a lease is asked for, and which rows are too old for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) now: Timestamp,
    /// When the lease ends unless it is extended.
    pub(crate) until: Timestamp,
    /// What was asked for before this and was taken by nobody is no longer handed out.
    pub(crate) oldest: Timestamp,
}

/// Writes a command down; false when another one that changes the queue is open.
pub(crate) async fn insert(
    db: &mut AnyConnection,
    command: &QueueCommand,
    agent: &AgentName,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO queue_commands (id, store, queue, operation, changing, requested_by, requested_at_us,
             status, agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'requested', $8) ON CONFLICT DO NOTHING",
    )
    .bind(&command.id)
    .bind(&command.store)
    .bind(&command.queue)
    .bind(to_json(&command.operation)?)
    .bind(i64::from(command.operation.changes()))
    .bind(&command.requested_by)
    .bind(command.requested_at.0)
    .bind(agent.as_str())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The open command that changes a queue.
pub(crate) async fn open(
    db: &mut AnyConnection,
    store: &str,
    queue: &str,
) -> Result<Option<QueueCommandRecord>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT * FROM queue_commands
         WHERE store = $1 AND queue = $2 AND changing = 1 AND status IN ('requested', 'leased')",
    )
    .bind(store)
    .bind(queue)
    .fetch_optional(db)
    .await?;
    row.map(Row::record).transpose()
}

/// Hands out what is requested of `agent`, and what an earlier session of it had or let run out. Of the latter, what is
/// known to be done is taken off its limit.
pub(crate) async fn lease(
    db: &mut AnyConnection,
    agent: &AgentName,
    session: &str,
    terms: Terms,
) -> Result<Vec<QueueCommand>> {
    let rows: Vec<Row> = sqlx::query_as(
        "UPDATE queue_commands
         SET status = 'leased', session = $2, leased_until_us = $3, carried = carried + done, done = 0
         WHERE agent = $1 AND ((status = 'requested' AND requested_at_us >= $5)
             OR (status = 'leased' AND (session <> $2 OR leased_until_us < $4)))
         RETURNING *",
    )
    .bind(agent.as_str())
    .bind(session)
    .bind(terms.until.0)
    .bind(terms.now.0)
    .bind(terms.oldest.0)
    .fetch_all(db)
    .await?;
    let mut commands = rows.into_iter().map(Row::remaining).collect::<Result<Vec<_>>>()?;
    commands.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(commands)
}

/// Keeps a lease of the agent alive and notes how far it is; false when there is none.
pub(crate) async fn extend(
    db: &mut AnyConnection,
    id: &str,
    agent: &AgentName,
    done: u64,
    until: Timestamp,
) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE queue_commands SET leased_until_us = $3, done = $4
         WHERE id = $1 AND agent = $2 AND status = 'leased'",
    )
    .bind(id)
    .bind(agent.as_str())
    .bind(until.0)
    .bind(count(done))
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// How an open command ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'a> {
    pub(crate) status: QueueCommandStatus,
    pub(crate) done: u64,
    pub(crate) more: bool,
    pub(crate) error: Option<&'a str>,
}

/// Ends an open command of the agent; `None` when it is not open.
pub(crate) async fn finish(
    db: &mut AnyConnection,
    id: &str,
    agent: &AgentName,
    end: End<'_>,
    now: Timestamp,
) -> Result<Option<QueueCommandRecord>> {
    let row: Option<Row> = sqlx::query_as(
        "UPDATE queue_commands
         SET status = $3, done = $4, more = $5, error = $6, finished_at_us = $7, leased_until_us = NULL
         WHERE id = $1 AND agent = $2 AND status IN ('requested', 'leased') RETURNING *",
    )
    .bind(id)
    .bind(agent.as_str())
    .bind(word(&end.status)?)
    .bind(count(end.done))
    .bind(i64::from(end.more))
    .bind(end.error)
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    row.map(Row::record).transpose()
}

/// Gives up what nobody took since `asked_before`, and what an agent had whose lease ran out before `silent_before`.
pub(crate) async fn expire(
    db: &mut AnyConnection,
    asked_before: Timestamp,
    silent_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<QueueCommandRecord>> {
    let rows: Vec<Row> = sqlx::query_as(
        "UPDATE queue_commands SET error = CASE status WHEN 'requested' THEN $4 ELSE $5 END, status = 'expired',
             finished_at_us = $3, leased_until_us = NULL
         WHERE (status = 'requested' AND requested_at_us < $1) OR (status = 'leased' AND leased_until_us < $2)
         RETURNING *",
    )
    .bind(asked_before.0)
    .bind(silent_before.0)
    .bind(now.0)
    .bind("no agent has taken it in time; nothing was done")
    .bind("the agent that had it has fallen silent; it may be done in part")
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::record).collect()
}

/// One command.
pub(crate) async fn get(db: &mut AnyConnection, id: &str) -> Result<Option<QueueCommandRecord>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM queue_commands WHERE id = $1").bind(id).fetch_optional(db).await?;
    row.map(Row::record).transpose()
}

/// Whether the agent ever had this command.
pub(crate) async fn exists(db: &mut AnyConnection, id: &str, agent: &AgentName) -> Result<bool> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT id FROM queue_commands WHERE id = $1 AND agent = $2")
            .bind(id)
            .bind(agent.as_str())
            .fetch_optional(db)
            .await?;
    Ok(found.is_some())
}

/// What was asked of a queue, newest first, older than the id `before`.
pub(crate) async fn list(
    db: &mut AnyConnection,
    store: &str,
    queue: &str,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<QueueCommandRecord>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM queue_commands WHERE store = $1 AND queue = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
    )
    .bind(store)
    .bind(queue)
    .bind(before.unwrap_or("~"))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::record).collect()
}

pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM queue_commands WHERE finished_at_us < $1")
        .bind(before.0)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

fn count(jobs: u64) -> i64 {
    i64::try_from(jobs).unwrap_or(i64::MAX)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    store: String,
    queue: String,
    operation: String,
    requested_by: String,
    requested_at_us: i64,
    status: String,
    done: i64,
    carried: i64,
    more: i64,
    error: Option<String>,
    finished_at_us: Option<i64>,
}

impl Row {
    fn record(self) -> Result<QueueCommandRecord> {
        Ok(QueueCommandRecord {
            command: QueueCommand {
                id: self.id,
                store: self.store,
                queue: self.queue,
                operation: from_json(&self.operation)?,
                requested_by: self.requested_by,
                requested_at: Timestamp(self.requested_at_us),
            },
            status: from_word(self.status)?,
            done: u64::try_from(self.done.saturating_add(self.carried)).unwrap_or_default(),
            more: self.more == 1,
            error: self.error,
            finished_at: self.finished_at_us.map(Timestamp),
        })
    }

    /// The command without what earlier sessions have told to be done.
    fn remaining(self) -> Result<QueueCommand> {
        let carried = u64::try_from(self.carried).unwrap_or_default();
        let mut command = self.record()?.command;
        if let QueueOperation::RetryFailed { limit } | QueueOperation::PromoteDelayed { limit } =
            &mut command.operation
        {
            *limit = limit.saturating_sub(carried);
        }
        Ok(command)
    }
}
