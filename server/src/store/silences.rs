use ops_contract::{Silence, Timestamp};
use sqlx::AnyConnection;

use super::{Result, from_json, to_json};

/// Writes a silence as it now stands.
pub(crate) async fn upsert(db: &mut AnyConnection, silence: &Silence) -> Result<()> {
    sqlx::query(
        "INSERT INTO silences (id, ends_at_us, updated_at_us, silence) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET ends_at_us = excluded.ends_at_us,
             updated_at_us = excluded.updated_at_us, silence = excluded.silence",
    )
    .bind(&silence.id)
    .bind(silence.ends_at.0)
    .bind(silence.updated_at.0)
    .bind(to_json(silence)?)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn get(db: &mut AnyConnection, id: &str) -> Result<Option<Silence>> {
    let row: Option<String> =
        sqlx::query_scalar("SELECT silence FROM silences WHERE id = $1").bind(id).fetch_optional(db).await?;
    row.map(|text| from_json(&text)).transpose()
}

/// Those that end after `since`, at most `limit`; the last to end first.
pub(crate) async fn ending_after(
    db: &mut AnyConnection,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Silence>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT silence FROM silences WHERE ends_at_us > $1 ORDER BY ends_at_us DESC, id LIMIT $2",
    )
    .bind(since.0)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

/// Those that end after `since`, the last to end first, from after `before` (end and id of the last one read) on.
pub(crate) async fn page(
    db: &mut AnyConnection,
    since: Timestamp,
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> Result<Vec<Silence>> {
    let (time, id) = before.unwrap_or((Timestamp(i64::MAX), "~"));
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT silence FROM silences
         WHERE ends_at_us > $1 AND (ends_at_us < $2 OR (ends_at_us = $2 AND id < $3))
         ORDER BY ends_at_us DESC, id DESC LIMIT $4",
    )
    .bind(since.0)
    .bind(time.0)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

/// Those that ran out after `since`, at `until` at the latest; not those that somebody ended.
pub(crate) async fn ran_out(
    db: &mut AnyConnection,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Silence>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT silence FROM silences WHERE ends_at_us > $1 AND ends_at_us <= $2 AND updated_at_us < ends_at_us
         ORDER BY ends_at_us, id LIMIT 1000",
    )
    .bind(since.0)
    .bind(until.0)
    .fetch_all(db)
    .await?;
    rows.iter().map(|text| from_json(text)).collect()
}

/// Forgets what ended before `before`.
pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM silences WHERE ends_at_us < $1").bind(before.0).execute(db).await?;
    Ok(done.rows_affected())
}
