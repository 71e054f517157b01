use ops_contract::Timestamp;
use sqlx::AnyConnection;

use super::Result;

/// What the value last seen looked like, under a key that lies outside the store.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Print {
    pub(crate) key_id: String,
    pub(crate) print: String,
    /// Since when it is known.
    pub(crate) seen_at_us: i64,
    pub(crate) same_at_us: Option<i64>,
}

pub(crate) async fn get(db: &mut AnyConnection, secret: &str) -> Result<Option<Print>> {
    sqlx::query_as("SELECT key_id, print, seen_at_us, same_at_us FROM secret_prints WHERE secret = $1")
        .bind(secret)
        .fetch_optional(db)
        .await
}

/// Puts down the fingerprint of a value that is new.
pub(crate) async fn put(
    db: &mut AnyConnection,
    secret: &str,
    key_id: &str,
    print: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO secret_prints (secret, key_id, print, seen_at_us) VALUES ($1, $2, $3, $4)
         ON CONFLICT (secret) DO UPDATE SET key_id = excluded.key_id, print = excluded.print,
             seen_at_us = excluded.seen_at_us, same_at_us = NULL",
    )
    .bind(secret)
    .bind(key_id)
    .bind(print)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(())
}

/// A renewal has left the value as it was.
pub(crate) async fn note_same(db: &mut AnyConnection, secret: &str, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE secret_prints SET same_at_us = $2 WHERE secret = $1")
        .bind(secret)
        .bind(now.0)
        .execute(db)
        .await?;
    Ok(())
}
