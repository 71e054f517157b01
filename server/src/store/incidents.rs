use ops_contract::{Incident, Timestamp};
use sqlx::AnyConnection;

use super::{Result, from_json, to_json, word};

/// Fewest digits of an id that name it.
const SHORTEST: usize = 6;

/// Writes an incident as it now stands. `look_at`: when time changes it: an escalation, the end of an acknowledgement.
pub(crate) async fn upsert(
    db: &mut AnyConnection,
    incident: &Incident,
    look_at: Option<Timestamp>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO incidents (id, state, opened_at_us, look_at_us, resolved_at_us, incident)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, look_at_us = excluded.look_at_us,
             resolved_at_us = excluded.resolved_at_us, incident = excluded.incident",
    )
    .bind(&incident.id)
    .bind(word(&incident.state)?)
    .bind(incident.opened_at.0)
    .bind(look_at.map(|it| it.0))
    .bind(incident.resolved_at.map(|it| it.0))
    .bind(to_json(incident)?)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn get(db: &mut AnyConnection, id: &str) -> Result<Option<Incident>> {
    let row: Option<String> = sqlx::query_scalar("SELECT incident FROM incidents WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|text| from_json(&text)).transpose()
}

/// The one whose id begins so, when it is the only one; people do not type 32 digits.
pub(crate) async fn find(db: &mut AnyConnection, start: &str) -> Result<Option<Incident>> {
    if start.len() < SHORTEST || !start.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-') {
        return get(db, start).await;
    }
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT incident FROM incidents WHERE id = $1 OR id LIKE $2 ORDER BY id LIMIT 2")
            .bind(start)
            .bind(format!("{start}%"))
            .fetch_all(db)
            .await?;
    match &rows[..] {
        [only] => from_json(only).map(Some),
        _ => Ok(None),
    }
}

/// Those that are not resolved, oldest first.
pub(crate) async fn living(db: &mut AnyConnection, most: u32) -> Result<Vec<Incident>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT incident FROM incidents WHERE state <> 'resolved' ORDER BY opened_at_us, id LIMIT $1",
    )
    .bind(i64::from(most))
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

/// Resolved ones, newest first, those before `before` (opening time and id of the last one read).
pub(crate) async fn resolved(
    db: &mut AnyConnection,
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> Result<Vec<Incident>> {
    let (time, id) = before.unwrap_or((Timestamp(i64::MAX), "~"));
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT incident FROM incidents
         WHERE state = 'resolved' AND (opened_at_us < $1 OR (opened_at_us = $1 AND id < $2))
         ORDER BY opened_at_us DESC, id DESC LIMIT $3",
    )
    .bind(time.0)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

/// Those that time has changed.
pub(crate) async fn due(db: &mut AnyConnection, now: Timestamp) -> Result<Vec<Incident>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT incident FROM incidents WHERE look_at_us <= $1 ORDER BY look_at_us LIMIT 100",
    )
    .bind(now.0)
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

/// When time next changes one.
pub(crate) async fn next_due(db: &mut AnyConnection) -> Result<Option<Timestamp>> {
    let next: Option<i64> = sqlx::query_scalar("SELECT MIN(look_at_us) FROM incidents").fetch_one(db).await?;
    Ok(next.map(Timestamp))
}

/// The incident that a group belongs to.
pub(crate) async fn of_group(db: &mut AnyConnection, group: &str) -> Result<Option<String>> {
    sqlx::query_scalar("SELECT incident FROM incident_groups WHERE group_id = $1")
        .bind(group)
        .fetch_optional(db)
        .await
}

/// The groups of an incident.
pub(crate) async fn groups(db: &mut AnyConnection, incident: &str) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT group_id FROM incident_groups WHERE incident = $1")
        .bind(incident)
        .fetch_all(db)
        .await
}

/// Every group with the incident it belongs to.
pub(crate) async fn all_groups(db: &mut AnyConnection) -> Result<Vec<(String, String)>> {
    sqlx::query_as("SELECT group_id, incident FROM incident_groups").fetch_all(db).await
}

pub(crate) async fn join_group(db: &mut AnyConnection, group: &str, incident: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO incident_groups (group_id, incident) VALUES ($1, $2)
         ON CONFLICT (group_id) DO UPDATE SET incident = excluded.incident",
    )
    .bind(group)
    .bind(incident)
    .execute(db)
    .await?;
    Ok(())
}

/// A group is over; its incident may go on in others.
pub(crate) async fn leave_group(db: &mut AnyConnection, group: &str) -> Result<()> {
    sqlx::query("DELETE FROM incident_groups WHERE group_id = $1").bind(group).execute(db).await?;
    Ok(())
}

/// The newest incident in which an alert was told.
pub(crate) async fn of_alert(db: &mut AnyConnection, alert: &str) -> Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT a.incident FROM incident_alerts a JOIN incidents i ON i.id = a.incident
         WHERE a.alert = $1 ORDER BY i.opened_at_us DESC LIMIT 1",
    )
    .bind(alert)
    .fetch_optional(db)
    .await
}

/// Notes that an alert was told in an incident, and whether it has resolved.
pub(crate) async fn put_alert(
    db: &mut AnyConnection,
    incident: &str,
    alert: &str,
    resolved: bool,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO incident_alerts (alert, incident, resolved) VALUES ($1, $2, $3)
         ON CONFLICT (alert, incident) DO UPDATE SET resolved = excluded.resolved",
    )
    .bind(alert)
    .bind(incident)
    .bind(i64::from(resolved))
    .execute(db)
    .await?;
    Ok(())
}

/// How many of its alerts fire on.
pub(crate) async fn firing(db: &mut AnyConnection, incident: &str) -> Result<i64> {
    sqlx::query_scalar("SELECT COUNT(*) FROM incident_alerts WHERE incident = $1 AND resolved = 0")
        .bind(incident)
        .fetch_one(db)
        .await
}

/// Notes that a link was used; false when it was before.
pub(crate) async fn use_link(db: &mut AnyConnection, id: &str, expires_at: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO used_ack_links (id, expires_at_us) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
    )
    .bind(id)
    .bind(expires_at.0)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a link was used.
pub(crate) async fn is_used(db: &mut AnyConnection, id: &str) -> Result<bool> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT id FROM used_ack_links WHERE id = $1").bind(id).fetch_optional(db).await?;
    Ok(found.is_some())
}

/// Forgets incidents that resolved before `before`, and links that ended before it.
pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let mut rows = 0;
    for statement in [
        "DELETE FROM incident_alerts WHERE incident IN (SELECT id FROM incidents WHERE resolved_at_us < $1)",
        "DELETE FROM incidents WHERE resolved_at_us < $1",
        "DELETE FROM used_ack_links WHERE expires_at_us < $1",
    ] {
        rows += sqlx::query(statement).bind(before.0).execute(&mut *db).await?.rows_affected();
    }
    Ok(rows)
}
