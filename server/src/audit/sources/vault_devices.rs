//! Watches which audit devices OpenBao or Vault has on: with none it records nothing, and with one it stands still when that one
//! cannot write. A device that goes is an entry of our log.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use ops_audit::entry::Outcome;
use ops_contract::{AuditSourceSpec, Stack};

use crate::secrets::stores::vault::AuditDevice;
use crate::store::{self, meta};
use crate::{App, audit};

/// Name of the entry.
const CHANGED: &str = "audit.devices";
/// Under this name the store keeps what was seen last.
const SEEN: &str = "audit_vault_devices";
/// Most devices that are looked at.
const MOST: usize = 64;

/// What is known of the devices now.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Where the vault is; `None`: there is none to watch.
    vault: Option<String>,
    /// How many devices it has; `None`: it does not say.
    count: Mutex<Option<usize>>,
}

impl Watch {
    pub(super) fn new(stack: &Stack) -> Self {
        let address = stack.secret_stores.vault.as_ref().map(|it| it.address.as_str());
        let host = |it: &str| {
            let url = url::Url::parse(it).ok()?;
            let host = url.host_str()?.to_owned();
            Some(url.port_or_known_default().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
        };
        Self { vault: address.map(|it| host(it).unwrap_or_default()), count: Mutex::new(None) }
    }

    /// The vault, and how many devices it has.
    pub(super) fn now(&self) -> Option<(String, Option<usize>)> {
        let count = *self.count.lock().unwrap_or_else(PoisonError::into_inner);
        Some((self.vault.clone()?, count))
    }

    fn note(&self, count: Option<usize>) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) = count;
    }
}

/// Asks the vault, and records what has changed since it was last asked. Gives how many devices there are.
pub(crate) async fn look(app: &App) -> anyhow::Result<usize> {
    let asked = app.vault.audit_devices().await;
    let watch = &app.sources.watch;
    watch.note(asked.as_ref().ok().map(Vec::len));
    let devices = asked.context("the vault does not say which audit devices it has")?;
    let now: BTreeMap<String, String> =
        devices.into_iter().take(MOST).map(|AuditDevice { name, kind }| (name, kind)).collect();
    record(app, &now).await.context("could not record which audit devices the vault has")?;
    Ok(now.len())
}

/// The entry and what it is compared with next time change together.
async fn record(app: &App, now: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let mut db = app.store.begin().await?;
    let before = meta::get(&mut db, SEEN).await?;
    let seen: Option<BTreeMap<String, String>> = before.as_deref().map(serde_json::from_str).transpose()?;
    if seen.as_ref() == Some(now) {
        return Ok(());
    }
    let vault = app.sources.watch.vault.as_deref().unwrap_or_default();
    let seen = seen.unwrap_or_default();
    let gone: Vec<&str> = seen.keys().filter(|it| !now.contains_key(*it)).map(String::as_str).collect();
    let new: Vec<&str> = now.keys().filter(|it| !seen.contains_key(*it)).map(String::as_str).collect();
    let outcome = if gone.is_empty() && now.len() > 1 { Outcome::Allowed } else { Outcome::Failed };
    let entry = audit::of_system(CHANGED, vault)
        .outcome(outcome)
        .detail("devices", words(now))
        .detail("count", now.len().to_string())
        .detail("gone", gone.join(","))
        .detail("new", new.join(","))
        .detail("without_device", without_device(app, now));
    if outcome == Outcome::Failed {
        let (count, gone) = (now.len(), gone.join(", "));
        tracing::error!(vault, count, gone, "the vault has too few audit devices, or lost one");
    }
    let appended = audit::append_in(&mut db, &app.audit, vec![entry.draft()]).await?;
    meta::set(&mut db, SEEN, &store_text(now)?).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    Ok(())
}

fn store_text(devices: &BTreeMap<String, String>) -> store::Result<String> {
    serde_json::to_string(devices).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// `file (file), ops (http)`.
fn words(devices: &BTreeMap<String, String>) -> String {
    let words: Vec<String> = devices.iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
    words.join(", ")
}

/// Sources of the stack file for which the vault has no device of that kind: a name may differ, a kind may not.
fn without_device(app: &App, now: &BTreeMap<String, String>) -> String {
    let kind = |spec: &AuditSourceSpec| match spec {
        AuditSourceSpec::VaultHttp { .. } => "http",
        AuditSourceSpec::VaultFile { .. } => "file",
    };
    let missing = app.sources.by_name.iter().filter(|(_, it)| !now.values().any(|is| is == kind(&it.spec)));
    missing.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",")
}
