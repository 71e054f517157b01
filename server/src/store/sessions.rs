use ops_contract::Timestamp;
use sqlx::AnyConnection;

use super::Result;

pub(crate) async fn insert(
    db: &mut AnyConnection,
    id_hash: &str,
    operator: &str,
    expires_at: Timestamp,
) -> Result<()> {
    sqlx::query("INSERT INTO sessions (id_hash, operator, expires_at_us) VALUES ($1, $2, $3)")
        .bind(id_hash)
        .bind(operator)
        .bind(expires_at.0)
        .execute(db)
        .await?;
    Ok(())
}

/// The operator's name of a session that has not ended, and when it ends.
pub(crate) async fn operator(
    db: &mut AnyConnection,
    id_hash: &str,
    now: Timestamp,
) -> Result<Option<(String, Timestamp)>> {
    let row: Option<(String, i64)> = sqlx::query_as(
        "SELECT operator, expires_at_us FROM sessions WHERE id_hash = $1 AND expires_at_us > $2",
    )
    .bind(id_hash)
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(row.map(|(operator, until)| (operator, Timestamp(until))))
}

pub(crate) async fn remove(db: &mut AnyConnection, id_hash: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE id_hash = $1").bind(id_hash).execute(db).await?;
    Ok(())
}

pub(crate) async fn prune(db: &mut AnyConnection, now: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM sessions WHERE expires_at_us <= $1").bind(now.0).execute(db).await?;
    Ok(done.rows_affected())
}
