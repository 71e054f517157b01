use ops_contract::Timestamp;
use sqlx::AnyConnection;

use super::Result;

pub(crate) async fn insert(
    db: &mut AnyConnection,
    code_hash: &str,
    operator: &str,
    expires_at: Timestamp,
) -> Result<()> {
    sqlx::query("INSERT INTO links (code_hash, operator, expires_at_us) VALUES ($1, $2, $3)")
        .bind(code_hash)
        .bind(operator)
        .bind(expires_at.0)
        .execute(db)
        .await?;
    Ok(())
}

/// Uses a link up and says whose it was. Of two at once, one gets it.
pub(crate) async fn take(db: &mut AnyConnection, code_hash: &str, now: Timestamp) -> Result<Option<String>> {
    sqlx::query_scalar("DELETE FROM links WHERE code_hash = $1 AND expires_at_us > $2 RETURNING operator")
        .bind(code_hash)
        .bind(now.0)
        .fetch_optional(db)
        .await
}

pub(crate) async fn prune(db: &mut AnyConnection, now: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM links WHERE expires_at_us <= $1").bind(now.0).execute(db).await?;
    Ok(done.rows_affected())
}
