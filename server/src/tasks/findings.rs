use std::sync::Arc;

use ops_tasks::Task;

use crate::App;
use crate::findings::{Fold, Folded};

/// Looks in new entries of the audit log for what is unusual or unauthorised.
pub(super) struct Findings(Fold);

impl Findings {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self(Fold::new(app))
    }
}

impl Task for Findings {
    const NAME: &'static str = "findings";
    type Report = Folded;

    async fn run(&mut self) -> anyhow::Result<Folded> {
        self.0.run().await
    }
}
