use ops_contract::Timestamp;
use sqlx::AnyConnection;

use super::Result;

/// Values that were recorded as handed out, until their answer was sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Handout {
    pub(crate) id: String,
    /// The process that answers.
    pub(crate) holder: String,
    pub(crate) at_us: i64,
    /// The first entry that records it.
    pub(crate) seq: i64,
    pub(crate) actor: String,
    pub(crate) secrets: String,
}

pub(crate) async fn insert(db: &mut AnyConnection, it: &Handout) -> Result<()> {
    sqlx::query(
        "INSERT INTO secret_handouts (id, holder, at_us, seq, actor, secrets) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&it.id)
    .bind(&it.holder)
    .bind(it.at_us)
    .bind(it.seq)
    .bind(&it.actor)
    .bind(&it.secrets)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets one; false when another did.
pub(crate) async fn remove(db: &mut AnyConnection, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM secret_handouts WHERE id = $1").bind(id).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Those of other processes from before `before`, oldest first.
pub(crate) async fn left(
    db: &mut AnyConnection,
    holder: &str,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Handout>> {
    sqlx::query_as(
        "SELECT id, holder, at_us, seq, actor, secrets FROM secret_handouts
         WHERE holder <> $1 AND at_us < $2 ORDER BY at_us, id LIMIT $3",
    )
    .bind(holder)
    .bind(before.0)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await
}

pub(crate) async fn get(db: &mut AnyConnection, id: &str) -> Result<Option<Handout>> {
    sqlx::query_as("SELECT id, holder, at_us, seq, actor, secrets FROM secret_handouts WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await
}
