use ops_contract::{Finding, FindingClosed, FindingSeverity, FindingView, Timestamp};
use sqlx::AnyConnection;

use super::{Result, from_json, to_json, word};

/// A finding as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) view: FindingView,
    /// Until when its alert fires; `None`: none was raised.
    pub(crate) alert_until: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    last_us: i64,
    finding: String,
    alert_until_us: Option<i64>,
    closed_at_us: Option<i64>,
    closed_by: Option<String>,
    closed_because: Option<String>,
    closed_entry: Option<i64>,
}

const COLUMNS: &str =
    "last_us, finding, alert_until_us, closed_at_us, closed_by, closed_because, closed_entry";

/// The finding with this key, kept from others until the transaction ends.
pub(crate) async fn lock(db: &mut AnyConnection, key: &str) -> Result<Option<Kept>> {
    let sql = format!("UPDATE findings SET last_us = last_us WHERE key = $1 RETURNING {COLUMNS}");
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(key).fetch_optional(db).await?;
    row.map(Row::kept).transpose()
}

/// Writes a finding as it now stands.
pub(crate) async fn upsert(db: &mut AnyConnection, kept: &Kept) -> Result<()> {
    let FindingView { finding, last_at, closed } = &kept.view;
    let entry = closed.as_ref().map(|it| i64::try_from(it.entry).unwrap_or(i64::MAX));
    sqlx::query(
        "INSERT INTO findings (key, severity, last_us, finding, alert_until_us, closed_at_us, closed_by,
             closed_because, closed_entry)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (key) DO UPDATE SET severity = excluded.severity, last_us = excluded.last_us,
             finding = excluded.finding, alert_until_us = excluded.alert_until_us,
             closed_at_us = excluded.closed_at_us, closed_by = excluded.closed_by,
             closed_because = excluded.closed_because, closed_entry = excluded.closed_entry",
    )
    .bind(&finding.key)
    .bind(word(&finding.severity)?)
    .bind(last_at.0)
    .bind(to_json(finding)?)
    .bind(kept.alert_until.map(|it| it.0))
    .bind(closed.as_ref().map(|it| it.at.0))
    .bind(closed.as_ref().map(|it| it.by.as_str()))
    .bind(closed.as_ref().map(|it| it.reason.as_str()))
    .bind(entry)
    .execute(db)
    .await?;
    Ok(())
}

/// Findings, the one found last first, from behind `before` (time and key of the last one read) on.
pub(crate) async fn newest(
    db: &mut AnyConnection,
    open_only: bool,
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> Result<Vec<FindingView>> {
    let (time, key) = before.unwrap_or((Timestamp(i64::MAX), ""));
    let sql = format!(
        "SELECT {COLUMNS} FROM findings
         WHERE (last_us < $1 OR (last_us = $1 AND key < $2)) AND ($3 = 0 OR closed_at_us IS NULL)
         ORDER BY last_us DESC, key DESC LIMIT $4"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(time.0)
        .bind(key)
        .bind(i64::from(open_only))
        .bind(i64::from(limit))
        .fetch_all(db)
        .await?;
    rows.into_iter().map(|it| Ok(it.kept()?.view)).collect()
}

/// How many are open, by severity.
pub(crate) async fn count_open(db: &mut AnyConnection) -> Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "SELECT severity, COUNT(*) FROM findings WHERE closed_at_us IS NULL GROUP BY severity ORDER BY severity",
    )
    .fetch_all(db)
    .await
}

/// Forgets what was found last before `before`.
pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM findings WHERE last_us < $1").bind(before.0).execute(db).await?;
    Ok(done.rows_affected())
}

/// What the rules remember, as JSON (empty when nothing), and the number of the entry up to which reads are known.
pub(crate) async fn memory(db: &mut AnyConnection) -> Result<(String, u64)> {
    let (habits, next): (String, i64) =
        sqlx::query_as("SELECT habits, reads_next FROM findings_read WHERE id = 1").fetch_one(db).await?;
    Ok((habits, u64::try_from(next).unwrap_or_default()))
}

pub(crate) async fn keep_habits(db: &mut AnyConnection, habits: &str) -> Result<()> {
    sqlx::query("UPDATE findings_read SET habits = $1 WHERE id = 1").bind(habits).execute(db).await?;
    Ok(())
}

/// Up to which entry reads are known.
pub(crate) async fn reads_next(db: &mut AnyConnection) -> Result<u64> {
    let next: i64 =
        sqlx::query_scalar("SELECT reads_next FROM findings_read WHERE id = 1").fetch_one(db).await?;
    Ok(u64::try_from(next).unwrap_or_default())
}

pub(crate) async fn keep_reads_next(db: &mut AnyConnection, next: u64) -> Result<()> {
    sqlx::query("UPDATE findings_read SET reads_next = $1 WHERE id = 1")
        .bind(i64::try_from(next).unwrap_or(i64::MAX))
        .execute(db)
        .await?;
    Ok(())
}

impl Row {
    fn kept(self) -> Result<Kept> {
        let finding: Finding = from_json(&self.finding)?;
        let closed = self.closed_at_us.map(|at| FindingClosed {
            at: Timestamp(at),
            by: self.closed_by.unwrap_or_default(),
            reason: self.closed_because.unwrap_or_default(),
            entry: self.closed_entry.and_then(|it| u64::try_from(it).ok()).unwrap_or_default(),
        });
        let view = FindingView { finding, last_at: Timestamp(self.last_us), closed };
        Ok(Kept { view, alert_until: self.alert_until_us.map(Timestamp) })
    }
}

impl Kept {
    /// A new one.
    pub(crate) fn new(finding: Finding, last_at: Timestamp) -> Self {
        Self { view: FindingView { finding, last_at, closed: None }, alert_until: None }
    }

    /// Whether somebody is to be told.
    pub(crate) fn is_told(&self) -> bool {
        let finding = &self.view.finding;
        self.view.closed.is_none() && !finding.learning && finding.severity != FindingSeverity::Info
    }
}
