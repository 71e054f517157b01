//! Which alerts are not told because another one says enough.

use std::collections::HashMap;

use super::{LivingAlert, Matchers};

/// While its sources fire, its targets are not told.
#[derive(Clone, Debug)]
pub struct InhibitRule {
    /// Its name; may be empty.
    pub name: String,
    /// Of each of them an alert must fire; usually it is one.
    pub sources: Vec<InhibitionSource>,
    /// What is not told.
    pub targets: Matchers,
}

/// Alerts that inhibit.
#[derive(Clone, Debug)]
pub struct InhibitionSource {
    /// Which ones.
    pub matchers: Matchers,
    /// Labels that must be the same in source and target; one that is missing counts as empty. Sorted.
    pub equal: Vec<String>,
}

/// An alert that is inhibited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inhibited {
    /// Place of the alert that inhibits it; of several sources the first one's.
    pub by: usize,
    /// Place of the rule in the file.
    pub rule: usize,
}

/// Decides over all living alerts at once.
#[derive(Clone, Copy, Debug)]
pub struct Inhibitor<'r> {
    rules: &'r [InhibitRule],
}

/// The alerts of one source with the same values of its `equal` labels.
#[derive(Clone, Copy, Default)]
struct Firing {
    /// The first.
    any: Option<usize>,
    /// The first that is no target of the same rule.
    one_sided: Option<usize>,
}

type Index<'a> = HashMap<Vec<&'a str>, Firing>;

impl<'r> Inhibitor<'r> {
    /// With these rules.
    #[must_use]
    pub fn new(rules: &'r [InhibitRule]) -> Self {
        Self { rules }
    }

    /// For each alert, in order, what inhibits it: by the first rule that does. Takes time in proportion to alerts and rules.
    #[must_use]
    pub fn judge(&self, alerts: &[LivingAlert<'_>]) -> Vec<Option<Inhibited>> {
        let mut judged = vec![None; alerts.len()];
        for (at, rule) in self.rules.iter().enumerate() {
            rule.judge(at, alerts, &mut judged);
        }
        judged
    }
}

impl InhibitRule {
    fn judge(&self, rule: usize, alerts: &[LivingAlert<'_>], judged: &mut [Option<Inhibited>]) {
        let indexes: Vec<Index<'_>> = self.sources.iter().map(|source| self.index(source, alerts)).collect();
        if indexes.is_empty() || indexes.iter().any(HashMap::is_empty) {
            return;
        }
        for (alert, judged) in alerts.iter().zip(judged.iter_mut()).filter(|(_, judged)| judged.is_none()) {
            if self.targets.matches(alert.labels) {
                *judged = self.source_of(alert, &indexes).map(|by| Inhibited { by, rule });
            }
        }
    }

    fn index<'a>(&self, source: &'a InhibitionSource, alerts: &[LivingAlert<'a>]) -> Index<'a> {
        let mut index = Index::new();
        for (at, alert) in alerts.iter().enumerate() {
            if alert.firing && source.matchers.matches(alert.labels) {
                let firing = index.entry(source.equal_values(alert)).or_default();
                firing.any.get_or_insert(at);
                if firing.one_sided.is_none() && !self.targets.matches(alert.labels) {
                    firing.one_sided = Some(at);
                }
            }
        }
        index
    }

    /// As Alertmanager: a target that is a source too is not inhibited by another that is both, and so never by itself.
    fn source_of(&self, target: &LivingAlert<'_>, indexes: &[Index<'_>]) -> Option<usize> {
        let mut first = None;
        for (source, index) in self.sources.iter().zip(indexes) {
            let firing = index.get(&source.equal_values(target))?;
            let two_sided = source.matchers.matches(target.labels);
            let by = if two_sided { firing.one_sided } else { firing.any }?;
            first.get_or_insert(by);
        }
        first
    }
}

impl InhibitionSource {
    fn equal_values<'a>(&self, alert: &LivingAlert<'a>) -> Vec<&'a str> {
        self.equal.iter().map(|label| alert.labels.get(label).map_or("", String::as_str)).collect()
    }
}

#[cfg(test)]
mod tests;
