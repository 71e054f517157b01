use std::collections::BTreeMap;
use std::time::Duration;

use super::node::{Node, Value};
use crate::duration;
use crate::nearest::nearest;
use crate::reader::quoted;
use crate::sections::check_label;

/// What was found wrong, and what was taken note of.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) faults: Vec<(String, String)>,
    pub(super) remarks: Vec<String>,
}

/// A mapping of the file.
pub(super) struct Map<'a> {
    pub(super) path: String,
    pairs: &'a [(String, Node)],
}

impl Notes {
    pub(super) fn fault(&mut self, node: Option<&Node>, path: &str, problem: &str, fix: &str) {
        let place = match (node, path) {
            (None, "") => String::new(),
            (None, path) => format!("{path}: "),
            (Some(node), path) => format!("line {}: {path}: ", node.line),
        };
        self.faults.push((format!("{place}{problem}"), fix.to_owned()));
    }

    /// Notes that a key changes nothing here.
    pub(super) fn remark(&mut self, map: &Map<'_>, key: &str, why: &str) {
        self.remarks.push(format!("{}: ignored: {why}", map.key(key)));
    }

    /// The node as a mapping. Nothing at all is an empty one.
    pub(super) fn map<'a>(&mut self, node: &'a Node, path: &str) -> Option<Map<'a>> {
        match &node.value {
            Value::Map(pairs) => Some(Map { path: path.to_owned(), pairs }),
            Value::Nothing => Some(Map { path: path.to_owned(), pairs: &[] }),
            _ => {
                self.fault(Some(node), path, "this is no mapping", "write key: value");
                None
            }
        }
    }

    pub(super) fn text<'a>(&mut self, node: &'a Node, path: &str) -> Option<&'a str> {
        match &node.value {
            Value::Text(text) => Some(text),
            Value::Nothing => Some(""),
            _ => {
                self.fault(Some(node), path, "this is no text", "write a text");
                None
            }
        }
    }
}

impl<'a> Map<'a> {
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.pairs.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Names the keys that are not known, those that change nothing, and those that would but are not supported.
    pub(super) fn check(&self, known: &[&str], passed: &[&str], refused: &[&str], notes: &mut Notes) {
        for (key, node) in self.pairs {
            let name = key.as_str();
            let path = self.key(&key.chars().take(80).collect::<String>());
            if known.contains(&name) {
                continue;
            }
            if passed.contains(&name) {
                notes.remarks.push(format!("{path}: ignored: it only tunes Prometheus itself"));
            } else if refused.contains(&name) {
                notes.fault(
                    Some(node),
                    &path,
                    "this is not supported",
                    "remove it, or scrape this by something that can",
                );
            } else {
                let fix = match nearest(name, known.iter().copied()) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                notes.fault(Some(node), &path, &format!("unknown key {}", quoted(name)), &fix);
            }
        }
    }

    pub(super) fn list(&self, key: &str, notes: &mut Notes) -> &'a [Node] {
        match self.get(key) {
            Some(Node { value: Value::List(nodes), .. }) => nodes,
            None | Some(Node { value: Value::Nothing, .. }) => &[],
            Some(node) => {
                notes.fault(Some(node), &self.key(key), "this is no list", "write one - a line for each");
                &[]
            }
        }
    }

    pub(super) fn text(&self, key: &str, notes: &mut Notes) -> Option<&'a str> {
        notes.text(self.get(key)?, &self.key(key))
    }

    pub(super) fn texts(&self, key: &str, notes: &mut Notes) -> Vec<String> {
        let nodes = self.list(key, notes);
        nodes.iter().filter_map(|node| notes.text(node, &self.key(key)).map(str::to_owned)).collect()
    }

    /// What `read` makes of a text.
    pub(super) fn read<T>(
        &self,
        key: &str,
        wanted: &str,
        notes: &mut Notes,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(key, notes)?;
        let value = read(text);
        if value.is_none() {
            let problem = format!("{} is not {wanted}", quoted(text));
            notes.fault(self.get(key), &self.key(key), &problem, &format!("write {wanted}"));
        }
        value
    }

    pub(super) fn duration(&self, key: &str, notes: &mut Notes) -> Option<Duration> {
        let second = Duration::from_secs(1);
        self.read(key, "a span of a second or more, such as 15s", notes, |text| {
            duration::parse_long(text).filter(|it| *it >= second)
        })
    }

    pub(super) fn boolean(&self, key: &str, notes: &mut Notes) -> Option<bool> {
        self.read(key, "true or false", notes, |text| text.parse().ok())
    }

    pub(super) fn labels(&self, key: &str, notes: &mut Notes) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        let path = self.key(key);
        let Some(map) = self.get(key).and_then(|node| notes.map(node, &path)) else { return labels };
        for (name, node) in map.pairs {
            let Some(value) = notes.text(node, &path) else { continue };
            match check_label(name, value) {
                Ok(()) => {
                    labels.insert(name.clone(), value.to_owned());
                }
                Err(problem) => {
                    notes.fault(Some(node), &path, &problem, "use letters, digits and _, no digit first")
                }
            }
        }
        labels
    }

    /// Every key with its node.
    pub(super) fn pairs(&self) -> &'a [(String, Node)] {
        self.pairs
    }
}
