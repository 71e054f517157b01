use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ops_audit::anchor::Anchor;
use ops_audit::chain::{Appended, Head};
use ops_audit::checkpoint::Signed;
use ops_audit::entry::{Entry, Source, action};
use ops_audit::hash::Hash;
use sqlx::AnyConnection;

use super::{Result, from_json, to_json, word};

/// An entry as it is stored; nothing of it is believed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) time_ms: i64,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) outcome: String,
    pub(crate) device: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) leaf: String,
    pub(crate) link: String,
}

/// A signed state of the log and where it stands among the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) size: u64,
    pub(crate) time_ms: i64,
    pub(crate) checkpoint: String,
}

/// Makes the log's end, unless there is one.
pub(crate) async fn begin(db: &mut AnyConnection, head: &Head) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_head (id, size, link, head) VALUES (1, $1, $2, $3) ON CONFLICT (id) DO NOTHING",
    )
    .bind(number(head.size())?)
    .bind(head.link.to_string())
    .bind(to_json(head)?)
    .execute(db)
    .await?;
    Ok(())
}

/// The log's end, kept from others until the transaction ends.
pub(crate) async fn lock(db: &mut AnyConnection) -> Result<Head> {
    let head: String = sqlx::query_scalar("UPDATE audit_head SET size = size WHERE id = 1 RETURNING head")
        .fetch_one(db)
        .await?;
    from_json(&head)
}

/// The log's end, as it is now.
pub(crate) async fn head(db: &mut AnyConnection) -> Result<Head> {
    let head: String = sqlx::query_scalar("SELECT head FROM audit_head WHERE id = 1").fetch_one(db).await?;
    from_json(&head)
}

/// Puts `head` in place of the one with this size and link; false when another was quicker.
pub(crate) async fn replace(db: &mut AnyConnection, before: (u64, Hash), head: &Head) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE audit_head SET size = $1, link = $2, head = $3 WHERE id = 1 AND size = $4 AND link = $5",
    )
    .bind(number(head.size())?)
    .bind(head.link.to_string())
    .bind(to_json(head)?)
    .bind(number(before.0)?)
    .bind(before.1.to_string())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Rows of one statement.
const ROWS: usize = 50;

/// Puts entries into the log. Many rows to a statement: others wait while the log's end is locked.
pub(crate) async fn insert(db: &mut AnyConnection, appended: &[Appended]) -> Result<()> {
    const BINDS: usize = 11;
    for rows in appended.chunks(ROWS) {
        let places = (0..rows.len()).map(|row| {
            let places: Vec<String> = (1..=BINDS).map(|it| format!("${}", row * BINDS + it)).collect();
            format!("({})", places.join(", "))
        });
        let sql = format!(
            "INSERT INTO audit_entries
                 (seq, time_ms, actor, action, subject, outcome, device, event, body, leaf, link)
             VALUES {}",
            places.collect::<Vec<_>>().join(", ")
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for Appended { entry, bytes, leaf, link, .. } in rows {
            let (device, event) = match &entry.source {
                Source::Own => (None, None),
                Source::External { device, event_id } => (Some(device), Some(event_id)),
            };
            query = query
                .bind(number(entry.seq)?)
                .bind(entry.time_ms)
                .bind(&entry.actor.name)
                .bind(&entry.action)
                .bind(&entry.subject)
                .bind(word(&entry.outcome)?)
                .bind(device)
                .bind(event)
                .bind(STANDARD.encode(bytes))
                .bind(leaf.to_string())
                .bind(link.to_string());
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Whether a device told of this event before.
pub(crate) async fn has_event(db: &mut AnyConnection, device: &str, event: &str) -> Result<bool> {
    let seq: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM audit_entries WHERE device = $1 AND event = $2")
            .bind(device)
            .bind(event)
            .fetch_optional(db)
            .await?;
    Ok(seq.is_some())
}

const COLUMNS: &str = "seq, time_ms, actor, action, subject, outcome, device, body, leaf, link";

/// Rows from the number `from` on, below `end`, by number.
pub(crate) async fn rows(db: &mut AnyConnection, from: u64, end: u64, limit: u32) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_entries WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT {limit}"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(number(from)?).bind(number(end)?).fetch_all(db).await
}

/// The entry of this number.
pub(crate) async fn row(db: &mut AnyConnection, seq: u64) -> Result<Option<Row>> {
    Ok(rows(db, seq, seq + 1, 1).await?.pop())
}

/// Below this number bodies were dropped, as the last entry about it says.
pub(crate) async fn retained_below(db: &mut AnyConnection) -> Result<u64> {
    let wanted = Wanted { action: action::RETENTION, ..Wanted::default() };
    let last = newest(db, &wanted, 1).await?.pop().and_then(|it| it.entry());
    Ok(last.and_then(|it| it.details.get("below")?.parse().ok()).unwrap_or(0))
}

/// Drops what the entries `from..below` say, but of those that verifying needs. Gives how many.
pub(crate) async fn drop_bodies(db: &mut AnyConnection, from: u64, below: u64) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE audit_entries SET body = NULL
         WHERE seq >= $1 AND seq < $2 AND body IS NOT NULL AND action NOT IN ($3, $4, $5)",
    )
    .bind(number(from)?)
    .bind(number(below)?)
    .bind(action::START)
    .bind(action::HANDOVER)
    .bind(action::RETENTION)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Which entries are wanted; empty parts want all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) actor: &'a str,
    /// An action, or what it begins with up to a dot.
    pub(crate) action: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) outcome: &'a str,
    /// Numbers below this.
    pub(crate) below: Option<u64>,
}

