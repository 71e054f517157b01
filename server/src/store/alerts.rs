use ops_contract::{Alert, AlertState, Timestamp};
use sqlx::AnyConnection;

use super::{Result, from_json, to_json, word};

/// Writes an alert as it now stands. Another living one of the same rule and labels is an error.
pub(crate) async fn upsert(db: &mut AnyConnection, alert: &Alert) -> Result<()> {
    sqlx::query(
        "INSERT INTO alerts (id, rule, fingerprint, state, active_at_us, resolved_at_us, alert)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, resolved_at_us = excluded.resolved_at_us,
             alert = excluded.alert",
    )
    .bind(&alert.id)
    .bind(&alert.rule)
    .bind(&alert.fingerprint)
    .bind(word(&alert.state)?)
    .bind(alert.active_at.0)
    .bind(alert.resolved_at.map(|it| it.0))
    .bind(to_json(alert)?)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets an alert that never fired.
pub(crate) async fn delete(db: &mut AnyConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM alerts WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}

/// The rule of alerts that others sent.
pub(crate) const RECEIVED: &str = "received";

/// What is pending or fires of the own rules, and what resolved after `since`.
pub(crate) async fn living(db: &mut AnyConnection, since: Timestamp) -> Result<Vec<Alert>> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT alert FROM alerts
         WHERE (state <> 'resolved' OR resolved_at_us > $1) AND rule <> 'received' ORDER BY active_at_us, id",
    )
    .bind(since.0)
    .fetch_all(db)
    .await?;
    rows.iter().map(|(alert,)| from_json(alert)).collect()
}

/// Resolved alerts, newest first, that resolved before `before` (time and id of the last one read).
pub(crate) async fn history(
    db: &mut AnyConnection,
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> Result<Vec<Alert>> {
    let (time, id) = before.unwrap_or((Timestamp(i64::MAX), "~"));
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT alert FROM alerts
         WHERE state = 'resolved' AND (resolved_at_us < $1 OR (resolved_at_us = $1 AND id < $2))
         ORDER BY resolved_at_us DESC, id DESC LIMIT $3",
    )
    .bind(time.0)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.iter().map(|(alert,)| from_json(alert)).collect()
}

/// Forgets what resolved before `before`.
pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let state = word(&AlertState::Resolved)?;
    let done = sqlx::query("DELETE FROM alerts WHERE state = $1 AND resolved_at_us < $2")
        .bind(state)
        .bind(before.0)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

/// Writes an alert that others sent, and when it ends unless it is sent again.
pub(crate) async fn upsert_received(db: &mut AnyConnection, alert: &Alert, ends_at: Timestamp) -> Result<()> {
    upsert(db, alert).await?;
    sqlx::query("UPDATE alerts SET ends_at_us = $2 WHERE id = $1")
        .bind(&alert.id)
        .bind(ends_at.0)
        .execute(db)
        .await?;
    Ok(())
}

/// The living alert of others with these labels.
pub(crate) async fn received(db: &mut AnyConnection, fingerprint: &str) -> Result<Option<Alert>> {
    let row: Option<String> = sqlx::query_scalar(
        "SELECT alert FROM alerts WHERE rule = $1 AND fingerprint = $2 AND state <> 'resolved'",
    )
    .bind(RECEIVED)
    .bind(fingerprint)
    .fetch_optional(db)
    .await?;
    row.map(|text| from_json(&text)).transpose()
}

/// Living alerts of others whose time is over, and when it was.
pub(crate) async fn expired(db: &mut AnyConnection, now: Timestamp) -> Result<Vec<(Alert, Timestamp)>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT alert, ends_at_us FROM alerts WHERE ends_at_us <= $1 AND state = 'firing' LIMIT 1000",
    )
    .bind(now.0)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|(text, at)| Ok((from_json(&text)?, Timestamp(at)))).collect()
}

/// What fires, whoever says so, and what a group still holds.
pub(crate) async fn told_or_firing(db: &mut AnyConnection) -> Result<Vec<Alert>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT alert FROM alerts
         WHERE state = 'firing' OR id IN (SELECT alert FROM alert_group_members) ORDER BY active_at_us, id",
    )
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

/// What resolved after `since`, whoever said so.
pub(crate) async fn resolved_since(db: &mut AnyConnection, since: Timestamp) -> Result<Vec<Alert>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT alert FROM alerts WHERE state = 'resolved' AND resolved_at_us > $1 ORDER BY active_at_us, id",
    )
    .bind(since.0)
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}
