//! An event as PagerDuty takes it, in both of its versions.

use ops_contract::NotifiedAlert;
use serde_json::{Map, Value, json};

use super::super::webhook::rfc3339;
use super::super::words::Words;
use super::super::{incident, page};
use super::PagerDuty;

/// Largest event in bytes.
const LARGEST: usize = 512_000;
/// Longest text in characters.
const LONGEST: usize = 1_024;
/// Labels that say where an alert comes from, the most exact first.
const SOURCES: [&str; 6] = ["instance", "replica", "host", "node", "service", "job"];

/// All that is told, filled in.
pub(super) struct Event<'a> {
    alert: &'a NotifiedAlert,
    summary: String,
    client: String,
    client_url: String,
    source: String,
    severity: &'static str,
    /// Class, component and group, those that are there.
    more: Vec<(&'static str, String)>,
    details: Value,
    images: Vec<Value>,
    links: Vec<Value>,
}

impl<'a> Event<'a> {
    pub(super) fn new(pagerduty: &PagerDuty, alert: &'a NotifiedAlert, words: &Words<'_>) -> Self {
        let texts = &pagerduty.texts;
        let telling = words.telling;
        let short = |text: &str| page::cut(text.trim(), LONGEST);
        let summary = words.text(texts.description.as_deref(), "pagerduty.default.description", String::new);
        // PagerDuty refuses an event without a summary.
        let summary = if summary.trim().is_empty() { page::title(words.note, telling) } else { summary };
        let source = words.filled(texts.source.as_deref()).unwrap_or_else(|| {
            let label = SOURCES.iter().find_map(|name| alert.labels.get(*name)).filter(|it| !it.is_empty());
            label.cloned().unwrap_or_else(|| "insightdesk".to_owned())
        });
        let severity = words.filled(texts.severity.as_deref());
        let label = || alert.labels.get("severity").cloned().unwrap_or_default();
        let client =
            words.text(texts.client.as_deref(), "pagerduty.default.client", || "InsightDesk Ops".to_owned());
        let client_url = words.text(texts.client_url.as_deref(), "pagerduty.default.clientURL", || {
            telling.external_url.to_owned()
        });
        let more = [("class", &texts.class), ("component", &texts.component), ("group", &texts.group)];
        Self {
            alert,
            summary: short(&incident::marked(summary, telling)),
            client: short(&client),
            client_url: client_url.trim().to_owned(),
            source: short(&source),
            severity: incident::severity(&severity.unwrap_or_else(label)),
            more: more
                .into_iter()
                .filter_map(|(name, text)| Some((name, short(&words.filled(text.as_deref())?))))
                .collect(),
            details: details(pagerduty, alert, words),
            images: images(pagerduty, words),
            links: links(pagerduty, alert, words),
        }
    }

    /// Events API v2.
    pub(super) fn version_2(&self, key: &str, action: &str) -> Result<Vec<u8>, String> {
        let mut payload = json!({
            "summary": self.summary,
            "source": self.source,
            "severity": self.severity,
            "timestamp": rfc3339(self.alert.starts_at),
            "custom_details": self.details,
        });
        for (name, text) in &self.more {
            payload[*name] = json!(text);
        }
        let mut event = json!({
            "routing_key": key,
            "event_action": action,
            "dedup_key": self.alert.id,
            "client": self.client,
            "client_url": self.client_url,
            "payload": payload,
        });
        if !self.images.is_empty() {
            event["images"] = json!(self.images);
        }
        if !self.links.is_empty() {
            event["links"] = json!(self.links);
        }
        fitted(event, "/payload/custom_details", &["images", "links", "client_url"])
    }

    /// Events API v1.
    pub(super) fn version_1(&self, key: &str, action: &str) -> Result<Vec<u8>, String> {
        let mut event = json!({
            "service_key": key,
            "event_type": action,
            "incident_key": self.alert.id,
            "description": self.summary,
            "details": self.details,
        });
        if action == "trigger" {
            event["client"] = json!(self.client);
            event["client_url"] = json!(self.client_url);
            let typed = |kind: &'static str| {
                move |it: &Value| {
                    let mut it = it.clone();
                    it["type"] = json!(kind);
                    it
                }
            };
            let contexts: Vec<Value> =
                self.links.iter().map(typed("link")).chain(self.images.iter().map(typed("image"))).collect();
            if !contexts.is_empty() {
                event["contexts"] = json!(contexts);
            }
        }
        fitted(event, "/details", &["contexts", "client_url"])
    }
}

/// The event in bytes. What is too large loses its details first, then what else can be missed.
fn fitted(mut event: Value, details: &str, missed: &[&str]) -> Result<Vec<u8>, String> {
    let mut missed = missed.iter();
    loop {
        let bytes = serde_json::to_vec(&event).map_err(|error| error.to_string())?;
        if bytes.len() <= LARGEST {
            return Ok(bytes);
        }
        let left_out = json!({"error": format!("left out: the event was larger than {LARGEST} bytes")});
        match event.pointer_mut(details) {
            Some(it) if *it != left_out => *it = left_out,
            _ => match (missed.next(), event.as_object_mut()) {
                (Some(name), Some(event)) => drop(event.remove(*name)),
                _ => return Err(format!("the event is larger than {LARGEST} bytes")),
            },
        }
    }
}

fn details(pagerduty: &PagerDuty, alert: &NotifiedAlert, words: &Words<'_>) -> Value {
    let mut all = Map::new();
    let mut say = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
    say("labels", json!(alert.labels));
    say("annotations", json!(alert.annotations));
    say("started_at", json!(rfc3339(alert.starts_at)));
    if let Some(at) = alert.ends_at {
        say("resolved_at", json!(rfc3339(at)));
    }
    if !alert.folded.is_empty() {
        say("consequences", json!(alert.folded));
    }
    if words.telling.test {
        say("test", json!(true));
    }
    match pagerduty.details.as_ref().map(|own| own.filled(words.note, words.telling)) {
        Some(Ok(Value::Object(own))) => all.extend(own),
        // Better without them than no page.
        Some(Err(problem)) => drop(all.insert("error".to_owned(), json!(problem))),
        _ => {}
    }
    Value::Object(all)
}

fn images(pagerduty: &PagerDuty, words: &Words<'_>) -> Vec<Value> {
    let fill = |text: &Option<String>| words.filled(text.as_deref());
    let image = |image: &super::Image| {
        // PagerDuty shows none that comes without TLS.
        let src = page::address(&fill(&image.src)?).filter(|src| src.starts_with("https://"))?;
        let mut it = json!({"src": src});
        for (name, text) in
            [("alt", fill(&image.alt)), ("href", fill(&image.href).and_then(|it| page::address(&it)))]
        {
            if let Some(text) = text {
                it[name] = json!(text);
            }
        }
        Some(it)
    };
    pagerduty.images.iter().filter_map(image).collect()
}

fn links(pagerduty: &PagerDuty, alert: &NotifiedAlert, words: &Words<'_>) -> Vec<Value> {
    let fill = |text: &Option<String>| words.filled(text.as_deref());
    let own = pagerduty.links.iter().filter_map(|link| {
        let href = page::address(&fill(&link.href)?)?;
        Some((fill(&link.text).unwrap_or_else(|| href.clone()), href))
    });
    let all = own.chain(incident::links(alert, words.telling));
    all.map(|(text, href)| json!({"href": href, "text": text})).collect()
}
