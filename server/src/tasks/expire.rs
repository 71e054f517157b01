use std::sync::Arc;

use ops_tasks::Task;
use serde::Serialize;

use crate::{App, clock, store};

/// Takes back leases that ran out, and removes links and sessions that ended.
pub(super) struct Expire(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Expired {
    leases: u64,
    links: u64,
    sessions: u64,
}

impl Task for Expire {
    const NAME: &'static str = "expire";
    type Report = Expired;

    async fn run(&mut self) -> anyhow::Result<Expired> {
        let now = clock::now();
        let mut db = self.0.store.connection().await?;
        let leases = store::actions::expire(&mut db, now).await?;
        if leases > 0 {
            self.0.work.notify_waiters();
        }
        let links = store::links::prune(&mut db, now).await?;
        let sessions = store::sessions::prune(&mut db, now).await?;
        Ok(Expired { leases, links, sessions })
    }
}
