//! Keeps the server let in to OpenBao or Vault, and watches which audit devices that has.

use std::sync::Arc;
use std::time::Duration;

use ops_tasks::Task;
use serde::Serialize;

use crate::App;
use crate::audit::sources::vault_devices;

/// Shortest pause between two renewals.
const PAUSE: Duration = Duration::from_secs(1);

/// Renews the token, also while nobody reads a secret.
pub(super) struct VaultToken(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Kept {
    /// Seconds until the token is to be renewed; nothing for one that does not end.
    due_in_s: Option<u64>,
}

impl Task for VaultToken {
    const NAME: &'static str = "vault_token";
    type Report = Kept;

    async fn run(&mut self) -> anyhow::Result<Kept> {
        Ok(Kept { due_in_s: self.0.vault.keep_token().await?.map(|it| it.as_secs()) })
    }

    fn next_due(&self, kept: &Kept) -> Option<Duration> {
        kept.due_in_s.map(|it| Duration::from_secs(it).max(PAUSE))
    }
}

/// Asks which audit devices there are.
pub(super) struct VaultDevices(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Devices {
    devices: usize,
}

impl Task for VaultDevices {
    const NAME: &'static str = "vault_devices";
    type Report = Devices;

    async fn run(&mut self) -> anyhow::Result<Devices> {
        Ok(Devices { devices: vault_devices::look(&self.0).await? })
    }
}
