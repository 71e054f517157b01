use std::sync::Arc;
use std::time::Duration;

use ops_tasks::Task;

use crate::App;
use crate::alerting::{Pass, Passed};

/// Evaluates rules: those that new samples wake, and those whose time has come.
pub(super) struct Rules(Pass);

impl Rules {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self(Pass::new(app))
    }
}

impl Task for Rules {
    const NAME: &'static str = "rules";
    type Report = Passed;

    async fn run(&mut self) -> anyhow::Result<Passed> {
        self.0.run().await
    }

    fn next_due(&self, report: &Passed) -> Option<Duration> {
        report.due_in_ms.and_then(|it| u64::try_from(it).ok()).map(Duration::from_millis)
    }
}
