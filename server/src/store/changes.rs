use ops_contract::{Change, ChangeKind, Timestamp};
use sqlx::AnyConnection;
use uuid::Uuid;

use super::{Result, from_word, word};

/// A change that happens at `at`.
pub(crate) fn new(
    kind: ChangeKind,
    subject: impl Into<String>,
    actor: impl Into<String>,
    summary: impl Into<String>,
    at: Timestamp,
) -> Change {
    let id = Uuid::now_v7().to_string();
    Change { id, at, kind, subject: subject.into(), actor: actor.into(), summary: summary.into() }
}

pub(crate) async fn insert(db: &mut AnyConnection, change: &Change) -> Result<()> {
    sqlx::query(
        "INSERT INTO changes (id, at_us, kind, subject, actor, summary) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&change.id)
    .bind(change.at.0)
    .bind(word(&change.kind)?)
    .bind(&change.subject)
    .bind(&change.actor)
    .bind(&change.summary)
    .execute(db)
    .await?;
    Ok(())
}

/// Newest first, older than the id `before`; `subject` takes its slots in (`api` finds `api/0`).
pub(crate) async fn list(
    db: &mut AnyConnection,
    before: Option<&str>,
    subject: Option<&str>,
    limit: u32,
) -> Result<Vec<Change>> {
    let subject = subject.unwrap_or_default();
    let rows: Vec<(String, i64, String, String, String, String)> = sqlx::query_as(
        "SELECT id, at_us, kind, subject, actor, summary FROM changes
         WHERE id < $1 AND ($2 = '' OR subject = $2 OR (subject > $3 AND subject < $4))
         ORDER BY id DESC LIMIT $5",
    )
    .bind(before.unwrap_or("~"))
    .bind(subject)
    // Everything that begins with `api/`: '0' follows '/' in ASCII.
    .bind(format!("{subject}/"))
    .bind(format!("{subject}0"))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, at, kind, subject, actor, summary)| {
            let kind: ChangeKind = from_word(kind)?;
            Ok(Change { id, at: Timestamp(at), kind, subject, actor, summary })
        })
        .collect()
}

pub(crate) async fn prune(db: &mut AnyConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM changes WHERE at_us < $1").bind(before.0).execute(db).await?;
    Ok(done.rows_affected())
}
