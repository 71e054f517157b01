use ops_contract::{SecretRequest, Timestamp};
use sqlx::AnyConnection;

use super::Result;

/// Writes a request down; false when the same person has one for the same secret.
pub(crate) async fn insert(db: &mut AnyConnection, it: &SecretRequest) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO secret_requests (id, secret, requested_by, reason, at_us, until_us)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(&it.id)
    .bind(&it.secret)
    .bind(&it.by)
    .bind(&it.reason)
    .bind(it.at.0)
    .bind(it.until.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A second admin agrees; false when it is over, agreed on already, or their own.
pub(crate) async fn approve(db: &mut AnyConnection, id: &str, by: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE secret_requests SET approved_by = $2
         WHERE id = $1 AND requested_by <> $2 AND approved_by IS NULL AND outcome IS NULL AND until_us > $3",
    )
    .bind(id)
    .bind(by)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses an approved request up; false when there is none to use.
pub(crate) async fn take(db: &mut AnyConnection, id: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE secret_requests SET outcome = 'read'
         WHERE id = $1 AND approved_by IS NOT NULL AND outcome IS NULL AND until_us > $2",
    )
    .bind(id)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a request whose time is over; false when another did.
pub(crate) async fn expire(db: &mut AnyConnection, id: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE secret_requests SET outcome = 'expired' WHERE id = $1 AND outcome IS NULL AND until_us <= $2",
    )
    .bind(id)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Requests that are not over, oldest first; also those whose time is, until that is recorded.
pub(crate) async fn open(db: &mut AnyConnection) -> Result<Vec<SecretRequest>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM secret_requests WHERE outcome IS NULL ORDER BY id")
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.request().0).collect())
}

/// A request, and how it ended if it has.
pub(crate) async fn get(db: &mut AnyConnection, id: &str) -> Result<Option<(SecretRequest, Option<String>)>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM secret_requests WHERE id = $1").bind(id).fetch_optional(db).await?;
    Ok(row.map(Row::request))
}

/// The open request of a person for a secret.
pub(crate) async fn open_of(db: &mut AnyConnection, secret: &str, by: &str) -> Result<Option<SecretRequest>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT * FROM secret_requests WHERE secret = $1 AND requested_by = $2 AND outcome IS NULL",
    )
    .bind(secret)
    .bind(by)
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| row.request().0))
}

/// Forgets what was over before `before`; the audit log keeps it.
pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM secret_requests WHERE outcome IS NOT NULL AND until_us < $1")
        .bind(before.0)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    secret: String,
    requested_by: String,
    reason: String,
    at_us: i64,
    until_us: i64,
    approved_by: Option<String>,
    outcome: Option<String>,
}

impl Row {
    fn request(self) -> (SecretRequest, Option<String>) {
        let request = SecretRequest {
            id: self.id,
            secret: self.secret,
            by: self.requested_by,
            reason: self.reason,
            at: Timestamp(self.at_us),
            until: Timestamp(self.until_us),
            approved_by: self.approved_by,
        };
        (request, self.outcome)
    }
}
