//! `opsgenie_configs`: opens and closes alerts of Opsgenie, one for each of ours, by alias.

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_contract::{Notification, NotificationStatus, NotifiedAlert};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::http::{self, Http};
use super::page::Markup;
use super::settings::{Secret, Settings};
use super::words::Words;
use super::{Globals, Kind, Message, Telling, Wrong, incident, page};
use crate::templates::Escape;

const API_URL: &str = "https://api.opsgenie.com/";
const NOT_READ: &str = "api_key_file is not read here: write api_key: ${NAME}";
/// What Opsgenie takes at most, in characters; a longer text would be refused with all that it says.
const MESSAGE: usize = 130;
const ALIAS: usize = 512;
const DESCRIPTION: usize = 15_000;
const SOURCE: usize = 100;
const ENTITY: usize = 512;
const NOTE: usize = 25_000;
/// Of all names and values together.
const DETAILS: usize = 8_000;
const TAGS: usize = 20;
const ACTIONS: usize = 10;
/// Of one tag or action.
const WORD: usize = 50;
const RESPONDERS: usize = 50;
/// Kinds of responders; `teams` is a list of team names.
const RESPONDER_TYPES: [&str; 5] = ["team", "teams", "user", "escalation", "schedule"];

#[derive(Debug)]
struct Opsgenie {
    send_resolved: bool,
    api_key: Option<Secret>,
    api_url: Secret,
    http: Http,
    message: Option<String>,
    description: Option<String>,
    source: Option<String>,
    details: BTreeMap<String, String>,
    /// Templates that may be absent, by name.
    texts: BTreeMap<&'static str, String>,
    responders: Vec<Responder>,
    remarks: Vec<String>,
}

#[derive(Debug)]
struct Responder {
    id: Option<String>,
    name: Option<String>,
    username: Option<String>,
    kind: String,
}

pub(super) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    let api_url = settings.secret_or_global("api_url", "opsgenie_api_url");
    if let Some(url) = &api_url {
        http::check_url(&settings, "api_url", url);
    }
    let texts = ["entity", "actions", "tags", "note", "priority"];
    let mut opsgenie = Opsgenie {
        send_resolved: settings.flag("send_resolved", true),
        api_key: api_key(&settings, globals),
        api_url: api_url.unwrap_or_else(|| Secret::new(API_URL)),
        http: Http::read(&settings),
        message: settings.text("message"),
        description: settings.text("description"),
        source: settings.text("source"),
        details: settings.pairs("details"),
        texts: texts.into_iter().filter_map(|key| Some((key, settings.text(key)?))).collect(),
        responders: settings.entries("responders", responder),
        remarks: Vec::new(),
    };
    settings.not_used(&["update_alerts"]);
    opsgenie.remarks = settings.finish()?;
    Ok(Arc::new(opsgenie))
}

fn api_key(settings: &Settings<'_>, globals: &Globals) -> Option<Secret> {
    let in_file =
        settings.value("api_key_file").is_some() || globals.section.get("opsgenie_api_key_file").is_some();
    let key = settings.secret_or_global("api_key", "opsgenie_api_key");
    match &key {
        None if in_file => settings.remark(NOT_READ.to_owned()),
        None => settings.wrong("api_key", "is missing".to_owned(), "write api_key: ${OPSGENIE_KEY}"),
        Some(_) => {}
    }
    key
}

fn responder(entry: &Settings<'_>) -> Responder {
    let (id, name, username) = (entry.text("id"), entry.text("name"), entry.text("username"));
    if id.is_none() && name.is_none() && username.is_none() {
        entry.wrong("", "names nobody".to_owned(), "write id, name or username");
    }
    let kind = entry.text("type").unwrap_or_default();
    if !kind.contains("{{") && !RESPONDER_TYPES.contains(&kind.to_ascii_lowercase().as_str()) {
        entry.wrong(
            "type",
            format!("{kind:?} is no kind of responder"),
            "write team, user, escalation or schedule",
        );
    }
    Responder { id, name, username, kind }
}

