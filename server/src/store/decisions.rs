use ops_contract::{Decision, Timestamp};
use sqlx::AnyConnection;
use uuid::Uuid;

use super::{Result, from_json, to_json};

/// A decision as the store has it.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Recorded {
    /// UUIDv7 as text; sorts by time.
    pub(crate) id: String,
    /// When.
    pub(crate) at: Timestamp,
    /// About which replica.
    pub(crate) subject: String,
    /// What.
    #[serde(flatten)]
    pub(crate) decision: Decision,
}

pub(crate) async fn insert(
    db: &mut AnyConnection,
    subject: &str,
    decision: &Decision,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("INSERT INTO decisions (id, at_us, subject, decision) VALUES ($1, $2, $3, $4)")
        .bind(Uuid::now_v7().to_string())
        .bind(now.0)
        .bind(subject)
        .bind(to_json(decision)?)
        .execute(db)
        .await?;
    Ok(())
}

/// Newest first, older than the id `before`.
pub(crate) async fn list(db: &mut AnyConnection, before: Option<&str>, limit: u32) -> Result<Vec<Recorded>> {
    let rows: Vec<(String, i64, String, String)> = sqlx::query_as(
        "SELECT id, at_us, subject, decision FROM decisions WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(before.unwrap_or("~"))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, at, subject, decision)| {
            Ok(Recorded { id, at: Timestamp(at), subject, decision: from_json(&decision)? })
        })
        .collect()
}

pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM decisions WHERE at_us < $1").bind(before.0).execute(db).await?;
    Ok(done.rows_affected())
}
