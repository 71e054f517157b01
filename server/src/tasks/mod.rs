//! The control loop and the cleaning up. One file per task; each reads the world and moves it a step.
//!
//! To add a task: one file, one line in [`spawn`].

mod act;
mod audit;
mod deliver;
mod expire;
mod findings;
mod gather;
mod keep_series;
mod measure;
mod plan;
mod prune;
mod pulse;
mod remote_write;
mod rotate;
mod rules;
mod scale;
mod vault;
mod watch_secrets;

use std::sync::Arc;
use std::time::Duration;

use ops_tasks::Activator;

use crate::App;

pub(crate) use plan::LEASE;
pub(crate) use rotate::LEASE as ROTATE_LEASE;

/// Starts all tasks.
pub(crate) fn spawn(app: &Arc<App>) {
    let supervisor = &app.supervisor;
    // The timer is there for what happens by silence: reports that do not come.
    supervisor.spawn(plan::PlanTask::new(app.clone()), Duration::from_secs(1), &app.plan);
    supervisor.spawn(scale::Scale::new(app.clone()), Duration::from_secs(1), &app.scale);
    supervisor.spawn(measure::Measure::new(app.clone()), Duration::from_secs(5), &app.measure);
    supervisor.spawn(rules::Rules::new(app.clone()), Duration::from_secs(1), &app.alerting.wake);
    supervisor.spawn(keep_series::KeepSeries(app.clone()), Duration::from_secs(1), &Activator::default());
    if !app.series.outlets().is_empty() {
        match remote_write::RemoteWrite::new(app.clone()) {
            Ok(task) => supervisor.spawn(task, Duration::from_secs(1), &Activator::default()),
            Err(error) => tracing::error!(%error, "samples cannot be sent on"),
        }
    }
    match deliver::Deliver::new(app.clone()) {
        Ok(task) => supervisor.spawn(task, Duration::from_secs(1), &app.paging.deliver),
        Err(error) => tracing::error!(%error, "nobody can be told of anything"),
    }
    match pulse::Pulse::new(app.clone()) {
        Ok(task) => supervisor.spawn(task, Duration::from_secs(1), &Activator::default()),
        Err(error) => tracing::error!(%error, "the address outside is not called"),
    }
    match crate::paging::Fetching::new(app.clone()) {
        Ok(task) => supervisor.spawn(task, Duration::from_secs(5), &Activator::default()),
        Err(error) => tracing::error!(%error, "on-call calendars are not fetched"),
    }
    supervisor.spawn(audit::AuditAppend(app.clone()), Duration::from_secs(1), &app.audit.wake);
    supervisor.spawn(audit::AuditSeal(app.clone()), Duration::from_secs(1), &app.audit.seal);
    supervisor.spawn(audit::AuditVerify(app.clone()), Duration::from_secs(86_400), &Activator::default());
    if app.audit.spec.retention.is_some() {
        supervisor.spawn(audit::AuditRetain(app.clone()), Duration::from_secs(3_600), &Activator::default());
    }
    if !app.audit.spec.anchors.is_empty() {
        match crate::audit::Anchoring::new(app.clone()) {
            Ok(anchoring) => {
                supervisor.spawn(
                    audit::AuditAnchor(anchoring),
                    Duration::from_secs(1),
                    &Activator::default(),
                );
            }
            Err(error) => tracing::error!(%error, "the audit log is not laid down outside"),
        }
    }
    if app.stack.secret_stores.vault.is_some() {
        supervisor.spawn(vault::VaultToken(app.clone()), Duration::from_secs(60), &Activator::default());
        supervisor.spawn(vault::VaultDevices(app.clone()), Duration::from_secs(60), &Activator::default());
    }
    let files = crate::audit::sources::vault_file::Files::new(app.clone());
    if !files.is_empty() {
        supervisor.spawn(audit::AuditFiles(files), Duration::from_secs(1), &Activator::default());
    }
    supervisor.spawn(rotate::Rotate(app.clone()), Duration::from_secs(1), &app.rotate);
    supervisor.spawn(rotate::SecretWatch(app.clone()), Duration::from_secs(10), &Activator::default());
    supervisor.spawn(rotate::SecretHandouts(app.clone()), Duration::from_secs(5), &app.vault.ended.wake);
    supervisor.spawn(findings::Findings::new(app.clone()), Duration::from_secs(1), &app.audit.appended);
    let watch = watch_secrets::WatchSecrets::new(app.clone());
    supervisor.spawn(watch, Duration::from_secs(30), &Activator::default());
    supervisor.spawn(expire::Expire(app.clone()), Duration::from_secs(5), &Activator::default());
    supervisor.spawn(prune::Prune(app.clone()), Duration::from_secs(3_600), &Activator::default());
}
