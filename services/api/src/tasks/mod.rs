//! One file per task. To add one: a file, an arm in [`spawn`].

mod gauges;
mod relay;

use std::sync::Arc;
use std::time::Duration;

use ops_program::database::Schema;
use ops_tasks::{Activator, Supervisor};
use ops_telemetry::Metrics;
use tokio::sync::mpsc;

use crate::app::App;
use crate::store::outbox::Entry;

/// Starts them all.
pub(crate) fn spawn(
    supervisor: &Supervisor,
    app: &Arc<App>,
    schema: &Schema,
    relayed: mpsc::Receiver<Entry>,
    metrics: &Metrics,
) -> anyhow::Result<()> {
    let relay = relay::Relay::new(&app.queues, app.primary.clone(), schema.clone(), relayed)?;
    supervisor.spawn(relay, Duration::from_secs(2), &app.relay);
    supervisor.spawn(gauges::Gauges::new(app, metrics), Duration::from_secs(10), &Activator::default());
    Ok(())
}
