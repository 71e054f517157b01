use ops_contract::Timestamp;
use sqlx::AnyConnection;

use super::Result;

/// When each job reported in last, or was first expected to.
pub(crate) async fn all(db: &mut AnyConnection) -> Result<Vec<(String, Timestamp)>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, at_us FROM heartbeats ORDER BY name").fetch_all(db).await?;
    Ok(rows.into_iter().map(|(name, at)| (name, Timestamp(at))).collect())
}

/// A job has reported in.
pub(crate) async fn put(db: &mut AnyConnection, name: &str, at: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO heartbeats (name, at_us) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET at_us = excluded.at_us WHERE heartbeats.at_us < excluded.at_us",
    )
    .bind(name)
    .bind(at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// A job is expected from now on, unless it was before.
pub(crate) async fn expect(db: &mut AnyConnection, name: &str, at: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO heartbeats (name, at_us) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(at.0)
        .execute(db)
        .await?;
    Ok(())
}
