//! Figures that nobody counts as they happen: the pool's connections and the active tickets.

use std::sync::Arc;

use ops_tasks::Task;
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;
use serde::Serialize;

use crate::app::App;
use crate::store::tickets;

type ByLabel = Family<[(&'static str, String); 1], Gauge>;

pub(crate) struct Gauges {
    app: Arc<App>,
    pool_size: ByLabel,
    active_tickets: ByLabel,
}

#[derive(Serialize)]
pub(crate) struct Figures {
    active_tickets: i64,
}

impl Gauges {
    pub(crate) fn new(app: &Arc<App>, metrics: &Metrics) -> Self {
        let (pool_size, active_tickets) = (ByLabel::default(), ByLabel::default());
        metrics.with(|registry| {
            let text = "Connections to the primary, by state; max is the most there may be";
            registry.register("insightdesk_db_pool_size", text, pool_size.clone());
            registry.register(
                "insightdesk_active_tickets",
                "Tickets that somebody waits for",
                active_tickets.clone(),
            );
        });
        Self { app: app.clone(), pool_size, active_tickets }
    }
}

impl Task for Gauges {
    const NAME: &'static str = "gauges";
    type Report = Figures;

    async fn run(&mut self) -> anyhow::Result<Figures> {
        let pool = &self.app.primary;
        let idle = i64::try_from(pool.num_idle())?;
        let figures =
            [("idle", idle), ("used", i64::from(pool.size()) - idle), ("max", i64::from(self.app.pool_max))];
        for (state, value) in figures {
            self.pool_size.get_or_create(&[("state", state.to_owned())]).set(value);
        }
        // A figure of some seconds ago will do: the replica's.
        let counted = tickets::active(self.app.replica.as_ref().unwrap_or(pool)).await?;
        for status in ["open", "pending"] {
            let value = counted.iter().find(|(name, _)| name == status).map_or(0, |(_, count)| *count);
            self.active_tickets.get_or_create(&[("status", status.to_owned())]).set(value);
        }
        Ok(Figures { active_tickets: counted.iter().map(|(_, count)| count).sum() })
    }
}
