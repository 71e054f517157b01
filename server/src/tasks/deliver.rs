use std::sync::Arc;
use std::time::Duration;

use ops_tasks::Task;

use crate::App;
use crate::paging::{Delivered, Delivering};

/// Sends what is to be told.
pub(super) struct Deliver(Delivering);

impl Deliver {
    pub(super) fn new(app: Arc<App>) -> anyhow::Result<Self> {
        Ok(Self(Delivering::new(app)?))
    }
}

impl Task for Deliver {
    const NAME: &'static str = "deliver";
    type Report = Delivered;

    async fn run(&mut self) -> anyhow::Result<Delivered> {
        self.0.run().await
    }

    fn next_due(&self, report: &Delivered) -> Option<Duration> {
        report.due_in_ms.and_then(|it| u64::try_from(it).ok()).map(Duration::from_millis)
    }
}
