//! Reads values of the tree, and collects what is wrong with them.

use ops_contract::Matcher;

use super::node::{Is, Node};
use crate::routing::nearest::nearest;
use crate::routing::{Matchers, parse_matchers};
use crate::rules::{Fault, parse_duration};

/// Most faults that are told: of a file that is none, the first are enough.
const MOST_FAULTS: usize = 1_000;

/// What was found so far.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    pub(super) faults: Vec<Fault>,
    pub(super) remarks: Vec<Fault>,
}

impl Reader<'_> {
    pub(super) fn fault(&mut self, line: u64, place: &str, problem: impl Into<String>, fix: &str) {
        let fault = self.note(line, place, problem.into(), fix);
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    /// Not wrong, but worth to be told.
    pub(super) fn remark(&mut self, line: u64, place: &str, problem: impl Into<String>, fix: &str) {
        let remark = self.note(line, place, problem.into(), fix);
        if self.remarks.len() < MOST_FAULTS {
            self.remarks.push(remark);
        }
    }

    fn note(&self, line: u64, place: &str, problem: String, fix: &str) -> Fault {
        let line = Some(line).filter(|line| *line > 0);
        Fault { file: self.file.to_owned(), line, place: place.to_owned(), problem, fix: fix.to_owned() }
    }

    fn expected(&mut self, node: &Node, place: &str, what: &str) {
        self.fault(node.line, place, format!("{what} is expected, and {} stands there", node.kind()), "");
    }

    /// Whether it is a table; keys that are not known are faults.
    pub(super) fn keys(&mut self, node: &Node, place: &str, known: &[&str]) -> bool {
        let Is::Map(entries) = &node.is else {
            self.expected(node, place, "a table");
            return false;
        };
        for (key, value) in entries {
            if !known.contains(&key.as_str()) {
                self.unknown_key(value.line, place, key, known);
            }
        }
        true
    }

    pub(super) fn unknown_key(&mut self, line: u64, place: &str, key: &str, known: &[&str]) {
        let fix = match nearest(key, known.iter().copied()) {
            Some(known) => format!("write {known}"),
            None => format!("known are {}", known.join(", ")),
        };
        let fix = if known.len() > 40 && !fix.starts_with("write") { String::new() } else { fix };
        self.fault(line, place, format!("the key {key:?} is not known"), &fix);
    }

    /// The nodes of a list; none when it is absent.
    pub(super) fn list<'n>(&mut self, node: Option<&'n Node>, place: &str) -> &'n [Node] {
        match node.map(|node| &node.is) {
            Some(Is::List(nodes)) => nodes,
            None | Some(Is::Null) => &[],
            Some(_) => {
                if let Some(node) = node {
                    self.expected(node, place, "a list");
                }
                &[]
            }
        }
    }

    /// A text, or what a number or truth value looks like; empty when it is absent.
    pub(super) fn text(&mut self, node: Option<&Node>, place: &str) -> String {
        let Some(node) = node else { return String::new() };
        if node.text().is_none() {
            self.expected(node, place, "a text");
        }
        node.text().unwrap_or_default().to_owned()
    }

    pub(super) fn texts(&mut self, node: Option<&Node>, place: &str) -> Vec<String> {
        let nodes = self.list(node, place);
        nodes.iter().enumerate().map(|(at, node)| self.text(Some(node), &format!("{place}[{at}]"))).collect()
    }

    /// Keys and texts of a table.
    pub(super) fn pairs<'n>(&mut self, node: Option<&'n Node>, place: &str) -> Vec<(&'n str, String)> {
        match node.map(|node| &node.is) {
            Some(Is::Map(entries)) => {
                let read = |(key, node): &'n (String, Node)| {
                    (key.as_str(), self.text(Some(node), &format!("{place}.{key}")))
                };
                entries.iter().map(read).collect()
            }
            None | Some(Is::Null) => Vec::new(),
            Some(_) => {
                if let Some(node) = node {
                    self.expected(node, place, "a table");
                }
                Vec::new()
            }
        }
    }

    pub(super) fn truth(&mut self, node: Option<&Node>, place: &str) -> bool {
        let Some(node) = node else { return false };
        match (&node.is, node.text().map(str::to_lowercase).as_deref()) {
            (Is::Bool(it, _), _) => *it,
            (Is::Null, _) | (Is::Text(_), Some("no" | "off" | "n")) => false,
            (Is::Text(_), Some("yes" | "on" | "y")) => true,
            _ => {
                self.expected(node, place, "true or false");
                false
            }
        }
    }

    /// Milliseconds.
    pub(super) fn duration(&mut self, node: Option<&Node>, place: &str) -> Option<i64> {
        let node = node.filter(|node| !matches!(node.is, Is::Null))?;
        let text = self.text(Some(node), place);
        let parsed = parse_duration(&text);
        if parsed.is_none() && node.text().is_some() {
            let problem = format!("{text:?} is not a duration");
            self.fault(node.line, place, problem, "write it like 90s, 5m or 1h30m");
        }
        parsed
    }

    /// The matchers of `match`, `match_re` and `matchers`, with what stands before them: `source_`, `target_` or nothing.
    pub(super) fn matchers(&mut self, node: &Node, prefix: &str, place: &str) -> Matchers {
        let mut all = Vec::new();
        for (key, is_regex) in [(format!("{prefix}match"), false), (format!("{prefix}match_re"), true)] {
            let place = format!("{place}.{key}");
            for (name, value) in self.pairs(node.get(&key), &place) {
                let line =
                    node.get(&key).and_then(|table| table.get(name)).map_or(node.line, |node| node.line);
                if !is_classic_name(name) {
                    self.fault(
                        line,
                        &place,
                        format!("{name:?} is not a label's name"),
                        "use matchers for it",
                    );
                }
                let matcher = Matcher { name: name.to_owned(), value, is_regex, is_equal: true };
                self.checked(vec![matcher], line, &place, &mut all);
            }
        }
        let key = format!("{prefix}matchers");
        let nodes = self.list(node.get(&key), &format!("{place}.{key}"));
        for (at, node) in nodes.iter().enumerate() {
            let place = format!("{place}.{key}[{at}]");
            let text = self.text(Some(node), &place);
            match parse_matchers(&text) {
                Ok(list) => self.checked(list, node.line, &place, &mut all),
                Err(error) => {
                    self.fault(node.line, &place, error.to_string(), "write it like severity=\"critical\"")
                }
            }
        }
        // Each was compiled on its own.
        Matchers::compile(all).unwrap_or_default()
    }

    fn checked(&mut self, list: Vec<Matcher>, line: u64, place: &str, all: &mut Vec<Matcher>) {
        match Matchers::compile(list.clone()) {
            Ok(_) => all.extend(list),
            Err(error) => self.fault(line, place, error.to_string(), ""),
        }
    }
}

/// Prometheus' names before UTF-8 ones.
fn is_classic_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