/// The newest entries that are wanted, newest first.
pub(crate) async fn newest(db: &mut AnyConnection, wanted: &Wanted<'_>, limit: u32) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_entries
         WHERE seq < $1 AND ($2 = '' OR actor = $2) AND ($3 = '' OR subject = $3) AND ($4 = '' OR outcome = $4)
           AND ($5 = '' OR action = $5 OR (action > $6 AND action < $7))
         ORDER BY seq DESC LIMIT {limit}"
    );
    let below = wanted.below.map_or(Ok(i64::MAX), number)?;
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(below)
        .bind(wanted.actor)
        .bind(wanted.subject)
        .bind(wanted.outcome)
        .bind(wanted.action)
        // Everything that begins with `secret.`: '/' follows '.' in ASCII.
        .bind(format!("{}.", wanted.action))
        .bind(format!("{}/", wanted.action))
        .fetch_all(db)
        .await
}

/// Leaf hashes of the numbers `from..to`, in order.
pub(crate) async fn leaves(db: &mut AnyConnection, from: u64, to: u64) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT leaf FROM audit_entries WHERE seq >= $1 AND seq < $2 ORDER BY seq")
        .bind(number(from)?)
        .bind(number(to)?)
        .fetch_all(db)
        .await
}

pub(crate) async fn insert_checkpoint(db: &mut AnyConnection, signed: &Signed) -> Result<()> {
    sqlx::query("INSERT INTO audit_checkpoints (size, time_ms, checkpoint) VALUES ($1, $2, $3)")
        .bind(number(signed.checkpoint.size)?)
        .bind(signed.checkpoint.time_ms)
        .bind(signed.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// The newest signed state.
pub(crate) async fn last_checkpoint(db: &mut AnyConnection) -> Result<Option<Sealed>> {
    let row: Option<(i64, i64, String)> = sqlx::query_as(
        "SELECT size, time_ms, checkpoint FROM audit_checkpoints ORDER BY size DESC, time_ms DESC LIMIT 1",
    )
    .fetch_optional(db)
    .await?;
    row.map(sealed).transpose()
}

/// Signed states from this size and time on (not these themselves), by size and time.
pub(crate) async fn checkpoints_after(
    db: &mut AnyConnection,
    after: (i64, i64),
    limit: u32,
) -> Result<Vec<Sealed>> {
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT size, time_ms, checkpoint FROM audit_checkpoints
         WHERE size > $1 OR (size = $1 AND time_ms > $2) ORDER BY size, time_ms LIMIT $3",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.into_iter().map(sealed).collect()
}

pub(crate) async fn insert_anchor(db: &mut AnyConnection, anchor: &Anchor, signed: &Signed) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_anchors (place, size, time_ms, written_ms, checkpoint) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (place, size, time_ms) DO NOTHING",
    )
    .bind(&anchor.place)
    .bind(number(signed.checkpoint.size)?)
    .bind(signed.checkpoint.time_ms)
    .bind(anchor.written_ms)
    .bind(&anchor.checkpoint)
    .execute(db)
    .await?;
    Ok(())
}

/// The newest anchor of a place: when it was written, and what it covers.
pub(crate) async fn last_anchor(db: &mut AnyConnection, place: &str) -> Result<Option<(i64, u64)>> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "SELECT written_ms, size FROM audit_anchors WHERE place = $1 ORDER BY size DESC, time_ms DESC LIMIT 1",
    )
    .bind(place)
    .fetch_optional(db)
    .await?;
    row.map(|(written, size)| Ok((written, positive(size)?))).transpose()
}

/// Size and time of the newest anchor of all places.
pub(crate) async fn newest_anchor(db: &mut AnyConnection) -> Result<Option<(i64, i64)>> {
    sqlx::query_as("SELECT size, time_ms FROM audit_anchors ORDER BY size DESC, time_ms DESC LIMIT 1")
        .fetch_optional(db)
        .await
}

/// Anchors from this size and time on (not these themselves), by size and time.
pub(crate) async fn anchors_after(
    db: &mut AnyConnection,
    after: (i64, i64, String),
    limit: u32,
) -> Result<Vec<((i64, i64, String), Anchor)>> {
    let rows: Vec<(String, i64, i64, i64, String)> = sqlx::query_as(
        "SELECT place, size, time_ms, written_ms, checkpoint FROM audit_anchors
         WHERE size > $1 OR (size = $1 AND (time_ms > $2 OR (time_ms = $2 AND place > $3)))
         ORDER BY size, time_ms, place LIMIT $4",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(after.2)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    let anchors = rows.into_iter().map(|(place, size, time_ms, written_ms, checkpoint)| {
        ((size, time_ms, place.clone()), Anchor { place, written_ms, checkpoint })
    });
    Ok(anchors.collect())
}

/// All keys that have signed, the first one first.
pub(crate) async fn keys(db: &mut AnyConnection) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT key FROM audit_keys ORDER BY since_seq, key").fetch_all(db).await
}

pub(crate) async fn insert_key(db: &mut AnyConnection, key: &str, since: u64) -> Result<()> {
    sqlx::query("INSERT INTO audit_keys (key, since_seq) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
        .bind(key)
        .bind(number(since)?)
        .execute(db)
        .await?;
    Ok(())
}

impl Row {
    /// The canonical bytes; none after retention, or when what is there is no base64.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        self.body.as_ref().and_then(|body| STANDARD.decode(body).ok())
    }

    /// What the entry says, if its body is there and is one.
    pub(crate) fn entry(&self) -> Option<Entry> {
        Entry::decode(&self.bytes()?).ok()
    }
}

fn sealed((size, time_ms, checkpoint): (i64, i64, String)) -> Result<Sealed> {
    Ok(Sealed { size: positive(size)?, time_ms, checkpoint })
}

fn number(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn positive(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}
