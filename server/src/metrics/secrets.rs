//! `ops_secret_*`, `ops_audit_*`: how secrets and their record stand. What was not looked at yet is absent; what is unknown
//! is a state of its own, and never good.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ops_contract::{SecretState, SecretView, Timestamp};
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use crate::store::word;
use crate::{App, clock};

const STATES: [SecretState; 7] = [
    SecretState::Ok,
    SecretState::DueSoon,
    SecretState::Overdue,
    SecretState::Stuck,
    SecretState::SameValue,
    SecretState::ConsumerStale,
    SecretState::Unknown,
];

/// What was last looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    pub(crate) entries: u64,
    pub(crate) sealed_at: Option<Timestamp>,
    /// When each place was last given a signed state, or was first expected to.
    pub(crate) anchors: Vec<(String, Timestamp)>,
    pub(crate) secrets: Vec<SecretView>,
    /// Secrets that somebody who left could know.
    pub(crate) exposed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SecretLabels {
    secret: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    secret: String,
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LogLabels {
    log: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PlaceLabels {
    place: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SeverityLabels {
    severity: String,
}

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    watched: Arc<Mutex<Option<Watched>>>,
    entries: Counter<u64, AtomicU64>,
    fault: Gauge,
    sealed_age: Family<LogLabels, Gauge>,
    anchor_age: Family<PlaceLabels, Gauge>,
    anchor_pause: Gauge,
    findings: Family<SeverityLabels, Gauge>,
    age: Family<SecretLabels, Gauge>,
    due: Family<SecretLabels, Gauge>,
    state: Family<StateLabels, Gauge>,
    exposed: Family<SecretLabels, Gauge>,
}

impl Secrets {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("ops_audit_entries", "Entries of the audit log", it.entries);
            registry.register("ops_audit_fault", "Whether the audit log cannot be relied on", it.fault);
            let help = "Seconds since a signature covered the audit log";
            registry.register("ops_audit_sealed_age_seconds", help, it.sealed_age);
            let help = "Seconds since a signed state of the audit log was laid down there, or first should have been";
            registry.register("ops_audit_anchor_age_seconds", help, it.anchor_age);
            let help = "Pause between two signed states that are laid down outside, by the stack file";
            registry.register("ops_audit_anchor_pause_seconds", help, it.anchor_pause);
            let help = "Findings in the audit log that nobody has closed";
            registry.register("ops_audit_findings_open", help, it.findings);
            registry.register("ops_secret_age_seconds", "Seconds since a secret was renewed", it.age);
            let help = "Seconds until a secret is to be renewed; negative when that is over";
            registry.register("ops_secret_due_seconds", help, it.due);
            let help = "How a secret stands: 1 for its state, 0 for all others";
            registry.register("ops_secret_state", help, it.state);
            let help = "Whether somebody who left could know a secret as it is";
            registry.register("ops_secret_exposed_by_departure", help, it.exposed);
        });
        own
    }

    /// Takes what was looked at.
    pub(crate) fn saw(&self, watched: Watched) {
        *self.lock() = Some(watched);
    }

    pub(super) fn refresh(&self, app: &App) {
        self.fault.set(i64::from(app.audit.fault().is_some()));
        let pause = i64::try_from(app.audit.spec.anchor_every.as_secs()).unwrap_or(i64::MAX);
        self.anchor_pause.set(pause);
        for (severity, open) in app.findings.open().unwrap_or_default() {
            self.findings.get_or_create(&SeverityLabels { severity }).set(open);
        }
        let watched = self.lock().clone();
        let Some(watched) = watched else { return };
        let now = clock::now();
        self.entries.inner().store(watched.entries, Ordering::Relaxed);
        if let Some(at) = watched.sealed_at {
            let labels = LogLabels { log: app.audit.origin.clone() };
            self.sealed_age.get_or_create(&labels).set(seconds(at, now));
        }
        for (place, at) in &watched.anchors {
            self.anchor_age.get_or_create(&PlaceLabels { place: place.clone() }).set(seconds(*at, now));
        }
        self.age.clear();
        self.due.clear();
        for it in &watched.secrets {
            self.secret(it, &watched.exposed, now);
        }
    }

    fn secret(&self, it: &SecretView, exposed: &[String], now: Timestamp) {
        let labels = SecretLabels { secret: it.name.clone() };
        if let Some(at) = it.rotated_at {
            self.age.get_or_create(&labels).set(seconds(at, now));
        }
        if let Some(due) = it.due_at {
            self.due.get_or_create(&labels).set(seconds(now, due));
        }
        for state in STATES {
            let labels = StateLabels { secret: it.name.clone(), state: word(&state).unwrap_or_default() };
            self.state.get_or_create(&labels).set(i64::from(state == it.state));
        }
        self.exposed.get_or_create(&labels).set(i64::from(exposed.contains(&it.name)));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From one moment to another; negative when the other is the earlier.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.0.saturating_sub(from.0) / 1_000_000
}
