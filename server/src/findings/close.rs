use std::net::IpAddr;

use ops_contract::{FindingClosed, FindingView, Operator};

use super::alert;
use crate::audit::{self, Refused};
use crate::{App, clock, store};

/// Action under which it is recorded.
const CLOSED: &str = "finding.closed";

/// What came of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Closing {
    #[error("there is no finding {0}")]
    Unknown(String),
    #[error(transparent)]
    Unrecorded(#[from] Refused),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// Somebody says that a finding is dealt with: recorded, and its alert ends. Closed again, it stays as it was closed first.
pub(crate) async fn close(
    app: &App,
    operator: &Operator,
    address: IpAddr,
    key: &str,
    reason: &str,
) -> Result<FindingView, Closing> {
    let now = clock::now();
    let mut db = app.store.begin().await?;
    // The log's end is taken first, as the fold does after it: two that write never wait for each other.
    let entry = audit::of_operator(operator, address, CLOSED, key).why(reason);
    let Some(mut kept) = store::findings::lock(&mut db, key).await? else {
        return Err(Closing::Unknown(key.to_owned()));
    };
    if kept.view.closed.is_some() {
        return Ok(kept.view);
    }
    let appended = audit::append_in(&mut db, &app.audit, vec![entry.draft()]).await?;
    let entry = appended.first().map(|it| it.entry.seq).unwrap_or_default();
    let before = kept.clone();
    kept.view.closed =
        Some(FindingClosed { at: now, by: operator.name.clone(), reason: reason.to_owned(), entry });
    alert::tell(&mut db, Some(&before), &mut kept, now).await?;
    store::findings::upsert(&mut db, &kept).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    app.alerting.wake.activate();
    super::recount(app).await?;
    Ok(kept.view)
}
