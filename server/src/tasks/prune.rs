use std::sync::Arc;
use std::time::Duration;

use ops_tasks::Task;
use serde::Serialize;

use crate::{App, clock, store};

/// How long history is kept; exits and decisions are larger and many.
const KEEP: Duration = Duration::from_secs(90 * 86_400);
const KEEP_BULK: Duration = Duration::from_secs(14 * 86_400);
/// Silences that are over (Alertmanager: 5 days).
const KEEP_SILENCES: Duration = Duration::from_secs(5 * 86_400);
/// A day can be replayed, and the one before it.
const KEEP_RECORDINGS: Duration = Duration::from_secs(2 * 86_400);

/// Keeps history bounded.
pub(super) struct Prune(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Pruned {
    rows: u64,
}

impl Task for Prune {
    const NAME: &'static str = "prune";
    type Report = Pruned;

    async fn run(&mut self) -> anyhow::Result<Pruned> {
        let now = clock::now();
        let mut db = self.0.store.connection().await?;
        let mut rows = store::changes::prune(&mut db, now - KEEP).await?;
        rows += store::actions::prune(&mut db, now - KEEP).await?;
        rows += store::alerts::prune(&mut db, now - KEEP).await?;
        rows += store::notifications::prune(&mut db, now - KEEP).await?;
        rows += store::incidents::prune(&mut db, now - KEEP).await?;
        rows += store::findings::prune(&mut db, now - KEEP).await?;
        rows += store::silences::prune(&mut db, now - KEEP_SILENCES).await?;
        rows += store::queue_commands::prune(&mut db, now - KEEP).await?;
        rows += store::decisions::prune(&mut db, now - KEEP_BULK).await?;
        rows += store::scaling::prune(&mut db, now - KEEP, now - KEEP_RECORDINGS).await?;
        rows += store::exits::prune(&mut db, now - KEEP_BULK).await?;
        Ok(Pruned { rows })
    }
}
