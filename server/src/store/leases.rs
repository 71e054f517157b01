use ops_contract::Timestamp;
use sqlx::AnyConnection;

use super::Result;

/// Takes or renews the lease; false when another has it.
pub(crate) async fn take(
    db: &mut AnyConnection,
    name: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool> {
    let holder_now: Option<String> = sqlx::query_scalar(
        "INSERT INTO leases (name, holder, expires_at_us) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at_us = excluded.expires_at_us
             WHERE leases.holder = excluded.holder OR leases.expires_at_us < $4
         RETURNING holder",
    )
    .bind(name)
    .bind(holder)
    .bind(until.0)
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(holder_now.as_deref() == Some(holder))
}

/// Whether the lease is ours now. Changes nothing.
pub(crate) async fn holds(db: &mut AnyConnection, name: &str, holder: &str, now: Timestamp) -> Result<bool> {
    let ours: Option<i64> = sqlx::query_scalar(
        "SELECT expires_at_us FROM leases WHERE name = $1 AND holder = $2 AND expires_at_us > $3",
    )
    .bind(name)
    .bind(holder)
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(ours.is_some())
}

/// Whether another has the lease now. Changes nothing.
pub(crate) async fn is_of_another(
    db: &mut AnyConnection,
    name: &str,
    holder: &str,
    now: Timestamp,
) -> Result<bool> {
    let other: Option<i64> = sqlx::query_scalar(
        "SELECT expires_at_us FROM leases WHERE name = $1 AND holder <> $2 AND expires_at_us > $3",
    )
    .bind(name)
    .bind(holder)
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(other.is_some())
}

/// Whether the lease is ours, and keeps it from others until the transaction ends.
pub(crate) async fn keep(db: &mut AnyConnection, name: &str, holder: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE leases SET expires_at_us = expires_at_us WHERE name = $1 AND holder = $2 AND expires_at_us > $3",
    )
    .bind(name)
    .bind(holder)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn release(db: &mut AnyConnection, name: &str, holder: &str) -> Result<()> {
    sqlx::query("DELETE FROM leases WHERE name = $1 AND holder = $2")
        .bind(name)
        .bind(holder)
        .execute(db)
        .await?;
    Ok(())
}
