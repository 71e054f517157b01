//! What a worker does on the side: renewing its locks and looking for jobs whose worker died.

use std::sync::Arc;

use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use super::Shared;
use crate::{Error, options::millis};

/// Renews the lock of every running job at half its duration.
pub(super) async fn renew_locks(shared: Arc<Shared>) {
    let half = shared.settings.lock / 2;
    let mut ticks = interval_at(Instant::now() + half, half);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match shared.renew().await {
            Ok(lost) => {
                for id in lost {
                    tracing::warn!(
                        queue.name = shared.queue.name(),
                        job.id = id,
                        "the lock on a running job was lost"
                    );
                }
            }
            Err(error) => {
                shared.warn(&error, "locks could not be renewed");
                // A tick may be half a minute away and the locks are running out.
                ticks.reset_after((half / 5).min(std::time::Duration::from_secs(1)));
            }
        }
    }
}

/// Brings back stalled jobs, once now and then at each interval.
pub(super) async fn recover_stalled(shared: Arc<Shared>) {
    let mut ticks = interval(shared.settings.stalled_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match shared.recover().await {
            Ok(back) => {
                for id in back {
                    tracing::warn!(
                        queue.name = shared.queue.name(),
                        job.id = id,
                        "a job stalled and went back in line"
                    );
                }
            }
            Err(error) => {
                shared.warn(&error, "stalled jobs could not be looked for");
            }
        }
    }
}

impl Shared {
    /// The ids of the jobs whose lock was lost and that are still running.
    async fn renew(&self) -> Result<Vec<String>, Error> {
        let held: Vec<(String, Arc<str>)> =
            self.running().iter().map(|(id, running)| (id.clone(), running.token.clone())).collect();
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = self.queue.script(&self.queue.client().scripts().extend);
        call.arg(millis(self.settings.lock));
        for (id, token) in &held {
            call.arg(id).arg(&**token);
        }
        let mut lost: Vec<String> = self.queue.client().run(&call).await?;
        let running = self.running();
        // A job may have ended, or ended and come back, while the question was under way.
        lost.retain(|id| {
            let asked = held.iter().find(|(held, _)| held == id).map(|(_, token)| token);
            running.get(id).is_some_and(|now| asked == Some(&now.token))
        });
        Ok(lost)
    }

    async fn recover(&self) -> Result<Vec<String>, Error> {
        let mut call = self.queue.script(&self.queue.client().scripts().stalled);
        call.arg(self.settings.max_stalled).arg(millis(self.settings.stalled_interval));
        self.queue.client().run(&call).await
    }
}
