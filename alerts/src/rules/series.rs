//! The series that alerting rules write: `ALERTS` and `ALERTS_FOR_STATE`.

use ops_contract::{Alert, AlertState};
use ops_samples::{Labels, LabelsBuilder, NAME, STALE, Sample};

/// The samples of a living alert.
pub(crate) fn living(alert: &Alert, at_ms: i64, samples: &mut Vec<(Labels, Sample)>) {
    let since = alert.active_at.0.div_euclid(1_000_000) as f64;
    push(samples, state(alert, alert.state), at_ms, 1.0);
    push(samples, named(alert, "ALERTS_FOR_STATE").build().ok(), at_ms, since);
}

/// Ends the series of an alert that is over.
pub(crate) fn over(alert: &Alert, from: AlertState, at_ms: i64, samples: &mut Vec<(Labels, Sample)>) {
    left(alert, from, at_ms, samples);
    push(samples, named(alert, "ALERTS_FOR_STATE").build().ok(), at_ms, STALE);
}

/// Ends the series of the state that an alert has left.
pub(crate) fn left(alert: &Alert, from: AlertState, at_ms: i64, samples: &mut Vec<(Labels, Sample)>) {
    push(samples, state(alert, from), at_ms, STALE);
}

fn push(samples: &mut Vec<(Labels, Sample)>, labels: Option<Labels>, at_ms: i64, value: f64) {
    samples.extend(labels.map(|labels| (labels, Sample { at_ms, value })));
}

fn state(alert: &Alert, state: AlertState) -> Option<Labels> {
    let word = if state == AlertState::Pending { "pending" } else { "firing" };
    named(alert, "ALERTS").set("alertstate", word).build().ok()
}

fn named(alert: &Alert, metric: &str) -> LabelsBuilder {
    let mut labels = LabelsBuilder::default();
    for (name, value) in &alert.labels {
        labels.set(name, value);
    }
    labels.set(NAME, metric);
    labels
}
