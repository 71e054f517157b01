use ops_contract::{AgentName, Timestamp};
use sqlx::AnyConnection;

use super::Result;

pub(crate) async fn upsert(
    db: &mut AnyConnection,
    name: &AgentName,
    token_id: &str,
    token_hash: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO agents (name, token_id, token_hash, created_at_us) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET token_id = excluded.token_id, token_hash = excluded.token_hash",
    )
    .bind(name.as_str())
    .bind(token_id)
    .bind(token_hash)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(())
}

/// All agents that there are.
pub(crate) async fn names(db: &mut AnyConnection) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT name FROM agents ORDER BY name").fetch_all(db).await
}

/// The agent of a token's id, with the token's hash.
pub(crate) async fn by_token_id(
    db: &mut AnyConnection,
    token_id: &str,
) -> Result<Option<(AgentName, String)>> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT name, token_hash FROM agents WHERE token_id = $1")
            .bind(token_id)
            .fetch_optional(db)
            .await?;
    Ok(row.map(|(name, hash)| (AgentName(name), hash)))
}
