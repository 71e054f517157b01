//! Alertmanager's configuration file (0.34), read whole: all faults at once, each with its line and what to write instead.

mod fill;
mod global;
mod inhibitions;
mod node;
mod reader;
mod receivers;
mod routes;
mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ops_contract::Timestamp;
use serde_json::{Value, json};

use self::node::{Is, Node};
use self::reader::Reader;
use super::{InhibitRule, Routed, TimeInterval, Tree};
use crate::receivers::Integration;
use crate::rules::Fault;

pub(crate) use self::times::{minute, weekdays};

/// Largest file in bytes.
const LARGEST: usize = 1 << 20;
/// Sections of the file.
const KEYS: &[&str] = &[
    "global",
    "templates",
    "route",
    "inhibit_rules",
    "receivers",
    "time_intervals",
    "mute_time_intervals",
    "tracing",
    "event_recorder",
];

/// Who is told of what: the whole file, checked.
#[derive(Clone, Debug)]
pub struct Routing {
    /// After how long an alert of a sender that says no end counts as resolved.
    pub resolve_timeout: Duration,
    /// Files with templates, as they are named; patterns are not followed.
    pub templates: Vec<String>,
    /// Its receivers in order.
    pub receivers: Vec<Receiver>,
    /// Its inhibition rules in order.
    pub inhibit_rules: Vec<InhibitRule>,
    /// Its time intervals, by name.
    pub intervals: BTreeMap<String, TimeInterval>,
    /// Its routes.
    pub tree: Tree,
    /// The file without anything that may be secret: receivers are their names only. JSON, which is YAML too: `amtool` takes it.
    pub public: Value,
}

/// A receiver and the ways in which it is told.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// How it is told; none: nobody is told.
    pub integrations: Vec<NamedIntegration>,
}

/// One way to tell a receiver.
#[derive(Clone, Debug)]
pub struct NamedIntegration {
    /// Its kind and place within the receiver: `slack/0`.
    pub key: String,
    /// Its settings.
    pub integration: Integration,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub routing: Routing,
    /// What is not wrong, and should be known all the same: variables that are not set, receivers that are not sent.
    pub remarks: Vec<Fault>,
}

impl Routing {
    /// Reads a file. `${NAME}` in any text is filled in by `lookup`; where that knows nothing, the text stays and a remark says so.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn load(
        file: &str,
        text: &str,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Loaded, Vec<Fault>> {
        let mut reader = Reader { file, faults: Vec::new(), remarks: Vec::new() };
        let routing = load(&mut reader, text, lookup);
        match routing.filter(|_| reader.faults.is_empty()) {
            Some(routing) => Ok(Loaded { routing, remarks: reader.remarks }),
            None => Err(reader.faults),
        }
    }

    /// What holds when no file is named: everything goes to one receiver of this name, which writes into the log.
    #[must_use]
    pub fn default_for(receiver: &str) -> Self {
        let integrations = receivers::log().into_iter().collect();
        let receiver = Receiver { name: receiver.to_owned(), labels: BTreeMap::new(), integrations };
        Self {
            resolve_timeout: Duration::from_mins(5),
            templates: Vec::new(),
            inhibit_rules: Vec::new(),
            intervals: BTreeMap::new(),
            tree: Tree::only(&receiver.name),
            public: json!({"route": {"receiver": receiver.name}, "receivers": [{"name": receiver.name}]}),
            receivers: vec![receiver],
        }
    }

    /// Where an alert with these labels goes: at least to the root.
    #[must_use]
    pub fn routes(&self, labels: &BTreeMap<String, String>) -> Vec<Routed<'_>> {
        self.tree.routes(labels)
    }

    /// A receiver by its name.
    #[must_use]
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| receiver.name == name)
    }

    /// The time intervals that keep a route silent at `at`: those in which it is muted, or, when it is in none of those in which
    /// alone it speaks, all of these. Empty: it speaks.
    #[must_use]
    pub fn muting<'a>(&self, routed: &Routed<'a>, at: Timestamp) -> Vec<&'a str> {
        let within = |name: &&String| self.intervals.get(name.as_str()).is_some_and(|it| it.contains(at));
        let mut names: Vec<&str> = routed.mute.iter().filter(within).map(String::as_str).collect();
        if !routed.active.is_empty() && !routed.active.iter().any(|name| within(&name)) {
            names.extend(routed.active.iter().map(String::as_str));
        }
        names
    }
}

fn load(reader: &mut Reader<'_>, text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<Routing> {
    if text.len() > LARGEST {
        reader.fault(0, "", format!("the file is larger than {LARGEST} bytes"), "remove what is not used");
        return None;
    }
    let mut root = match node::read(text) {
        Ok(root) => root,
        Err((line, problem)) => {
            reader.fault(line.unwrap_or(0), "", problem, "");
            return None;
        }
    };
    if !matches!(root.is, Is::Null) && !reader.keys(&root, "", KEYS) {
        return None;
    }
    if matches!(root.is, Is::Null) {
        reader.fault(
            0,
            "route",
            "there is no route",
            "write route: with receiver: and the name of a receiver",
        );
        return None;
    }
    let public = public(&root);
    fill::fill(reader, &mut root, lookup);
    for unused in ["tracing", "event_recorder"] {
        if let Some(node) = root.get(unused) {
            reader.remark(node.line, unused, "is not used here", "");
        }
    }
    let globals = global::read(reader, &root);
    let receivers = receivers::read(reader, &root, &globals);
    let intervals = times::read(reader, &root);
    let inhibit_rules = inhibitions::read(reader, &root);
    let names = routes::Names {
        receivers: receivers.iter().map(|receiver| receiver.name.as_str()).collect(),
        intervals: intervals.iter().map(|interval| interval.name.as_str()).collect::<BTreeSet<_>>(),
    };
    let tree = routes::read(reader, &root, &names);
    Some(Routing {
        resolve_timeout: global::resolve_timeout(reader, &root),
        templates: reader.texts(root.get("templates"), "templates"),
        tree: tree?,
        receivers,
        inhibit_rules,
        intervals: intervals.into_iter().map(|interval| (interval.name.clone(), interval)).collect(),
        public,
    })
}

/// Before anything was filled in: nothing of this is secret, and no value that is comes in.
fn public(root: &Node) -> Value {
    let mut sections = serde_json::Map::new();
    for key in ["route", "inhibit_rules", "time_intervals", "mute_time_intervals"] {
        sections.extend(root.get(key).map(|node| (key.to_owned(), node.value())));
    }
    let Some(Is::List(receivers)) = root.get("receivers").map(|node| &node.is) else {
        return Value::Object(sections);
    };
    let names =
        receivers.iter().map(|it| json!({"name": it.get("name").and_then(Node::text).unwrap_or_default()}));
    sections.insert("receivers".to_owned(), names.collect());
    Value::Object(sections)
}

#[cfg(test)]
mod tests;
