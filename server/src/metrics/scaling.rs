//! `ops_scaling_*`: what `/api/scaling/{service}` says, to be drawn and alerted on.

use ops_contract::ScalingState;
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use super::ServiceLabels;
use crate::App;
use crate::store::word;

const STATES: [ScalingState; 4] =
    [ScalingState::Unknown, ScalingState::Measured, ScalingState::Manual, ScalingState::Fixed];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    service: String,
    state: String,
}

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Scaling {
    desired: Family<ServiceLabels, Gauge>,
    current: Family<ServiceLabels, Gauge>,
    min: Family<ServiceLabels, Gauge>,
    max: Family<ServiceLabels, Gauge>,
    state: Family<StateLabels, Gauge>,
}

impl Scaling {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("ops_scaling_desired", "Replicas that a service should have", it.desired);
            registry.register("ops_scaling_current", "Replicas that are alive and stay", it.current);
            registry.register("ops_scaling_min", "Fewest replicas that a service may have", it.min);
            registry.register("ops_scaling_max", "Most replicas that a service may have", it.max);
            registry.register("ops_scaling_state", "1 for what the number rests on", it.state);
        });
        own
    }

    /// Writes what mirrors the decisions.
    pub(super) fn refresh(&self, app: &App) {
        for (name, spec) in &app.stack.services {
            let Some(signal) = app.scaling_signal(name) else { continue };
            let labels = ServiceLabels { service: name.to_string() };
            self.desired.get_or_create(&labels).set(signal.desired.into());
            self.current.get_or_create(&labels).set(signal.current.into());
            self.min.get_or_create(&labels).set(spec.replicas.min.into());
            self.max.get_or_create(&labels).set(spec.replicas.max.into());
            for state in STATES {
                let labels =
                    StateLabels { service: name.to_string(), state: word(&state).unwrap_or_default() };
                self.state.get_or_create(&labels).set(i64::from(state == signal.state));
            }
        }
    }
}
