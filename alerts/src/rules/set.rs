use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use ops_samples::Labels;

use super::{Rule, RuleFile};

/// How rules are evaluated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Milliseconds between two evaluations of a group that does not set its own.
    pub evaluation_interval_ms: i64,
    /// `$externalLabels`.
    pub external_labels: Labels,
    /// `$externalURL`.
    pub external_url: String,
    /// Each group at its interval and never in between, as Prometheus does.
    pub timer_only: bool,
    /// A rule that fails or has no data for so many of its intervals, but at least for a minute, raises
    /// `RuleUnhealthy`; 0: it never does.
    pub unhealthy_intervals: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            evaluation_interval_ms: 15_000,
            external_labels: Labels::default(),
            external_url: String::new(),
            timer_only: false,
            unhealthy_intervals: 3,
        }
    }
}

/// All rules, in the order in which they are evaluated, and which metric wakes which of them.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(crate) settings: Settings,
    pub(crate) entries: Vec<Entry>,
    by_metric: HashMap<Arc<str>, Vec<usize>>,
    by_any: Vec<usize>,
}

/// A rule and what it has of its group.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) rule: Arc<Rule>,
    pub(crate) group: Arc<str>,
    pub(crate) file: Arc<str>,
    pub(crate) interval_ms: i64,
    /// Where in its interval the group is evaluated: spreads the groups, and is the same after a restart.
    pub(crate) phase_ms: i64,
    pub(crate) limit: usize,
    pub(crate) offset_ms: i64,
}

impl RuleSet {
    /// Puts the rules of files together.
    #[must_use]
    pub fn new(files: Vec<RuleFile>, settings: &Settings) -> Self {
        let mut set = Self { settings: settings.clone(), ..Self::default() };
        let mut ids = HashSet::new();
        for file in files {
            let name: Arc<str> = file.name.into();
            for group in file.groups {
                let interval_ms = group.interval_ms.unwrap_or(settings.evaluation_interval_ms).max(1);
                let phase_ms = phase(&name, &group.name, interval_ms);
                let label: Arc<str> = group.name.into();
                for mut rule in group.rules {
                    // Two files of one name in two folders.
                    let (base, mut number) = (rule.id.clone(), 1);
                    while !ids.insert(rule.id.clone()) {
                        number += 1;
                        let Some(rule) = Arc::get_mut(&mut rule) else { break };
                        rule.id = format!("{base}~{number}");
                    }
                    set.add(Entry {
                        rule,
                        group: label.clone(),
                        file: name.clone(),
                        interval_ms,
                        phase_ms,
                        limit: group.limit,
                        offset_ms: group.query_offset_ms,
                    });
                }
            }
        }
        set
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The rules that read a metric.
    pub(crate) fn readers(&self, metric: &str) -> impl Iterator<Item = usize> {
        let named = self.by_metric.get(metric).map(Vec::as_slice).unwrap_or_default();
        named.iter().chain(&self.by_any).copied()
    }

    fn add(&mut self, entry: Entry) {
        let at = self.entries.len();
        let reads = entry.rule.query.reads();
        if reads.any_name {
            self.by_any.push(at);
        } else {
            for name in &reads.names {
                self.by_metric.entry(name.as_str().into()).or_default().push(at);
            }
        }
        self.entries.push(entry);
    }
}

fn phase(file: &str, group: &str, interval_ms: i64) -> i64 {
    let mut hasher = DefaultHasher::new();
    (file, group).hash(&mut hasher);
    let spread = i64::try_from(hasher.finish() >> 1).unwrap_or(0);
    spread % interval_ms
}
