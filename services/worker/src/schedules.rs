//! The repeated jobs, and the task that keeps them there: a Valkey that restarts without its data has lost them.

use std::sync::Arc;
use std::time::Duration;

use ops_bullmq::{Queue, Repeat, Schedule};
use ops_program::jobs;
use ops_tasks::Task;
use serde::Serialize;
use serde_json::json;

use crate::app::App;

/// Closes tickets that were resolved a week ago.
pub(crate) const AUTO_CLOSE: &str = "auto-close";
/// Finds deadlines whose check was lost.
pub(crate) const SLA_SWEEP: &str = "sla-sweep";

const SCHEDULES: [(&str, Duration); 2] =
    [(AUTO_CLOSE, Duration::from_secs(3600)), (SLA_SWEEP, Duration::from_secs(60))];

/// Keeps the schedulers there.
pub(crate) struct Schedules {
    queue: Queue,
}

#[derive(Serialize)]
pub(crate) struct Kept {
    created: Vec<&'static str>,
}

impl Schedules {
    pub(crate) fn new(app: &Arc<App>) -> anyhow::Result<Self> {
        Ok(Self { queue: app.queue(jobs::SCHEDULED)?.clone() })
    }
}

impl Task for Schedules {
    const NAME: &'static str = "schedules";
    type Report = Kept;

    async fn run(&mut self) -> anyhow::Result<Kept> {
        let there = self.queue.schedulers().await?;
        let mut created = Vec::new();
        for (id, every) in SCHEDULES {
            let schedule = Schedule::every(every);
            if there.iter().any(|scheduler| scheduler.id == id && scheduler.repeat.schedule == schedule) {
                continue;
            }
            let repeat = Repeat { schedule, ..Repeat::default() };
            match self
                .queue
                .upsert_scheduler(id, &repeat, id, json!({}), jobs::options(jobs::SCHEDULED))
                .await
            {
                Ok(_) => created.push(id),
                // Another worker was quicker.
                Err(ops_bullmq::Error::Schedule(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Kept { created })
    }
}
