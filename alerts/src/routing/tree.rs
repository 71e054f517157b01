//! The tree of routes: depth first, the first that matches wins unless it continues.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Matchers, quote};

/// A route: its place when the file's routes are counted from top to bottom, the root is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RouteId(pub u32);

/// By which labels alerts are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// By these; none: all of a route are one group.
    Labels(BTreeSet<String>),
    /// By every label: each alert is a group.
    All,
}

/// One route with what it inherited.
#[derive(Clone, Debug)]
pub struct Route {
    /// Which one.
    pub id: RouteId,
    /// What an alert must meet.
    pub matchers: Matchers,
    /// Whether routes after it are looked at though it matched.
    pub continues: bool,
    /// Places of its children, in order.
    pub children: Vec<usize>,
    /// Its matchers and those of the routes above: `{}/{severity="page"}`.
    pub key: String,
    /// Who is told.
    pub receiver: String,
    /// By which labels it groups.
    pub group_by: GroupBy,
    /// How long a new group waits for more.
    pub group_wait: Duration,
    /// Least time between two notifications of a group.
    pub group_interval: Duration,
    /// After how long a group that did not change is told again.
    pub repeat_interval: Duration,
    /// Intervals in which it is silent.
    pub mute: Vec<String>,
    /// Intervals in which alone it speaks; none: always.
    pub active: Vec<String>,
    /// Labels of the route itself; values may be templates.
    pub labels: BTreeMap<String, String>,
}

impl Route {
    /// A root with Alertmanager's defaults.
    #[must_use]
    pub fn root(receiver: &str) -> Self {
        Self {
            id: RouteId(0),
            matchers: Matchers::default(),
            continues: false,
            children: Vec::new(),
            key: "{}".to_owned(),
            receiver: receiver.to_owned(),
            group_by: GroupBy::Labels(BTreeSet::new()),
            group_wait: Duration::from_secs(30),
            group_interval: Duration::from_mins(5),
            repeat_interval: Duration::from_hours(4),
            mute: Vec::new(),
            active: Vec::new(),
            labels: BTreeMap::new(),
        }
    }
}

/// All routes.
#[derive(Clone, Debug)]
pub struct Tree {
    /// From top to bottom as in the file; never empty.
    routes: Vec<Route>,
}

/// Where an alert goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed<'a> {
    /// The route.
    pub route: RouteId,
    /// Who is told.
    pub receiver: &'a str,
    /// The labels of its group: those of the route's `group_by` that it has.
    pub group_labels: BTreeMap<String, String>,
    /// Its group, as Alertmanager writes it: `{}/{severity="page"}:{alertname="X"}`. Routes with equal matchers share it.
    pub group_key: String,
    /// How long a new group waits for more.
    pub group_wait: Duration,
    /// Least time between two notifications of a group.
    pub group_interval: Duration,
    /// After how long a group that did not change is told again.
    pub repeat_interval: Duration,
    /// Intervals in which the route is silent.
    pub mute: &'a [String],
    /// Intervals in which alone it speaks; none: always.
    pub active: &'a [String],
    /// Labels of the route itself.
    pub labels: &'a BTreeMap<String, String>,
}

impl Tree {
    /// From top to bottom, the root first.
    pub(super) fn new(routes: Vec<Route>) -> Self {
        Self { routes }
    }

    /// One route for everything.
    #[must_use]
    pub fn only(receiver: &str) -> Self {
        Self::new(vec![Route::root(receiver)])
    }

    /// Its routes from top to bottom, the root first.
    #[must_use]
    pub fn as_slice(&self) -> &[Route] {
        &self.routes
    }

    /// A route.
    #[must_use]
    pub fn route(&self, id: RouteId) -> Option<&Route> {
        self.routes.get(usize::try_from(id.0).ok()?)
    }

    /// Where an alert with these labels goes, in the order of the file: at least to the root.
    #[must_use]
    pub fn routes(&self, labels: &BTreeMap<String, String>) -> Vec<Routed<'_>> {
        self.matching(labels).into_iter().map(|route| route.take(labels)).collect()
    }

    /// The routes themselves; their receivers in order are what `amtool config routes test` prints.
    #[must_use]
    pub fn matching(&self, labels: &BTreeMap<String, String>) -> Vec<&Route> {
        let mut found = Vec::new();
        self.walk(0, labels, &mut found);
        found
    }

    /// Whether the route or one below it took the alert.
    fn walk<'a>(&'a self, at: usize, labels: &BTreeMap<String, String>, found: &mut Vec<&'a Route>) -> bool {
        let Some(route) = self.routes.get(at) else { return false };
        if !route.matchers.matches(labels) {
            return false;
        }
        let before = found.len();
        for child in &route.children {
            let took = self.walk(*child, labels, found);
            if took && self.routes.get(*child).is_some_and(|child| !child.continues) {
                break;
            }
        }
        if found.len() == before {
            found.push(route);
        }
        true
    }
}

impl Route {
    fn take(&self, labels: &BTreeMap<String, String>) -> Routed<'_> {
        let is_grouped = |name: &str| match &self.group_by {
            GroupBy::All => true,
            GroupBy::Labels(names) => names.contains(name),
        };
        let group_labels: BTreeMap<String, String> = labels
            .iter()
            .filter(|(name, _)| is_grouped(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Routed {
            route: self.id,
            receiver: &self.receiver,
            group_key: format!("{}:{}", self.key, written(&group_labels)),
            group_labels,
            group_wait: self.group_wait,
            group_interval: self.group_interval,
            repeat_interval: self.repeat_interval,
            mute: &self.mute,
            active: &self.active,
            labels: &self.labels,
        }
    }
}

/// A label set as Alertmanager writes it: `{alertname="X", job="y"}`.
fn written(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", quote::go(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}

#[cfg(test)]
mod tests;
