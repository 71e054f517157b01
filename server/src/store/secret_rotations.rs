use ops_contract::{RotationPhase, SecretRotation, Timestamp};
use sqlx::AnyConnection;

use super::{Result, from_word, word};

/// Writes a renewal down; false when one of this secret is under way.
pub(crate) async fn insert(db: &mut AnyConnection, it: &SecretRotation) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO secret_rotations (id, secret, method, phase, requested_by, reason, began_at_us, phase_at_us,
             login, until_us, waits_for)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
    )
    .bind(&it.id)
    .bind(&it.secret)
    .bind(&it.method)
    .bind(word(&it.phase)?)
    .bind(&it.by)
    .bind(&it.reason)
    .bind(it.began_at.0)
    .bind(it.phase_at.0)
    .bind(&it.login)
    .bind(it.until.map(|at| at.0))
    .bind(&it.waits_for)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves a renewal on from the phase `from`; false when another was quicker.
pub(crate) async fn advance(
    db: &mut AnyConnection,
    it: &SecretRotation,
    from: RotationPhase,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE secret_rotations SET phase = $3, phase_at_us = $4, login = $5, until_us = $6, waits_for = NULL,
             ended_at_us = $7
         WHERE id = $1 AND phase = $2 AND ended_at_us IS NULL",
    )
    .bind(&it.id)
    .bind(word(&from)?)
    .bind(word(&it.phase)?)
    .bind(now.0)
    .bind(&it.login)
    .bind(it.until.map(|at| at.0))
    .bind(it.phase.is_over().then_some(now.0))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Says what a renewal waits for.
pub(crate) async fn wait(db: &mut AnyConnection, id: &str, waits_for: &str) -> Result<()> {
    sqlx::query("UPDATE secret_rotations SET waits_for = $2 WHERE id = $1 AND ended_at_us IS NULL")
        .bind(id)
        .bind(waits_for)
        .execute(db)
        .await?;
    Ok(())
}

/// The grace of the key before is over at `until`; false when there is none.
pub(crate) async fn cut_grace(db: &mut AnyConnection, id: &str, until: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE secret_rotations SET until_us = $2 WHERE id = $1 AND phase = 'overlap'")
        .bind(id)
        .bind(until.0)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Renewals that are under way, oldest first.
pub(crate) async fn open(db: &mut AnyConnection) -> Result<Vec<SecretRotation>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM secret_rotations WHERE ended_at_us IS NULL ORDER BY id")
            .fetch_all(db)
            .await?;
    rows.into_iter().map(Row::rotation).collect()
}

/// The renewal of a secret that is under way.
pub(crate) async fn open_of(db: &mut AnyConnection, secret: &str) -> Result<Option<SecretRotation>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM secret_rotations WHERE secret = $1 AND ended_at_us IS NULL")
            .bind(secret)
            .fetch_optional(db)
            .await?;
    row.map(Row::rotation).transpose()
}

/// Newest first.
pub(crate) async fn list(db: &mut AnyConnection, before: &str, limit: u32) -> Result<Vec<SecretRotation>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM secret_rotations WHERE id < $1 ORDER BY id DESC LIMIT $2")
            .bind(before)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?;
    rows.into_iter().map(Row::rotation).collect()
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    secret: String,
    method: String,
    phase: String,
    requested_by: String,
    reason: String,
    began_at_us: i64,
    phase_at_us: i64,
    login: Option<String>,
    until_us: Option<i64>,
    waits_for: Option<String>,
    ended_at_us: Option<i64>,
}

impl Row {
    fn rotation(self) -> Result<SecretRotation> {
        Ok(SecretRotation {
            id: self.id,
            secret: self.secret,
            method: self.method,
            phase: from_word(self.phase)?,
            by: self.requested_by,
            reason: self.reason,
            began_at: Timestamp(self.began_at_us),
            phase_at: Timestamp(self.phase_at_us),
            login: self.login,
            until: self.until_us.map(Timestamp),
            waits_for: self.waits_for,
            steps: Vec::new(),
            ended_at: self.ended_at_us.map(Timestamp),
        })
    }
}
