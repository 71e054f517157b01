//! Silences that run out: said among the changes, since whatever they muted is told from then on.

use ops_contract::{ChangeKind, Timestamp};
use sqlx::AnyConnection;

use crate::App;
use crate::store::{changes, meta, silences};

/// Under this name the store keeps until when ends were said.
const SAID: &str = "silences_said_until";

/// Where it was left; the first time there is nothing to say.
pub(super) async fn begin(db: &mut AnyConnection, app: &App, now: Timestamp) -> anyhow::Result<()> {
    let said = meta::get(db, SAID).await?.and_then(|it| it.parse().ok()).map(Timestamp);
    if said.is_none() {
        meta::set(db, SAID, &now.0.to_string()).await?;
    }
    app.paging.set_said(said.unwrap_or(now));
    Ok(())
}

/// Whether one has run out since.
pub(super) async fn is_due(db: &mut AnyConnection, app: &App, now: Timestamp) -> anyhow::Result<bool> {
    Ok(!silences::ran_out(db, app.paging.said(), now).await?.is_empty())
}

/// Says which have run out.
pub(super) async fn say(db: &mut AnyConnection, app: &App, now: Timestamp) -> anyhow::Result<()> {
    let ended = silences::ran_out(db, app.paging.said(), now).await?;
    if let Some(last) = ended.last() {
        meta::set(db, SAID, &last.ends_at.0.to_string()).await?;
    }
    let mut all = Vec::with_capacity(ended.len());
    for silence in ended {
        let comment: String = silence.comment.chars().take(200).collect();
        let summary =
            format!("the silence of {} by {} ran out: {comment}", silence.words(), silence.created_by);
        let change = changes::new(ChangeKind::Response, silence.id, "engine", summary, silence.ends_at);
        changes::insert(db, &change).await?;
        app.paging.set_said(silence.ends_at);
        all.push(change);
    }
    app.remember(&all);
    Ok(())
}
