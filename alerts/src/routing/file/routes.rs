//! The section `route`: a tree whose nodes inherit what they do not say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::node::{Is, Node};
use super::reader::Reader;
use crate::routing::nearest::nearest;
use crate::routing::tree::{GroupBy, Route, RouteId, Tree};

/// Most routes of a file.
const MOST: usize = 10_000;
/// How deep they may nest.
const DEEPEST: usize = 32;
const KEYS: &[&str] = &[
    "receiver",
    "group_by",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "match",
    "match_re",
    "matchers",
    "continue",
    "mute_time_intervals",
    "active_time_intervals",
    "labels",
    "routes",
];

/// What routes may name.
pub(super) struct Names<'a> {
    pub(super) receivers: BTreeSet<&'a str>,
    pub(super) intervals: BTreeSet<&'a str>,
}

/// Reads the tree; `None` when there is no root.
pub(super) fn read(reader: &mut Reader<'_>, root: &Node, names: &Names<'_>) -> Option<Tree> {
    let Some(node) = root.get("route").filter(|node| !matches!(node.is, Is::Null)) else {
        let fix = "write route: with receiver: and the name of a receiver";
        reader.fault(0, "route", "there is no route", fix);
        return None;
    };
    check_root(reader, node);
    let mut walk = Walk { names, routes: Vec::new() };
    let defaults = Route::root("");
    walk.route(reader, node, "route", &defaults, 0)?;
    Some(Tree::new(walk.routes))
}

/// The root takes what no other route takes: nothing may keep an alert from it.
fn check_root(reader: &mut Reader<'_>, node: &Node) {
    let is_given = |key: &str| node.get(key).filter(|node| !is_blank(node));
    for key in ["match", "match_re", "matchers"] {
        if let Some(there) = is_given(key) {
            let fix = "move it to a route below";
            reader.fault(
                there.line,
                &format!("route.{key}"),
                "the first route takes every alert and has no matchers",
                fix,
            );
        }
    }
    for key in ["mute_time_intervals", "active_time_intervals"] {
        if let Some(there) = is_given(key) {
            let problem = "the first route has no time intervals";
            reader.fault(there.line, &format!("route.{key}"), problem, "move it to a route below");
        }
    }
    if let Some(there) = node.get("continue")
        && reader.truth(Some(there), "route.continue")
    {
        reader.fault(there.line, "route.continue", "nothing comes after the first route", "remove it");
    }
    if is_given("receiver").is_none() {
        reader.fault(node.line, "route", "the first route has no receiver", "write receiver: …");
    }
}

fn is_blank(node: &Node) -> bool {
    match &node.is {
        Is::Null => true,
        Is::Text(text) => text.is_empty(),
        Is::List(nodes) => nodes.is_empty(),
        Is::Map(entries) => entries.is_empty(),
        Is::Bool(..) | Is::Number(..) => false,
    }
}

struct Walk<'a> {
    names: &'a Names<'a>,
    routes: Vec<Route>,
}

