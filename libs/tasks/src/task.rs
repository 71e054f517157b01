use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::anyhow;
use futures::FutureExt;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::status::Turn;
use crate::{Activator, Outcome, Reason, TaskStatus};

/// One kind of background work, done pass by pass.
pub trait Task: Send + 'static {
    /// Unique, snake_case; names the span, the metric label and the status row.
    const NAME: &'static str;

    /// What one run reports to operators.
    type Report: Serialize + Send + Sync;

    /// Does one pass. Retrying is the next run's job. Runs in the middle of a pass are let finish at shutdown.
    fn run(&mut self) -> impl Future<Output = anyhow::Result<Self::Report>> + Send;

    /// When the next run is due, if earlier than the timer. Asked after each run that did not fail.
    fn next_due(&self, report: &Self::Report) -> Option<Duration> {
        let _ = report;
        None
    }
}

pub(crate) struct TaskLoop<T> {
    pub(crate) task: T,
    pub(crate) period: Duration,
    pub(crate) activator: Activator,
    pub(crate) status: watch::Sender<TaskStatus>,
}

impl<T: Task> TaskLoop<T> {
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut timer = tokio::time::interval(self.period);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due = None;
        loop {
            let reason = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = self.activator.activated() => Reason::Activated,
                () = sleep_until(due) => Reason::Due,
                _ = timer.tick() => Reason::Timer,
            };
            due = self.run_once(reason).await;
        }
    }

    async fn run_once(&mut self, reason: Reason) -> Option<Instant> {
        self.status.send_modify(|status| status.begin(reason));
        let started = Instant::now();

        // A bug in one task must not stop the others.
        let result = AssertUnwindSafe(self.task.run())
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(anyhow!("task panicked")))
            .and_then(|report| Ok((serde_json::to_value(&report)?, self.task.next_due(&report))));
        let (outcome, due) = match result {
            Ok((report, due)) => (Outcome::Report(report), due),
            Err(error) => (Outcome::Error(format!("{error:#}")), None),
        };

        publish(T::NAME, &self.status, reason, started, outcome);
        due.and_then(|due| Instant::now().checked_add(due))
    }
}

/// Ends a run in the status and logs it where it changes the picture.
pub(crate) fn publish(
    name: &str,
    status: &watch::Sender<TaskStatus>,
    reason: Reason,
    started: Instant,
    outcome: Outcome,
) {
    let mut turn = Turn::None;
    let error = match &outcome {
        Outcome::Error(error) => error.clone(),
        Outcome::Report(_) => String::new(),
    };
    status.send_modify(|status| turn = status.end(reason, started, outcome));
    match turn {
        Turn::None => {}
        Turn::Failed => tracing::error!(task.name = name, error, "task {name} failed"),
        Turn::Recovered { failures } => {
            tracing::info!(task.name = name, failures, "task {name} works again after {failures} failures");
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
