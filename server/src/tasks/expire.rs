use std::sync::Arc;

use ops_tasks::Task;
use serde::Serialize;

use crate::{App, clock, queue_commands, store};

/// Takes back leases that ran out, gives up what no agent takes, and removes links and sessions that ended.
pub(super) struct Expire(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Expired {
    leases: u64,
    queue_commands: usize,
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
        let queue_commands = queue_commands::give_up(&self.0).await?;
        let links = store::links::prune(&mut db, now).await?;
        let sessions = store::sessions::prune(&mut db, now).await?;
        Ok(Expired { leases, queue_commands, links, sessions })
    }
}
