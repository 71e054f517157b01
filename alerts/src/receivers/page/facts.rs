//! What is to be said of one alert, and of all of them together.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp as Instant;
use ops_contract::{Notification, NotificationStatus, NotifiedAlert, Timestamp};

use super::markup::{Markup, cut};
use crate::receivers::{Telling, incident};

/// Longest label, summary and other text in characters.
const LABEL: usize = 150;
const SENTENCE: usize = 600;
const PARAGRAPH: usize = 1500;
/// Labels that are shown, further annotations, links, and folded alerts.
const LABELS: usize = 12;
const ANNOTATIONS: usize = 5;
const LINKS: usize = 6;
const FOLDED: usize = 8;
/// Names of alerts in a title.
const NAMES: usize = 3;

/// How bad it is: what colours are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::receivers) enum Grade {
    Resolved,
    Information,
    Warning,
    Critical,
}

/// Of the worst alert that fires.
pub(in crate::receivers) fn grade(note: &Notification) -> Grade {
    if note.status == NotificationStatus::Resolved {
        return Grade::Resolved;
    }
    firing(note).map(|it| graded(severity(it))).max().unwrap_or(Grade::Critical)
}

/// The severity of the worst alert that fires, or of all that have resolved.
pub(super) fn worst(note: &Notification) -> &str {
    let all: Vec<&NotifiedAlert> = match note.status {
        NotificationStatus::Firing => firing(note).collect(),
        NotificationStatus::Resolved => note.alerts.iter().collect(),
    };
    all.into_iter().map(severity).max_by_key(|it| graded(it)).unwrap_or_default()
}

fn graded(severity: &str) -> Grade {
    match incident::severity(severity) {
        "info" => Grade::Information,
        "warning" => Grade::Warning,
        // What nobody has graded may be bad.
        _ => Grade::Critical,
    }
}

fn firing(note: &Notification) -> impl Iterator<Item = &NotifiedAlert> {
    note.alerts.iter().filter(|it| it.status == NotificationStatus::Firing)
}

fn severity(alert: &NotifiedAlert) -> &str {
    alert.labels.get("severity").map_or("", String::as_str)
}

fn name(labels: &BTreeMap<String, String>) -> &str {
    labels.get("alertname").map_or("alert", String::as_str)
}

/// What the notification is about: names, and labels that all of its alerts share.
pub(super) fn subject(note: &Notification) -> String {
    let told: Vec<&NotifiedAlert> = match note.status {
        NotificationStatus::Firing => firing(note).collect(),
        NotificationStatus::Resolved => note.alerts.iter().collect(),
    };
    let Some((first, rest)) = told.split_first() else { return name(&note.group_labels).to_owned() };
    let names: BTreeSet<&str> = told.iter().map(|it| name(&it.labels)).collect();
    let mut subject = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMES {
        subject.push_str(&format!(" and {} more", names.len() - NAMES));
    }
    let mut shared = first.labels.clone();
    shared.retain(|name, value| rest.iter().all(|it| it.labels.get(name) == Some(value)));
    let apart = apart(&shared);
    if apart.is_empty() { subject } else { format!("{subject} ({apart})") }
}

/// What tells an alert apart from others of its name.
fn apart(labels: &BTreeMap<String, String>) -> String {
    let told: Vec<String> = labels
        .iter()
        .filter(|(name, value)| {
            !matches!(name.as_str(), "alertname" | "severity") && !name.starts_with("__") && !value.is_empty()
        })
        .take(LABELS)
        .map(|(name, value)| format!("{}={}", cut(name, LABEL), cut(&spoken(value), LABEL)))
        .collect();
    told.join(" ")
}

/// On one line, without control characters.
pub(in crate::receivers) fn spoken(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// One alert and when it is told.
pub(super) struct Told<'a> {
    alert: &'a NotifiedAlert,
    now: Timestamp,
}

impl<'a> Told<'a> {
    pub(super) fn new(alert: &'a NotifiedAlert, telling: &Telling<'_>) -> Self {
        Self { alert, now: telling.now }
    }

