use ops_contract::{Operator, Timestamp};
use sqlx::AnyConnection;

use super::{Result, from_word, word};

pub(crate) async fn upsert(
    db: &mut AnyConnection,
    operator: &Operator,
    token_id: &str,
    token_hash: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO operators (name, role, token_id, token_hash, created_at_us) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) DO UPDATE SET role = excluded.role, token_id = excluded.token_id,
             token_hash = excluded.token_hash",
    )
    .bind(&operator.name)
    .bind(word(&operator.role)?)
    .bind(token_id)
    .bind(token_hash)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Adds an operator; false when the name is taken.
pub(crate) async fn insert(
    db: &mut AnyConnection,
    operator: &Operator,
    token_id: &str,
    token_hash: &str,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO operators (name, role, token_id, token_hash, created_at_us) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&operator.name)
    .bind(word(&operator.role)?)
    .bind(token_id)
    .bind(token_hash)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The operator of a token's id, with the token's hash.
pub(crate) async fn by_token_id(
    db: &mut AnyConnection,
    token_id: &str,
) -> Result<Option<(Operator, String)>> {
    let row: Option<(String, String, String)> =
        sqlx::query_as("SELECT name, role, token_hash FROM operators WHERE token_id = $1")
            .bind(token_id)
            .fetch_optional(db)
            .await?;
    row.map(|(name, role, hash)| Ok((Operator { name, role: from_word(role)? }, hash))).transpose()
}

pub(crate) async fn by_name(db: &mut AnyConnection, name: &str) -> Result<Option<Operator>> {
    let row: Option<(String, String)> = sqlx::query_as("SELECT name, role FROM operators WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await?;
    row.map(|(name, role)| Ok(Operator { name, role: from_word(role)? })).transpose()
}

pub(crate) async fn list(db: &mut AnyConnection) -> Result<Vec<Operator>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT name, role FROM operators ORDER BY name").fetch_all(db).await?;
    rows.into_iter().map(|(name, role)| Ok(Operator { name, role: from_word(role)? })).collect()
}
