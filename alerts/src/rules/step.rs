use std::collections::{BTreeMap, BTreeSet, HashSet};

use ops_contract::{Alert, AlertState, RuleHealth};
use ops_samples::{Labels, Sample};

/// What an evaluation changes. It counts once [`super::Engine::apply`] has taken it.
#[derive(Debug)]
pub struct Step {
    /// The rule's id.
    pub rule: String,
    /// Whether something must be stored before it counts.
    pub changed: bool,
    /// Alerts to be stored as they are here.
    pub upserts: Vec<Alert>,
    /// Alerts that are over: resolved ones are history, pending ones are to be forgotten.
    pub ended: Vec<Alert>,
    /// What people may want to be told.
    pub transitions: Vec<Transition>,
    /// Series that the rule writes.
    pub samples: Vec<(Labels, Sample)>,
    pub(crate) index: usize,
    pub(crate) next: Next,
}

/// An alert came to another state.
#[derive(Clone, Debug)]
pub struct Transition {
    /// As it is now.
    pub alert: Alert,
    /// How it stood before; `None`: it is new.
    pub from: Option<AlertState>,
}

/// What [`super::Engine::apply`] does to memory.
#[derive(Debug, Default)]
pub(crate) struct Next {
    /// The rule set it was planned for is another now: nothing.
    pub(crate) void: bool,
    pub(crate) refreshed: Vec<(String, f64, BTreeMap<String, String>)>,
    pub(crate) health: Option<RuleHealth>,
    pub(crate) error: Option<String>,
    pub(crate) unhealthy_since_ms: Option<i64>,
    pub(crate) at_ms: i64,
    pub(crate) took_s: f64,
    pub(crate) written: bool,
    pub(crate) checked: bool,
    pub(crate) recorded: Option<HashSet<Labels>>,
    pub(crate) silent: HashSet<Labels>,
    /// Alerts that were judged, and those of them that are held by their own series.
    pub(crate) judged: BTreeSet<String>,
    pub(crate) own: BTreeSet<String>,
}