    /// What and since when.
    pub(super) fn short(&self, markup: Markup) -> String {
        let mut head = markup.bold(&markup.escape(&cut(&spoken(name(&self.alert.labels)), LABEL)));
        let severity = cut(&spoken(severity(self.alert)), LABEL);
        if !severity.is_empty() {
            head.push_str(&markup.escape(&format!(" [{severity}]")));
        }
        let apart = apart(&self.alert.labels);
        if !apart.is_empty() {
            head.push_str(&format!(" {}", markup.escape(&apart)));
        }
        format!("{head}{}{}", markup.line_break(), self.when(markup))
    }

    /// All of it.
    pub(super) fn full(&self, markup: Markup) -> String {
        let mut lines = vec![self.short(markup)];
        for (key, most) in [("summary", SENTENCE), ("message", SENTENCE), ("description", PARAGRAPH)] {
            if let Some(text) =
                self.alert.annotations.get(key).map(|it| it.trim()).filter(|it| !it.is_empty())
            {
                lines.push(markup.escape_lines(&cut(text, most)));
            }
        }
        for (name, text) in self.others().take(ANNOTATIONS) {
            lines.push(markup.escape(&format!("{}: {}", cut(name, LABEL), cut(&spoken(text), SENTENCE))));
        }
        if !self.alert.folded.is_empty() {
            lines.push(markup.escape(&format!("Broken with it: {}", self.folded())));
        }
        let links: Vec<String> =
            self.links().filter_map(|(text, url)| markup.link(&text, url)).take(LINKS).collect();
        if !links.is_empty() {
            lines.push(links.join(markup.between_links()));
        }
        lines.join(markup.line_break())
    }

    fn when(&self, markup: Markup) -> String {
        let began = self.alert.starts_at;
        match (self.alert.status, self.alert.ends_at) {
            (NotificationStatus::Firing, _) => {
                format!("Firing since {} ({})", markup.moment(began), lasted(self.now.since(began).as_secs()))
            }
            (NotificationStatus::Resolved, Some(ended)) => format!(
                "Resolved after {}: {} to {}",
                lasted(ended.since(began).as_secs()),
                markup.moment(began),
                markup.moment(ended)
            ),
            (NotificationStatus::Resolved, None) => format!("Resolved; it began {}", markup.moment(began)),
        }
    }

    fn folded(&self) -> String {
        let all = &self.alert.folded;
        let mut told: Vec<String> = all.iter().take(FOLDED).map(|it| cut(&spoken(it), LABEL)).collect();
        if all.len() > FOLDED {
            told.push(format!("and {} more", all.len() - FOLDED));
        }
        told.join(", ")
    }

    /// Annotations that are neither told by themselves nor links.
    fn others(&self) -> impl Iterator<Item = (&str, &str)> {
        self.annotations().filter(|(name, text)| {
            !matches!(*name, "summary" | "message" | "description") && !is_link(name, text)
        })
    }

    fn links(&self) -> impl Iterator<Item = (String, &str)> {
        let annotated = self
            .annotations()
            .filter(|(name, text)| is_link(name, text))
            .map(|(name, url)| (capital(&name.trim_end_matches("_url").replace('_', " ")), url));
        annotated.chain([("Expression".to_owned(), self.alert.generator_url.as_str())])
    }

    fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.alert.annotations.iter().map(|(name, text)| (name.as_str(), text.trim()));
        all.filter(|(name, text)| !name.starts_with("__") && !text.is_empty())
    }
}

fn is_link(name: &str, text: &str) -> bool {
    name.ends_with("_url") || text.starts_with("https://") || text.starts_with("http://")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The two largest units: `1h 5m`.
pub(super) fn lasted(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let two = |first: u64, unit: char, second: u64, smaller: char| match second {
        0 => format!("{first}{unit}"),
        second => format!("{first}{unit} {second}{smaller}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => two(minutes, 'm', seconds % 60, 's'),
        (0, ..) => two(hours, 'h', minutes, 'm'),
        _ => two(days, 'd', hours, 'h'),
    }
}

/// `2026-11-23 03:12 UTC`.
pub(in crate::receivers) fn utc(at: Timestamp) -> String {
    Instant::from_microsecond(at.0)
        .map_or_else(|_| "an unknown time".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
