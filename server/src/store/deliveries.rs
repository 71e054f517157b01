use ops_contract::{AttemptOutcome, Delivery, DeliveryAttempt, DeliveryStatus, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Result, from_word, word};

/// Attempts that are shown of a delivery.
const SHOWN: i64 = 50;

/// A delivery that waits, as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) notification: String,
    pub(crate) receiver: String,
    pub(crate) integration: String,
    /// What is sent in order: an integration and a group, or an integration and an alert.
    pub(crate) lane: String,
    /// Where the integration tells one alert at a time.
    pub(crate) alert: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) next_attempt_at: Timestamp,
    pub(crate) attempts: u32,
    /// The receiver may have it, though it did not say so.
    pub(crate) uncertain: bool,
}

const COLUMNS: &str = "id, notification, receiver, integration, lane, alert, created_at_us,
    next_attempt_at_us, attempts, uncertain";

fn waiting(row: &AnyRow) -> Result<Waiting> {
    Ok(Waiting {
        id: row.try_get("id")?,
        notification: row.try_get("notification")?,
        receiver: row.try_get("receiver")?,
        integration: row.try_get("integration")?,
        lane: row.try_get("lane")?,
        alert: row.try_get("alert")?,
        created_at: Timestamp(row.try_get("created_at_us")?),
        next_attempt_at: Timestamp(row.try_get::<Option<i64>, _>("next_attempt_at_us")?.unwrap_or(0)),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
        uncertain: row.try_get::<i64, _>("uncertain")? != 0,
    })
}

pub(crate) async fn insert(db: &mut AnyConnection, it: &Waiting) -> Result<()> {
    sqlx::query(
        "INSERT INTO deliveries (id, notification, receiver, integration, lane, alert, status, created_at_us,
             next_attempt_at_us, attempts, uncertain)
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&it.id)
    .bind(&it.notification)
    .bind(&it.receiver)
    .bind(&it.integration)
    .bind(&it.lane)
    .bind(it.alert.as_deref())
    .bind(it.created_at.0)
    .bind(it.next_attempt_at.0)
    .bind(i64::from(it.attempts))
    .bind(i64::from(it.uncertain))
    .execute(db)
    .await?;
    Ok(())
}

/// The integrations for which something is due, as receiver and key.
pub(crate) async fn due(db: &mut AnyConnection, now: Timestamp) -> Result<Vec<(String, String)>> {
    sqlx::query_as(
        "SELECT DISTINCT receiver, integration FROM deliveries
         WHERE status = 'pending' AND next_attempt_at_us <= $1
             AND (lease_until_us IS NULL OR lease_until_us < $1)",
    )
    .bind(now.0)
    .fetch_all(db)
    .await
}

/// When the next delivery is due, or the lease of one ends.
pub(crate) async fn next_due(db: &mut AnyConnection) -> Result<Option<Timestamp>> {
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(CASE WHEN lease_until_us IS NULL OR lease_until_us < next_attempt_at_us
             THEN next_attempt_at_us ELSE lease_until_us END) FROM deliveries WHERE status = 'pending'",
    )
    .fetch_one(db)
    .await?;
    Ok(next.map(Timestamp))
}

/// Takes the lease of deliveries that are due, of each lane only the oldest. One whose lease ran out without an outcome is
/// uncertain: whoever held it may have sent it.
pub(crate) async fn claim(
    db: &mut AnyConnection,
    (receiver, integration): (&str, &str),
    holder: &str,
    (now, until): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<Waiting>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE deliveries SET uncertain = CASE WHEN holder IS NULL THEN uncertain ELSE 1 END,
             holder = $1, lease_until_us = $2
         WHERE (lease_until_us IS NULL OR lease_until_us < $3) AND status = 'pending' AND id IN (
             SELECT d.id FROM deliveries d
             WHERE d.status = 'pending' AND d.receiver = $4 AND d.integration = $5
                 AND d.next_attempt_at_us <= $3 AND (d.lease_until_us IS NULL OR d.lease_until_us < $3)
                 AND NOT EXISTS (
                     SELECT 1 FROM deliveries o WHERE o.lane = d.lane AND o.status = 'pending'
                         AND (o.created_at_us < d.created_at_us
                             OR (o.created_at_us = d.created_at_us AND o.id < d.id)))
             ORDER BY d.created_at_us LIMIT $6)
         RETURNING {COLUMNS}"
    )))
    .bind(holder)
    .bind(until.0)
    .bind(now.0)
    .bind(receiver)
    .bind(integration)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(db)
    .await?;
    let mut claimed: Vec<Waiting> = rows.iter().map(waiting).collect::<Result<_>>()?;
    claimed.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(claimed)
}

