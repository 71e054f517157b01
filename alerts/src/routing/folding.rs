//! Root-cause folding: what fires because something below it is broken is told with that, not beside it.
//!
//! A folded alert is still known, shown and watched, and its end is told like any other's.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::LivingAlert;

/// A parent may be noticed a little later than its children.
const LATER: Duration = Duration::from_mins(1);
/// Most nodes that are looked at above one.
const MOST: usize = 10_000;

/// What depends on what.
#[derive(Clone, Debug, Default)]
pub struct Dependencies<'g> {
    parents: HashMap<&'g str, Vec<&'g str>>,
    nodes: HashSet<&'g str>,
}

/// What becomes of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// It is told.
    Root,
    /// It is a consequence of the alert at this place, which may itself be one of another.
    Under(usize),
}

impl<'g> Dependencies<'g> {
    /// From pairs of a node and what it depends on.
    #[must_use]
    pub fn new(edges: &[(&'g str, &'g str)]) -> Self {
        let mut this = Self::default();
        for &(child, parent) in edges {
            this.nodes.extend([child, parent]);
            let parents = this.parents.entry(child).or_default();
            if child != parent && !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        this
    }

    /// The node of an alert: the first of these labels whose value is a node, whole or up to its `/` or `:`, as in
    /// `instance="api/0"`.
    #[must_use]
    pub fn node_of(&self, labels: &BTreeMap<String, String>, look_at: &[&str]) -> Option<&'g str> {
        look_at.iter().filter_map(|label| labels.get(*label)).find_map(|value| {
            let first = value.split(['/', ':']).next().unwrap_or_default();
            self.nodes.get(value.as_str()).or_else(|| self.nodes.get(first)).copied()
        })
    }

    /// All that a node depends on, the nearest first, with their distance; without itself.
    fn ancestors(&self, node: &'g str) -> Vec<(&'g str, usize)> {
        let mut seen = HashSet::from([node]);
        let mut found = Vec::new();
        let mut queue = VecDeque::from([(node, 0)]);
        while let Some((node, distance)) = queue.pop_front() {
            for parent in self.parents.get(node).into_iter().flatten() {
                if found.len() < MOST && seen.insert(parent) {
                    found.push((*parent, distance + 1));
                    queue.push_back((parent, distance + 1));
                }
            }
        }
        found
    }
}

/// For each alert, in order, whether it is told or folded: under the firing `severity="critical"` alert of the nearest node that
/// its own depends on, which became active at most 60 s after it. What does not fire is a root and folds nothing. Nodes that
/// depend on each other in a circle fold nothing among themselves: somebody must be told.
#[must_use]
pub fn fold(alerts: &[LivingAlert<'_>], dependencies: &Dependencies<'_>, look_at: &[&str]) -> Vec<Fold> {
    let nodes: Vec<Option<&str>> = alerts
        .iter()
        .map(|alert| dependencies.node_of(alert.labels, look_at).filter(|_| alert.firing))
        .collect();
    let mut causes: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, (alert, node)) in alerts.iter().zip(&nodes).enumerate() {
        if let Some(node) = node.filter(|_| is_critical(alert)) {
            causes.entry(node).or_default().push(at);
        }
    }
    for list in causes.values_mut() {
        list.sort_by_key(|at| alerts.get(*at).map(|alert| (alert.active_at, alert.id)));
    }
    let mut above: HashMap<&str, Vec<(&str, usize)>> = HashMap::new();
    let mut folds = Vec::with_capacity(alerts.len());
    for (alert, node) in alerts.iter().zip(&nodes) {
        folds.push(match node {
            None => Fold::Root,
            Some(node) => {
                let candidates = above.entry(node).or_insert_with(|| sources(dependencies, &causes, node));
                cause(alerts, alert, candidates, &causes).map_or(Fold::Root, Fold::Under)
            }
        });
    }
    folds
}

/// The nodes above one that have a critical alert and do not themselves depend on it.
fn sources<'g>(
    dependencies: &Dependencies<'g>,
    causes: &HashMap<&str, Vec<usize>>,
    node: &str,
) -> Vec<(&'g str, usize)> {
    let Some(node) = dependencies.nodes.get(node).copied() else { return Vec::new() };
    let mut nodes = dependencies.ancestors(node);
    nodes.retain(|(above, _)| causes.contains_key(above));
    nodes.retain(|(above, _)| dependencies.ancestors(above).iter().all(|(other, _)| *other != node));
    nodes
}

/// Of the nearest nodes that have one, the alert that became active first.
fn cause(
    alerts: &[LivingAlert<'_>],
    alert: &LivingAlert<'_>,
    candidates: &[(&str, usize)],
    causes: &HashMap<&str, Vec<usize>>,
) -> Option<usize> {
    let in_time =
        |at: &usize| alerts.get(*at).is_some_and(|cause| cause.active_at <= alert.active_at + LATER);
    let mut best = None;
    for (node, distance) in candidates {
        let Some(at) = causes.get(node).into_iter().flatten().copied().find(in_time) else { continue };
        let order = alerts.get(at).map(|cause| (*distance, cause.active_at, cause.id));
        if best.is_none_or(|(_, other)| order < other) {
            best = Some((at, order));
        }
    }
    best.map(|(at, _)| at)
}

fn is_critical(alert: &LivingAlert<'_>) -> bool {
    alert.labels.get("severity").is_some_and(|it| it == "critical")
}

#[cfg(test)]
mod tests;
