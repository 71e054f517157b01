use ops_contract::{Notification, Timestamp};
use sqlx::AnyConnection;

use super::{Result, from_json, to_json};

/// Writes one; a second time is the same.
pub(crate) async fn insert(db: &mut AnyConnection, note: &Notification) -> Result<()> {
    sqlx::query(
        "INSERT INTO notifications (id, receiver, incident, created_at_us, notification)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&note.id)
    .bind(&note.receiver)
    .bind(note.incident.as_deref())
    .bind(note.created_at.0)
    .bind(to_json(note)?)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn get(db: &mut AnyConnection, id: &str) -> Result<Option<Notification>> {
    let row: Option<String> = sqlx::query_scalar("SELECT notification FROM notifications WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|text| from_json(&text)).transpose()
}

/// Newest first, those before `before` (time and id of the last one read), of one incident or of all.
pub(crate) async fn list(
    db: &mut AnyConnection,
    incident: Option<&str>,
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> Result<Vec<Notification>> {
    let (time, id) = before.unwrap_or((Timestamp(i64::MAX), "~"));
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT notification FROM notifications
         WHERE (created_at_us < $1 OR (created_at_us = $1 AND id < $2)) AND ($3 = '' OR incident = $3)
         ORDER BY created_at_us DESC, id DESC LIMIT $4",
    )
    .bind(time.0)
    .bind(id)
    .bind(incident.unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

/// Forgets those before `before` of which no delivery waits, with their deliveries and attempts.
pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let old = "SELECT n.id FROM notifications n WHERE n.created_at_us < $1 AND NOT EXISTS (
                   SELECT 1 FROM deliveries w WHERE w.notification = n.id AND w.status = 'pending')";
    let mut rows = 0;
    for statement in [
        format!(
            "DELETE FROM delivery_attempts WHERE delivery IN (
                 SELECT d.id FROM deliveries d WHERE d.notification IN ({old}))"
        ),
        format!("DELETE FROM deliveries WHERE notification IN ({old})"),
        "DELETE FROM notifications WHERE created_at_us < $1 AND NOT EXISTS (
             SELECT 1 FROM deliveries w WHERE w.notification = notifications.id AND w.status = 'pending')"
            .to_owned(),
    ] {
        rows += sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(before.0)
            .execute(&mut *db)
            .await?
            .rows_affected();
    }
    Ok(rows)
}
