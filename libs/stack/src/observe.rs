//! Puts together what the stack file and a Prometheus configuration say of series and rules.

use ops_contract::{AlertsSpec, ScrapeSpec, TelemetrySpec};

use crate::sections::{AlertsDraft, TelemetryDraft};

/// What both say together.
pub(crate) struct Observed {
    pub(crate) alerts: AlertsSpec,
    pub(crate) telemetry: TelemetrySpec,
    pub(crate) scrape: Vec<ScrapeSpec>,
    pub(crate) remarks: Vec<String>,
}

/// What the stack file says wins; lists are joined.
pub(crate) fn together(alerts: AlertsDraft, telemetry: TelemetryDraft, scrape: Vec<ScrapeSpec>) -> Observed {
    let own_interval = alerts.own_interval;
    let mut all = Observed { alerts: alerts.spec, telemetry: telemetry.spec, scrape, remarks: Vec::new() };
    let Some(theirs) = telemetry.prometheus.map(|at| at.value) else { return all };
    if let Some(interval) = theirs.evaluation_interval.filter(|_| !own_interval) {
        all.alerts.evaluation_interval = interval;
    }
    all.alerts.rules.extend(theirs.rules);
    for (name, value) in theirs.external_labels {
        all.alerts.external_labels.entry(name).or_insert(value);
    }
    all.telemetry.remote_write.extend(theirs.remote_write);
    all.scrape.extend(theirs.scrape);
    all.remarks = theirs.remarks;
    all
}
