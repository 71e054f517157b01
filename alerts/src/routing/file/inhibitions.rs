//! The section `inhibit_rules`.

use super::node::{Is, Node};
use super::reader::Reader;
use crate::routing::{InhibitRule, InhibitionSource};

/// Most rules of a file.
const MOST: usize = 1_000;
const KEYS: &[&str] = &[
    "name",
    "source_match",
    "source_match_re",
    "source_matchers",
    "sources",
    "target_match",
    "target_match_re",
    "target_matchers",
    "equal",
];
const SOURCE_KEYS: &[&str] = &["source_match", "source_match_re", "source_matchers", "equal"];

/// Reads all of them.
pub(super) fn read(reader: &mut Reader<'_>, root: &Node) -> Vec<InhibitRule> {
    let nodes = reader.list(root.get("inhibit_rules"), "inhibit_rules");
    if let Some(node) = nodes.get(MOST) {
        reader.fault(node.line, "inhibit_rules", format!("there are more than {MOST} rules"), "");
        return Vec::new();
    }
    nodes
        .iter()
        .enumerate()
        .filter_map(|(at, node)| rule(reader, node, &format!("inhibit_rules[{at}]")))
        .collect()
}

fn rule(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<InhibitRule> {
    if !reader.keys(node, place, KEYS) {
        return None;
    }
    let name = reader.text(node.get("name"), &format!("{place}.name"));
    let targets = reader.matchers(node, "target_", place);
    let sources = match node.get("sources").filter(|node| !matches!(node.is, Is::Null)) {
        Some(list) => sources(reader, node, list, place),
        None => vec![source(reader, node, place)],
    };
    if targets.is_empty() {
        let fix = "write target_matchers: ['severity=\"warning\"']";
        reader.remark(node.line, place, "every alert is a target: no target_matchers are there", fix);
    }
    Some(InhibitRule { name, sources, targets })
}

/// Several kinds of sources, of which each must be there: not in Alertmanager 0.34.
fn sources(reader: &mut Reader<'_>, rule: &Node, list: &Node, place: &str) -> Vec<InhibitionSource> {
    for key in SOURCE_KEYS {
        if let Some(node) = rule.get(key) {
            let problem = format!("sources and {key} are both there");
            reader.fault(node.line, place, problem, &format!("move {key} into one of the sources"));
        }
    }
    let place = format!("{place}.sources");
    let nodes = reader.list(Some(list), &place);
    if nodes.is_empty() {
        reader.fault(list.line, &place, "there is no source", "write at least one");
    }
    reader.remark(list.line, &place, "Alertmanager 0.34 does not know this key", "");
    let mut sources = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let place = format!("{place}[{at}]");
        if reader.keys(node, &place, SOURCE_KEYS) {
            sources.push(source(reader, node, &place));
        }
    }
    sources
}

fn source(reader: &mut Reader<'_>, node: &Node, place: &str) -> InhibitionSource {
    let matchers = reader.matchers(node, "source_", place);
    if matchers.is_empty() {
        let fix = "write source_matchers: ['severity=\"critical\"']";
        reader.remark(node.line, place, "every alert is a source: no source_matchers are there", fix);
    }
    let mut equal = reader.texts(node.get("equal"), &format!("{place}.equal"));
    for (at, label) in equal.iter().enumerate() {
        if label.is_empty() {
            let line = node.get("equal").map_or(node.line, |node| node.line);
            reader.fault(line, &format!("{place}.equal[{at}]"), "a label's name is empty", "remove it");
        }
    }
    equal.sort();
    equal.dedup();
    InhibitionSource { matchers, equal }
}
