use std::collections::BTreeMap;

/// Most metrics whose type and help are kept; those that come later stay unknown.
const MOST: usize = 50_000;
/// Longest help that is kept, in bytes.
const LONGEST: usize = 1_024;

/// What a metric is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metric {
    /// `counter`, `gauge`, … or `unknown`.
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) unit: String,
}

/// Types and helps by the metric's name. All of it can be lost: it is told again.
#[derive(Debug, Default)]
pub(crate) struct Metadata(BTreeMap<String, Metric>);

impl Metadata {
    /// Notes a metric, unless there are too many.
    pub(crate) fn insert(&mut self, name: String, mut metric: Metric) {
        if name.is_empty() || (self.0.len() >= MOST && !self.0.contains_key(&name)) {
            return;
        }
        metric.help.truncate(metric.help.floor_char_boundary(LONGEST));
        if metric.kind.is_empty() || metric.kind == "untyped" {
            metric.kind = "unknown".to_owned();
        }
        self.0.insert(name, metric);
    }

    /// By name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Metric)> {
        self.0.iter()
    }
}