/// Gives all leases back: whoever held them is dead, and may have sent what he held.
pub(crate) async fn release_all(db: &mut AnyConnection) -> Result<()> {
    sqlx::query(
        "UPDATE deliveries SET uncertain = 1, holder = NULL, lease_until_us = NULL
         WHERE holder IS NOT NULL AND status = 'pending'",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a delivery to `holder` without asking whether it is due.
pub(crate) async fn hold(db: &mut AnyConnection, id: &str, holder: &str, until: Timestamp) -> Result<()> {
    sqlx::query("UPDATE deliveries SET holder = $2, lease_until_us = $3 WHERE id = $1")
        .bind(id)
        .bind(holder)
        .bind(until.0)
        .execute(db)
        .await?;
    Ok(())
}

/// What waits in a lane, oldest first.
pub(crate) async fn in_lane(db: &mut AnyConnection, lane: &str, most: u32) -> Result<Vec<Waiting>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM deliveries WHERE lane = $1 AND status = 'pending'
         ORDER BY created_at_us, id LIMIT $2"
    )))
    .bind(lane)
    .bind(i64::from(most))
    .fetch_all(db)
    .await?;
    rows.iter().map(waiting).collect()
}

/// Ends a delivery of which `holder` has the lease (or nobody, when it is superseded).
pub(crate) async fn end(
    db: &mut AnyConnection,
    id: &str,
    status: DeliveryStatus,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE deliveries SET status = $2, ended_at_us = $3, holder = NULL, lease_until_us = NULL,
             next_attempt_at_us = NULL WHERE id = $1 AND status = 'pending'",
    )
    .bind(id)
    .bind(word(&status)?)
    .bind(now.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Gives the lease back: it is tried again at `at`.
pub(crate) async fn again(db: &mut AnyConnection, id: &str, at: Timestamp, uncertain: bool) -> Result<()> {
    sqlx::query(
        "UPDATE deliveries SET next_attempt_at_us = $2, holder = NULL, lease_until_us = NULL,
             uncertain = CASE WHEN $3 = 1 THEN 1 ELSE uncertain END WHERE id = $1 AND status = 'pending'",
    )
    .bind(id)
    .bind(at.0)
    .bind(i64::from(uncertain))
    .execute(db)
    .await?;
    Ok(())
}

/// Notes an attempt.
pub(crate) async fn attempted(db: &mut AnyConnection, id: &str, attempt: &DeliveryAttempt) -> Result<()> {
    let number: i64 =
        sqlx::query_scalar("UPDATE deliveries SET attempts = attempts + 1 WHERE id = $1 RETURNING attempts")
            .bind(id)
            .fetch_one(&mut *db)
            .await?;
    sqlx::query(
        "INSERT INTO delivery_attempts (delivery, number, at_us, took_ms, outcome, detail)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(number)
    .bind(attempt.at.0)
    .bind(i64::try_from(attempt.took_ms).unwrap_or(i64::MAX))
    .bind(word(&attempt.outcome)?)
    .bind(&attempt.detail)
    .execute(db)
    .await?;
    Ok(())
}

/// How many wait, and since when the oldest does.
pub(crate) async fn backlog(db: &mut AnyConnection) -> Result<(u64, Option<Timestamp>)> {
    let (count, oldest): (i64, Option<i64>) =
        sqlx::query_as("SELECT COUNT(*), MIN(created_at_us) FROM deliveries WHERE status = 'pending'")
            .fetch_one(db)
            .await?;
    Ok((u64::try_from(count).unwrap_or(0), oldest.map(Timestamp)))
}

/// The deliveries of a notification, with their last attempts.
pub(crate) async fn of(db: &mut AnyConnection, notification: &str) -> Result<Vec<Delivery>> {
    let rows = sqlx::query(
        "SELECT id, integration, alert, status, next_attempt_at_us, ended_at_us FROM deliveries
         WHERE notification = $1 ORDER BY integration, id LIMIT 1000",
    )
    .bind(notification)
    .fetch_all(&mut *db)
    .await?;
    let mut deliveries = Vec::with_capacity(rows.len());
    for row in rows {
        let id: String = row.try_get("id")?;
        let status: DeliveryStatus = from_word(row.try_get("status")?)?;
        let ended: Option<i64> = row.try_get("ended_at_us")?;
        deliveries.push(Delivery {
            attempts: attempts(db, &id).await?,
            id,
            notification: notification.to_owned(),
            integration: row.try_get("integration")?,
            alert: row.try_get("alert")?,
            status,
            next_attempt_at: row.try_get::<Option<i64>, _>("next_attempt_at_us")?.map(Timestamp),
            delivered_at: ended.filter(|_| status == DeliveryStatus::Delivered).map(Timestamp),
        });
    }
    Ok(deliveries)
}

async fn attempts(db: &mut AnyConnection, delivery: &str) -> Result<Vec<DeliveryAttempt>> {
    let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
        "SELECT at_us, took_ms, outcome, detail FROM delivery_attempts WHERE delivery = $1
         ORDER BY number DESC LIMIT $2",
    )
    .bind(delivery)
    .bind(SHOWN)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .rev()
        .map(|(at, took, outcome, detail)| {
            let outcome: AttemptOutcome = from_word(outcome)?;
            let took_ms = u64::try_from(took).unwrap_or(0);
            Ok(DeliveryAttempt { at: Timestamp(at), took_ms, outcome, detail })
        })
        .collect()
}
