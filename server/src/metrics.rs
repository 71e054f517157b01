//! The server's own metrics, `ops_*`. Those that mirror the state are written anew at each scrape.

mod paging;
mod process;
mod queues;
mod scaling;
mod secrets;
mod series;
mod sources;
mod state;

use ops_contract::{ActionKind, ActionStatus};
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

pub(crate) use secrets::Watched;

use crate::App;
use crate::store::word;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabels {
    service: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    kind: String,
    status: String,
}

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    pub(crate) signals: Counter,
    actions: Family<ActionLabels, Counter>,
    store_up: Gauge,
    pub(crate) paging: paging::Paging,
    pub(crate) secrets: secrets::Secrets,
    process: process::Process,
    state: state::State,
    queues: queues::Queues,
    scaling: scaling::Scaling,
    series: series::Series,
    sources: sources::Sources,
}

impl Own {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self {
            paging: paging::Paging::register(metrics),
            secrets: secrets::Secrets::register(metrics),
            process: process::Process::register(metrics),
            queues: queues::Queues::register(metrics),
            scaling: scaling::Scaling::register(metrics),
            series: series::Series::register(metrics),
            sources: sources::Sources::register(metrics),
            state: state::State::register(metrics),
            ..Self::default()
        };
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("ops_signals", "Signals received from agents", it.signals);
            registry.register("ops_actions", "Actions by kind and how they stand", it.actions);
            registry.register("ops_store_up", "Whether the server can use its own store", it.store_up);
        });
        own
    }

    /// Counts an action that came to `status`.
    pub(crate) fn action(&self, kind: ActionKind, status: ActionStatus) {
        let labels =
            ActionLabels { kind: word(&kind).unwrap_or_default(), status: word(&status).unwrap_or_default() };
        self.actions.get_or_create(&labels).inc();
    }

    /// Writes what mirrors the state.
    pub(crate) fn refresh(&self, app: &App) {
        self.state.refresh(app);
        self.queues.refresh(app);
        self.scaling.refresh(app);
        self.series.refresh(app);
        self.sources.refresh(app);
        self.store_up.set(i64::from(app.store_fault().is_none()));
        self.paging.refresh(app);
        self.secrets.refresh(app);
        self.process.refresh();
    }
}
