use std::collections::BTreeMap;

use ops_promql::Query;
use ops_promql::template::Template;
use ops_samples::{Labels, NAME};

/// The rules of a file that belong together: evaluated in order, at the same interval.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name, once in a file.
    pub name: String,
    /// Milliseconds between two evaluations, if it sets its own.
    pub interval_ms: Option<i64>,
    /// Most series or alerts of a rule; 0: any number.
    pub limit: usize,
    /// How far in the past it is evaluated, in milliseconds.
    pub query_offset_ms: i64,
    /// Its rules.
    pub rules: Vec<std::sync::Arc<Rule>>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// `file-stem/group/name#n`; the same as long as the rule stays where it is.
    pub id: String,
    /// Name of the alert or of the recorded series.
    pub name: String,
    /// What is evaluated.
    pub query: Query,
    /// Labels that it sets: as written, and as template.
    pub labels: BTreeMap<String, (String, Template)>,
    /// What is made of the result.
    pub action: RuleAction,
    /// Line in its file, from 1.
    pub line: Option<u64>,
}

/// What a rule makes of a result.
#[derive(Debug)]
pub enum RuleAction {
    /// A series.
    Record,
    /// Alerts.
    Alert {
        /// How long the condition must hold, in milliseconds.
        for_ms: i64,
        /// How long it fires on after that, in milliseconds.
        keep_firing_for_ms: i64,
        /// What people are told: as written, and as template.
        annotations: BTreeMap<String, (String, Template)>,
    },
}

impl Rule {
    /// Whether it is the same rule as another: what it found before still means the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let written = |rule: &Self| -> Vec<(String, String)> {
            rule.labels.iter().map(|(name, (text, _))| (name.clone(), text.clone())).collect()
        };
        self.id == other.id && self.query.text() == other.query.text() && written(self) == written(other)
    }

    /// Where its expression can be looked at, below the server's own address.
    #[must_use]
    pub fn address(&self) -> String {
        let expression: String = url::form_urlencoded::byte_serialize(self.query.text().as_bytes()).collect();
        format!("/explore?expr={expression}")
    }

    /// What a label set that the rule made has of its series: without name and what the rule sets.
    pub(crate) fn own_labels(&self, labels: &Labels) -> Labels {
        let mut own = labels.to_builder();
        own.retain(|name, _| name != NAME && name != "alertname" && !self.labels.contains_key(name));
        own.build().unwrap_or_default()
    }

    /// How long the condition must hold, in milliseconds.
    #[must_use]
    pub fn for_ms(&self) -> i64 {
        match &self.action {
            RuleAction::Alert { for_ms, .. } => *for_ms,
            RuleAction::Record => 0,
        }
    }

    /// How long it fires on after the condition has ended, in milliseconds.
    #[must_use]
    pub fn keep_firing_for_ms(&self) -> i64 {
        match &self.action {
            RuleAction::Alert { keep_firing_for_ms, .. } => *keep_firing_for_ms,
            RuleAction::Record => 0,
        }
    }

    /// Whether it makes alerts.
    #[must_use]
    pub fn is_alerting(&self) -> bool {
        matches!(self.action, RuleAction::Alert { .. })
    }
}
