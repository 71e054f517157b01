use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::anyhow;
use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::task::publish;
use crate::{Outcome, Reason, TaskStatus};

/// How long a failed service waits before it is started again: doubling from `first` to `max`.
///
/// A run that lasted longer than `max` counts as healthy and starts the series anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(200), max: Duration::from_secs(10) }
    }
}

impl Backoff {
    fn delay(self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.max)
    }
}

/// Stops one service before its supervisor does. Dropping it leaves the service running.
#[derive(Clone, Debug)]
pub struct ServiceHandle {
    pub(crate) stop: CancellationToken,
    pub(crate) ended: CancellationToken,
}

impl ServiceHandle {
    /// Asks the service to stop; its status disappears once it has.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the service has ended.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

pub(crate) struct ServiceLoop<F> {
    pub(crate) name: String,
    pub(crate) backoff: Backoff,
    pub(crate) start: F,
    pub(crate) status: watch::Sender<TaskStatus>,
}

impl<F, R> ServiceLoop<F>
where
    F: FnMut(CancellationToken) -> R + Send,
    R: Future<Output = anyhow::Result<()>> + Send,
{
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut reason = Reason::Started;
        let mut failures = 0;
        while !stop.is_cancelled() {
            let started = Instant::now();
            if self.run_once(reason, started, stop.clone()).await {
                return;
            }
            failures = if started.elapsed() > self.backoff.max { 1 } else { failures + 1 };
            reason = Reason::Restarted;
            let _ = stop.run_until_cancelled(tokio::time::sleep(self.backoff.delay(failures))).await;
        }
    }

    /// Runs the service to its end; true when it ended as it should.
    async fn run_once(&mut self, reason: Reason, started: Instant, stop: CancellationToken) -> bool {
        self.status.send_modify(|status| status.begin(reason));
        // The future is made inside the guard too: a start that panics is a failure like any other.
        let start = &mut self.start;
        let result = AssertUnwindSafe(async move { start(stop).await })
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(anyhow!("service panicked")));
        let ended_well = result.is_ok();
        let outcome = match result {
            Ok(()) => Outcome::Report(serde_json::Value::Null),
            Err(error) => Outcome::Error(format!("{error:#}")),
        };
        publish(&self.name, &self.status, reason, started, outcome);
        ended_well
    }
}