impl Kind for Opsgenie {
    fn name(&self) -> &'static str {
        "opsgenie"
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn one_alert_at_a_time(&self) -> bool {
        true
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        let alert = note.alerts.first().ok_or("there is no alert to tell")?;
        let key = self.api_key.as_ref().ok_or(NOT_READ)?.get()?.trim();
        let words = Words { note, telling, escape: Escape::None };
        let alias = page::cut(&alert.id, ALIAS);
        let source =
            words.text(self.source.as_deref(), "opsgenie.default.source", || telling.external_url.to_owned());
        let source = page::cut(source.trim(), SOURCE);
        let (url, body) = match alert.status {
            NotificationStatus::Firing => (
                http::below(self.api_url.get()?, &["v2", "alerts"])?,
                self.created(alias, source, alert, &words),
            ),
            NotificationStatus::Resolved => {
                let mut url = http::below(self.api_url.get()?, &["v2", "alerts", &alias, "close"])?;
                url.set_query(Some("identifierType=alias"));
                (url, json!({"source": source}))
            }
        };
        let login = ("authorization".to_owned(), SecretString::from(format!("GenieKey {key}")));
        self.http.post(url.as_str(), vec![login], body.to_string().into_bytes(), telling)
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.api_key.iter().chain([&self.api_url]).chain(self.http.secrets()).collect()
    }
}

impl Opsgenie {
    fn created(&self, alias: String, source: String, alert: &NotifiedAlert, words: &Words<'_>) -> Value {
        let telling = words.telling;
        let text = |key: &str| words.filled(self.texts.get(key).map(String::as_str));
        let message = words.text(self.message.as_deref(), "opsgenie.default.message", String::new);
        // Opsgenie refuses an alert without a message.
        let message = if message.trim().is_empty() { page::title(words.note, telling) } else { message };
        let description = words.text(self.description.as_deref(), "opsgenie.default.description", || {
            page::text(words.note, telling, Markup::Plain, DESCRIPTION)
        });
        let mut body = json!({
            "alias": alias,
            "message": page::cut(incident::marked(message, telling).trim(), MESSAGE),
            "description": page::cut(&description, DESCRIPTION),
            "details": self.details(alert, words),
            "source": source,
            "priority": priority(text("priority"), alert),
        });
        let responders = self.responders(words);
        if !responders.is_empty() {
            body["responders"] = json!(responders);
        }
        for (key, most) in [("tags", TAGS), ("actions", ACTIONS)] {
            let words: Vec<String> = text(key).map(|text| listed(&text, most)).unwrap_or_default();
            if !words.is_empty() {
                body[key] = json!(words);
            }
        }
        for (key, most) in [("note", NOTE), ("entity", ENTITY)] {
            if let Some(text) = text(key) {
                body[key] = json!(page::cut(&text, most));
            }
        }
        body
    }

    /// What the settings say, the links and the labels, as far as there is room.
    fn details(&self, alert: &NotifiedAlert, words: &Words<'_>) -> BTreeMap<String, String> {
        let own = self
            .details
            .iter()
            .map(|(name, text)| (name.clone(), words.filled(Some(text)).unwrap_or_default()));
        let labels = alert.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        let mut room = DETAILS;
        let mut all = BTreeMap::new();
        for (name, text) in own.chain(incident::links(alert, words.telling)).chain(labels) {
            let size = name.chars().count() + text.chars().count();
            if size <= room && !all.contains_key(&name) {
                room -= size;
                all.insert(name, text);
            }
        }
        all
    }

    fn responders(&self, words: &Words<'_>) -> Vec<Value> {
        let fill = |text: &Option<String>| words.filled(text.as_deref());
        let mut all = Vec::new();
        for responder in &self.responders {
            let kind = words.filled(Some(&responder.kind)).unwrap_or_default().to_ascii_lowercase();
            let name = fill(&responder.name);
            if kind == "teams" {
                let names = name.as_deref().unwrap_or_default().split(',').map(str::trim);
                all.extend(
                    names.filter(|name| !name.is_empty()).map(|name| json!({"name": name, "type": "team"})),
                );
                continue;
            }
            let keys = [("id", fill(&responder.id)), ("name", name), ("username", fill(&responder.username))];
            let mut one: serde_json::Map<String, Value> =
                keys.into_iter().filter_map(|(key, text)| Some((key.to_owned(), json!(text?)))).collect();
            if !one.is_empty() {
                one.insert("type".to_owned(), json!(kind));
                all.push(Value::Object(one));
            }
        }
        all.truncate(RESPONDERS);
        all
    }
}

/// P1 to P5: what the settings say, else by the alert's severity.
fn priority(said: Option<String>, alert: &NotifiedAlert) -> String {
    let said = said.map(|text| text.to_ascii_uppercase());
    said.filter(|text| matches!(text.as_str(), "P1" | "P2" | "P3" | "P4" | "P5")).unwrap_or_else(|| {
        let severity = alert.labels.get("severity").map_or("", String::as_str);
        match incident::severity(severity) {
            "critical" => "P1",
            "error" => "P2",
            "warning" => "P3",
            _ => "P5",
        }
        .to_owned()
    })
}

fn listed(text: &str, most: usize) -> Vec<String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.take(most).map(|word| page::cut(word, WORD)).collect()
}

#[cfg(test)]
mod tests;
