use ops_contract::{Finding, FindingView, Timestamp};
use sqlx::AnyConnection;

use crate::store;

/// Findings on the page.
const LATEST: u32 = 50;

/// The latest findings that are open.
pub(crate) async fn latest(db: &mut AnyConnection) -> store::Result<Vec<Finding>> {
    let found = store::findings::newest(db, true, None, LATEST).await?;
    Ok(found.into_iter().map(|it| it.finding).collect())
}

/// Findings from behind `before` on, and one more than `limit`.
pub(crate) async fn page(
    db: &mut AnyConnection,
    open_only: bool,
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> store::Result<Vec<FindingView>> {
    store::findings::newest(db, open_only, before, limit.saturating_add(1)).await
}
