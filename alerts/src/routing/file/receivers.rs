//! The section `receivers`: names, labels and lists of integrations, whose settings their own files read.

use std::collections::BTreeMap;

use super::node::{Is, Node};
use super::reader::Reader;
use super::{NamedIntegration, Receiver};
use crate::receivers::{Globals, Integration, Wrong};
use crate::routing::nearest::nearest;

/// Most receivers of a file.
const MOST: usize = 1_000;
/// Kinds that are sent, for the fix of one that is not known.
const SENT: [&str; 8] = [
    "webhook_configs",
    "slack_configs",
    "pagerduty_configs",
    "email_configs",
    "opsgenie_configs",
    "discord_configs",
    "alertmanager_configs",
    "log_configs",
];
/// Kinds that Alertmanager sends and we do not.
const NOT_SENT: [&str; 12] = [
    "incidentio_configs",
    "jira_configs",
    "mattermost_configs",
    "msteams_configs",
    "msteamsv2_configs",
    "pushover_configs",
    "rocketchat_configs",
    "sns_configs",
    "telegram_configs",
    "victorops_configs",
    "webex_configs",
    "wechat_configs",
];

/// Reads all of them.
pub(super) fn read(reader: &mut Reader<'_>, root: &Node, globals: &Globals) -> Vec<Receiver> {
    let nodes = reader.list(root.get("receivers"), "receivers");
    if let Some(node) = nodes.get(MOST) {
        reader.fault(node.line, "receivers", format!("there are more than {MOST} receivers"), "");
        return Vec::new();
    }
    let mut receivers: Vec<Receiver> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let place = format!("receivers[{at}]");
        let Some(receiver) = receiver(reader, node, &place, globals) else { continue };
        if receiver.name.is_empty() {
            reader.fault(node.line, &place, "the receiver has no name", "write name: …");
        } else if receivers.iter().any(|other| other.name == receiver.name) {
            let problem = format!("the receiver {:?} is there twice", receiver.name);
            reader.fault(node.line, &place, problem, "give each its own name");
        }
        receivers.push(receiver);
    }
    receivers
}

/// The integration that writes into the log.
pub(super) fn log() -> Option<NamedIntegration> {
    let settings = serde_json::json!({});
    let integration = Integration::read("log_configs", &settings, &Globals::default()).ok()?;
    Some(NamedIntegration { key: "log/0".to_owned(), integration })
}

fn receiver(reader: &mut Reader<'_>, node: &Node, place: &str, globals: &Globals) -> Option<Receiver> {
    let Is::Map(entries) = &node.is else {
        reader.keys(node, place, &[]);
        return None;
    };
    let name = reader.text(node.get("name"), &format!("{place}.name"));
    let labels = labels(reader, node, place, &name);
    let mut integrations = Vec::new();
    for (kind, list) in entries {
        let place = format!("{place}.{kind}");
        match kind.as_str() {
            "name" | "labels" => {}
            kind if NOT_SENT.contains(&kind) => {
                let problem =
                    format!("is not sent; the receiver {name:?} is told by its other integrations only");
                reader.remark(list.line, &place, problem, "use webhook_configs or another kind that is sent");
            }
            kind if kind.ends_with("_configs") => {
                for (at, settings) in reader.list(Some(list), &place).iter().enumerate() {
                    let read = integration(reader, kind, at, settings, &place, globals);
                    let key = format!("{}/{at}", kind.trim_end_matches("_configs"));
                    integrations.extend(read.map(|integration| NamedIntegration { key, integration }));
                }
            }
            kind => {
                let known: Vec<&str> = ["name", "labels"].into_iter().chain(SENT).collect();
                reader.unknown_key(list.line, place.trim_end_matches(&format!(".{kind}")), kind, &known);
            }
        }
    }
    Some(Receiver { name, labels, integrations })
}

fn labels(reader: &mut Reader<'_>, node: &Node, place: &str, name: &str) -> BTreeMap<String, String> {
    let place = format!("{place}.labels");
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (label, value) in reader.pairs(node.get("labels"), &place) {
        if label == "name" && value != name {
            reader.fault(node.line, &place, "the label name is not the receiver's name", "remove it");
        }
        labels.insert(label.to_owned(), value);
    }
    labels
}

fn integration(
    reader: &mut Reader<'_>,
    kind: &str,
    at: usize,
    settings: &Node,
    place: &str,
    globals: &Globals,
) -> Option<Integration> {
    // An entry without any setting is one with all defaults.
    let value = match settings.is {
        Is::Null => serde_json::json!({}),
        _ => settings.value(),
    };
    match Integration::read(kind, &value, globals) {
        Ok(integration) => Some(integration),
        Err(wrongs) => {
            for wrong in wrongs {
                tell(reader, kind, at, settings, place, &wrong);
            }
            None
        }
    }
}

fn tell(reader: &mut Reader<'_>, kind: &str, at: usize, settings: &Node, place: &str, wrong: &Wrong) {
    // The integration does not know which one of the list it is.
    let field = wrong.field.strip_prefix(kind).unwrap_or(&wrong.field);
    let field = field.strip_prefix("[0]").unwrap_or(field).trim_start_matches('.');
    let first = field.split(['.', '[']).next().unwrap_or_default();
    let line = settings.get(first).map_or(settings.line, |node| node.line);
    let place = match field {
        "" => format!("{place}[{at}]"),
        field => format!("{place}[{at}].{field}"),
    };
    let fix = match nearest(kind, SENT) {
        Some(meant) if wrong.fix.is_empty() && !SENT.contains(&kind) => format!("write {meant}"),
        _ => wrong.fix.clone(),
    };
    reader.fault(line, &place, wrong.problem.clone(), &fix);
}
