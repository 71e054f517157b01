//! Renewals of secrets: takes each as far as it goes, sees what changed without us, ends requests whose time is over.

use std::sync::Arc;
use std::time::Duration;

use ops_tasks::Task;
use serde::Serialize;

use crate::secrets::{approval, handouts, prints, rotate};
use crate::{App, clock, store};

/// Which server carries renewals out, where several share a store.
pub(crate) const LEASE: &str = "rotate";
const LEASE_FOR: Duration = Duration::from_secs(60);

/// Carries renewals out.
pub(super) struct Rotate(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Rotated {
    steps: u64,
    expired: u64,
}

impl Task for Rotate {
    const NAME: &'static str = "secret_rotate";
    type Report = Rotated;

    async fn run(&mut self) -> anyhow::Result<Rotated> {
        let app = &self.0;
        let now = clock::now();
        let leads = {
            let mut db = app.store.connection().await?;
            store::leases::take(&mut db, LEASE, &app.holder, now, now + LEASE_FOR).await?
        };
        if !leads {
            return Ok(Rotated { steps: 0, expired: 0 });
        }
        let expired = approval::expire(app).await?;
        Ok(Rotated { steps: rotate::advance(app).await?, expired })
    }
}

/// Sees values that changed without us.
pub(super) struct SecretWatch(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Count {
    count: u64,
}

impl Task for SecretWatch {
    const NAME: &'static str = "secret_watch";
    type Report = Count;

    async fn run(&mut self) -> anyhow::Result<Count> {
        Ok(Count { count: prints::watch(&self.0).await? })
    }
}

/// Confirms what was handed out, and says what is not known to have been.
pub(super) struct SecretHandouts(pub(super) Arc<App>);

impl Task for SecretHandouts {
    const NAME: &'static str = "secret_handouts";
    type Report = Count;

    async fn run(&mut self) -> anyhow::Result<Count> {
        Ok(Count { count: handouts::settle(&self.0).await? })
    }
}