impl Walk<'_> {
    fn route(
        &mut self,
        reader: &mut Reader<'_>,
        node: &Node,
        place: &str,
        parent: &Route,
        depth: usize,
    ) -> Option<usize> {
        if depth > DEEPEST || self.routes.len() >= MOST {
            let problem = match depth > DEEPEST {
                true => format!("routes nest deeper than {DEEPEST}"),
                false => format!("there are more than {MOST} routes"),
            };
            reader.fault(node.line, place, problem, "simplify them");
            return None;
        }
        if !reader.keys(node, place, KEYS) {
            return None;
        }
        let route = self.options(reader, node, place, parent, depth);
        let at = self.routes.len();
        self.routes.push(route.clone());
        let mut children = Vec::new();
        let place = format!("{place}.routes");
        for (child, node) in reader.list(node.get("routes"), &place).iter().enumerate() {
            if self.routes.len() > MOST {
                break;
            }
            children.extend(self.route(reader, node, &format!("{place}[{child}]"), &route, depth + 1));
        }
        if let Some(route) = self.routes.get_mut(at) {
            route.children = children;
        }
        Some(at)
    }

    fn options(
        &mut self,
        reader: &mut Reader<'_>,
        node: &Node,
        place: &str,
        parent: &Route,
        depth: usize,
    ) -> Route {
        let matchers = reader.matchers(node, "", place);
        let key = match depth {
            0 => matchers.to_string(),
            _ => format!("{}/{matchers}", parent.key),
        };
        let mut duration = |key: &str, inherited: Duration, zero: bool| {
            let place = format!("{place}.{key}");
            let Some(ms) = reader.duration(node.get(key), &place) else { return inherited };
            if ms == 0 && !zero {
                let line = node.get(key).map_or(node.line, |node| node.line);
                reader.fault(line, &place, format!("{key} is zero"), "write at least 1s");
            }
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        };
        let group_wait = duration("group_wait", parent.group_wait, true);
        let group_interval = duration("group_interval", parent.group_interval, false);
        let repeat_interval = duration("repeat_interval", parent.repeat_interval, false);
        Route {
            id: RouteId(u32::try_from(self.routes.len()).unwrap_or(u32::MAX)),
            receiver: self.receiver(reader, node, place, &parent.receiver),
            group_by: group_by(reader, node, place, &parent.group_by),
            group_wait,
            group_interval,
            repeat_interval,
            mute: self.intervals(reader, node, place, "mute_time_intervals"),
            active: self.intervals(reader, node, place, "active_time_intervals"),
            labels: labels(reader, node, place, &parent.labels),
            continues: reader.truth(node.get("continue"), &format!("{place}.continue")),
            children: Vec::new(),
            matchers,
            key,
        }
    }

    fn receiver(&self, reader: &mut Reader<'_>, node: &Node, place: &str, inherited: &str) -> String {
        let place = format!("{place}.receiver");
        let name = reader.text(node.get("receiver"), &place);
        if name.is_empty() {
            return inherited.to_owned();
        }
        if !self.names.receivers.contains(name.as_str()) {
            let line = node.get("receiver").map_or(node.line, |node| node.line);
            let fix = suggestion(&name, &self.names.receivers, "receivers");
            reader.fault(line, &place, format!("there is no receiver {name:?}"), &fix);
        }
        name
    }

    /// Not inherited, as in Alertmanager.
    fn intervals(&self, reader: &mut Reader<'_>, node: &Node, place: &str, key: &str) -> Vec<String> {
        let place = format!("{place}.{key}");
        let names = reader.texts(node.get(key), &place);
        for (at, name) in names.iter().enumerate() {
            if !self.names.intervals.contains(name.as_str()) {
                let line = node.get(key).map_or(node.line, |node| node.line);
                let fix = suggestion(name, &self.names.intervals, "time_intervals");
                reader.fault(
                    line,
                    &format!("{place}[{at}]"),
                    format!("there is no time interval {name:?}"),
                    &fix,
                );
            }
        }
        names
    }
}

fn suggestion(name: &str, known: &BTreeSet<&str>, section: &str) -> String {
    match nearest(name, known.iter().copied()) {
        Some(known) => format!("write {known}"),
        None => format!("add it to {section}"),
    }
}

fn labels(
    reader: &mut Reader<'_>,
    node: &Node,
    place: &str,
    inherited: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let place = format!("{place}.labels");
    let mut labels = inherited.clone();
    for (name, value) in reader.pairs(node.get("labels"), &place) {
        if name.is_empty() {
            reader.fault(node.line, &place, "a label's name is empty", "remove it");
        }
        labels.insert(name.to_owned(), value);
    }
    labels
}

fn group_by(reader: &mut Reader<'_>, node: &Node, place: &str, inherited: &GroupBy) -> GroupBy {
    let Some(list) = node.get("group_by").filter(|node| !matches!(node.is, Is::Null)) else {
        return inherited.clone();
    };
    let place = format!("{place}.group_by");
    let names = reader.texts(Some(list), &place);
    if names.iter().any(|name| name == "...") {
        if names.iter().any(|name| name != "...") {
            let problem = "'...' is every label; no other stands beside it";
            reader.fault(list.line, &place, problem, "write group_by: ['...']");
        }
        return GroupBy::All;
    }
    let mut labels = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            reader.fault(list.line, &place, "a label's name is empty", "remove it");
        } else if let Some(name) = labels.replace(name) {
            reader.fault(list.line, &place, format!("the label {name:?} is there twice"), "remove one");
        }
    }
    GroupBy::Labels(labels)
}
