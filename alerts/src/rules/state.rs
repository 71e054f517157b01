use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use ops_contract::{Alert, AlertState, RuleHealth};
use ops_samples::Labels;

use super::Rule;
use super::inputs::Watch;

/// Resolved alerts stay to be seen for this long, in milliseconds (Prometheus: 15 min).
const SHOWN_MS: i64 = 900_000;

/// What is known of a rule between evaluations.
#[derive(Debug, Default)]
pub(crate) struct RuleState {
    /// By fingerprint: pending and firing.
    pub(crate) living: BTreeMap<String, Alert>,
    /// Resolved a while ago, oldest first.
    pub(crate) resolved: Vec<Alert>,
    pub(crate) health: Option<RuleHealth>,
    pub(crate) error: Option<String>,
    pub(crate) unhealthy_since_ms: Option<i64>,
    /// The alert that says that the rule does not work.
    pub(crate) unhealthy: Option<Alert>,
    pub(crate) evaluated_ms: Option<i64>,
    pub(crate) took_s: f64,
    /// When its series were last written, and its inputs last looked at.
    pub(crate) written_ms: i64,
    pub(crate) checked_ms: i64,
    /// Series that a recording rule wrote last.
    pub(crate) recorded: Arc<HashSet<Labels>>,
    /// What of it is missing because its data is.
    pub(crate) silent: Arc<HashSet<Labels>>,
    /// Alerts from the store that were not judged since.
    pub(crate) restored: BTreeSet<String>,
    /// Alerts that are held because series with their own labels are gone.
    pub(crate) own: BTreeSet<String>,
    /// Whether samples that it reads arrived since the start.
    pub(crate) heard: bool,
    /// The timer's next turn; older entries of the heap are void.
    pub(crate) due_ms: i64,
}

impl RuleState {
    /// Takes up an alert from the store.
    pub(crate) fn take_up(&mut self, alert: Alert) {
        if alert.state == AlertState::Resolved {
            self.resolved.push(alert);
        } else {
            self.restored.insert(alert.fingerprint.clone());
            if alert.no_data_since.is_some() {
                self.own.insert(alert.fingerprint.clone());
            }
            self.living.insert(alert.fingerprint.clone(), alert);
        }
    }

    /// An alert is as told from now on.
    pub(crate) fn put(&mut self, alert: Alert) {
        self.living.insert(alert.fingerprint.clone(), alert);
    }

    /// An alert is over.
    pub(crate) fn end(&mut self, alert: Alert, now_ms: i64) {
        self.living.remove(&alert.fingerprint);
        self.resolved.retain(|it| it.resolved_at.is_some_and(|at| at.0 / 1_000 > now_ms - SHOWN_MS));
        if alert.state == AlertState::Resolved {
            self.resolved.push(alert);
        }
    }

    /// Living alerts as a job needs them.
    pub(crate) fn for_job(&self, rule: &Rule) -> Vec<(String, Watch)> {
        let watch = |it: &Alert| Watch {
            labels: rule.own_labels(&Labels::new(&it.labels).unwrap_or_default()),
            held: it.no_data_since.is_some() || self.restored.contains(&it.fingerprint),
            own: self.own.contains(&it.fingerprint),
        };
        self.living.values().map(|it| (it.fingerprint.clone(), watch(it))).collect()
    }
}
