//! Keeps the audit log: appends what waits, signs it, lays it down outside, verifies it once a day.

use std::sync::Arc;
use std::time::Duration;

use ops_tasks::Task;
use serde::Serialize;

use crate::audit::Anchoring;
use crate::audit::sources::vault_file::Files;
use crate::{App, audit, clock};

/// Pause between two verifications of the whole log.
const VERIFY_EVERY: Duration = Duration::from_secs(86_400);

/// Appends what waits.
pub(super) struct AuditAppend(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Count {
    count: u64,
}

impl Task for AuditAppend {
    const NAME: &'static str = "audit_append";
    type Report = Count;

    async fn run(&mut self) -> anyhow::Result<Count> {
        let count = self.0.audit.append_waiting(&self.0.store).await?;
        Ok(Count { count: count as u64 })
    }
}

/// Signs, also when nothing was appended.
pub(super) struct AuditSeal(pub(super) Arc<App>);

impl Task for AuditSeal {
    const NAME: &'static str = "audit_seal";
    type Report = Count;

    async fn run(&mut self) -> anyhow::Result<Count> {
        let sealed = self.0.audit.seal_if_due(&self.0.store).await?;
        self.0.audit.mark();
        Ok(Count { count: u64::from(sealed) })
    }
}

/// Drops what entries say that are older than the retention.
pub(super) struct AuditRetain(pub(super) Arc<App>);

impl Task for AuditRetain {
    const NAME: &'static str = "audit_retain";
    type Report = Count;

    async fn run(&mut self) -> anyhow::Result<Count> {
        Ok(Count { count: self.0.audit.retain(&self.0.store).await? })
    }
}

/// Lays signed states down outside.
pub(super) struct AuditAnchor(pub(super) Anchoring);

impl Task for AuditAnchor {
    const NAME: &'static str = "audit_anchor";
    type Report = Count;

    async fn run(&mut self) -> anyhow::Result<Count> {
        Ok(Count { count: self.0.run().await? })
    }
}

/// Follows the files of audit devices.
pub(super) struct AuditFiles(pub(super) Files);

#[derive(Serialize)]
pub(super) struct Read {
    lines: usize,
    more: bool,
}

impl Task for AuditFiles {
    const NAME: &'static str = "audit_files";
    type Report = Read;

    async fn run(&mut self) -> anyhow::Result<Read> {
        let (lines, more) = self.0.read_on().await?;
        Ok(Read { lines, more })
    }

    fn next_due(&self, read: &Read) -> Option<Duration> {
        read.more.then_some(Duration::ZERO)
    }
}

/// Verifies the whole log: soon after the start, and then once a day.
pub(super) struct AuditVerify(pub(super) Arc<App>);

#[derive(Serialize)]
pub(super) struct Verified {
    fault: Option<String>,
}

impl Task for AuditVerify {
    const NAME: &'static str = "audit_verify";
    type Report = Verified;

    async fn run(&mut self) -> anyhow::Result<Verified> {
        let began = clock::now();
        let (verdict, said) = audit::verify(&self.0).await?;
        let took_ms = clock::now().since(began).as_millis() as u64;
        if verdict.is_faulty() || said.fault.is_some() {
            tracing::error!(took_ms, fault = said.fault, "the audit log is not as it was written");
        } else {
            tracing::info!(took_ms, entries = verdict.entries, "the audit log was verified");
        }
        Ok(Verified { fault: said.fault })
    }

    fn next_due(&self, _: &Verified) -> Option<Duration> {
        Some(VERIFY_EVERY)
    }
}
