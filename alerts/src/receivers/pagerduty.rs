//! `pagerduty_configs`: events of PagerDuty's API version 2 (`routing_key`) or 1 (`service_key`), one alert at a time.
//!
//! Alertmanager tells a whole group as one incident whose details never change; here each alert is one, under its own key.

mod back;
mod event;

use std::sync::Arc;
use std::time::Duration;

use ops_contract::{Notification, NotificationReason, NotificationStatus};
use serde_json::Value;

use super::http::{self, Http};
use super::payload::Payload;
use super::settings::{Secret, Settings};
use super::words::Words;
use super::{Answer, Globals, Heard, Kind, Message, NotHeard, Rate, Telling, Verdict, Wrong, message};
use crate::templates::Escape;

const V2: &str = "https://events.pagerduty.com/v2/enqueue";
const V1: &str = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";
/// What PagerDuty takes for one key.
const RATE: Rate = Rate { count: 120, per: Duration::from_mins(1) };

#[derive(Debug)]
struct PagerDuty {
    send_resolved: bool,
    key: Key,
    url: Secret,
    http: Http,
    texts: Texts,
    details: Option<Payload>,
    /// What signs PagerDuty's webhooks to us; several while one replaces the other.
    ack_secrets: Vec<Secret>,
    images: Vec<Image>,
    links: Vec<Link>,
    remarks: Vec<String>,
}

/// Who we are to PagerDuty.
#[derive(Debug)]
enum Key {
    /// An integration of Events API v2.
    Routing(Secret),
    /// One of Events API v1.
    Service(Secret),
    /// It lies in a file.
    NotRead,
}

/// Settings that are templates.
#[derive(Debug)]
struct Texts {
    description: Option<String>,
    client: Option<String>,
    client_url: Option<String>,
    source: Option<String>,
    severity: Option<String>,
    class: Option<String>,
    component: Option<String>,
    group: Option<String>,
}

#[derive(Debug)]
struct Image {
    src: Option<String>,
    alt: Option<String>,
    href: Option<String>,
}

#[derive(Debug)]
struct Link {
    href: Option<String>,
    text: Option<String>,
}

pub(super) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    let key = key(&settings);
    let mut pagerduty = PagerDuty {
        send_resolved: settings.flag("send_resolved", true),
        url: url(&settings, &key),
        key,
        http: Http::read(&settings),
        texts: texts(&settings),
        details: details(&settings),
        ack_secrets: settings.texts("ack_secrets").into_iter().map(Secret::new).collect(),
        images: settings.entries("images", |entry| Image {
            src: entry.text("src"),
            alt: entry.text("alt"),
            href: entry.text("href"),
        }),
        links: settings.entries("links", |entry| Link { href: entry.text("href"), text: entry.text("text") }),
        remarks: Vec::new(),
    };
    pagerduty.remarks = settings.finish()?;
    Ok(Arc::new(pagerduty))
}

fn key(settings: &Settings<'_>) -> Key {
    let files = [settings.value("service_key_file"), settings.value("routing_key_file")];
    let (service, routing) = (settings.secret("service_key"), settings.secret("routing_key"));
    match (service, routing) {
        // As in Alertmanager the older one is used when both are there.
        (Some(key), _) => Key::Service(key),
        (None, Some(key)) => Key::Routing(key),
        (None, None) => {
            if files.iter().any(Option::is_some) {
                settings.remark(NOT_READ.to_owned());
            } else {
                settings.wrong("routing_key", "is missing".to_owned(), "write routing_key: ${PAGERDUTY_KEY}");
            }
            Key::NotRead
        }
    }
}

const NOT_READ: &str = "a key in a file is not read here: write routing_key: ${NAME}";

fn url(settings: &Settings<'_>, key: &Key) -> Secret {
    let said = settings.secret_or_global("url", "pagerduty_url");
    if let Some(url) = &said {
        http::check_url(settings, "url", url);
    }
    match key {
        // An address of version 2, which Alertmanager does not use then either, would not understand version 1.
        Key::Service(_) => {
            let old = |url: &Secret| url.get().is_ok_and(|url| url.ends_with("/create_event.json"));
            said.filter(old).unwrap_or_else(|| Secret::new(V1))
        }
        _ => said.unwrap_or_else(|| Secret::new(V2)),
    }
}

fn texts(settings: &Settings<'_>) -> Texts {
    Texts {
        description: settings.text("description"),
        client: settings.text("client"),
        client_url: settings.text("client_url"),
        source: settings.text("source"),
        severity: settings.text("severity"),
        class: settings.text("class"),
        component: settings.text("component"),
        group: settings.text("group"),
    }
}

fn details(settings: &Settings<'_>) -> Option<Payload> {
    if settings.value("details").is_some_and(|value| !value.is_object()) {
        settings.wrong("details", "are not a map".to_owned(), "write name: text");
    }
    Payload::read(settings, "details")
}

impl Kind for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn one_alert_at_a_time(&self) -> bool {
        true
    }

    fn takes_acknowledgements(&self) -> bool {
        true
    }

    fn hear(&self, signatures: &str, body: &[u8]) -> Result<Vec<Heard>, NotHeard> {
        back::hear(&self.ack_secrets, signatures, body)
    }

    fn rate_limit(&self) -> Option<Rate> {
        Some(RATE)
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        let alert = note.alerts.first().ok_or("there is no alert to tell")?;
        let action = match alert.status {
            NotificationStatus::Firing if note.reason == NotificationReason::Acknowledged => "acknowledge",
            NotificationStatus::Firing => "trigger",
            NotificationStatus::Resolved => "resolve",
        };
        let words = Words { note, telling, escape: Escape::None };
        let event = event::Event::new(self, alert, &words);
        let body = match &self.key {
            Key::Routing(key) => event.version_2(&filled_key(key, &words)?, action),
            Key::Service(key) => event.version_1(&filled_key(key, &words)?, action),
            Key::NotRead => return Err(NOT_READ.to_owned()),
        }?;
        self.http.post(self.url.get()?, Vec::new(), body, telling)
    }

    fn secrets(&self) -> Vec<&Secret> {
        let key = match &self.key {
            Key::Routing(key) | Key::Service(key) => Some(key),
            Key::NotRead => None,
        };
        key.into_iter().chain([&self.url]).chain(&self.ack_secrets).chain(self.http.secrets()).collect()
    }

    fn judge(&self, answer: &Answer<'_>) -> Verdict {
        let said = said(answer).map(String::into_bytes);
        let answer = Answer { body: said.as_deref().unwrap_or(answer.body), ..answer.clone() };
        match message::judge(&answer) {
            // Version 1 says 403 where version 2 says 429.
            Verdict::Refused { detail } if answer.status == 403 && matches!(self.key, Key::Service(_)) => {
                Verdict::Failed { detail, wait: answer.retry_after }
            }
            verdict => verdict,
        }
    }
}

/// A key may be chosen by the alert's labels.
fn filled_key(key: &Secret, words: &Words<'_>) -> Result<String, String> {
    let key = key.get()?;
    if !key.contains("{{") {
        return Ok(key.trim().to_owned());
    }
    let key = words.filled(Some(key)).ok_or("the template in the key comes to nothing")?;
    Ok(key.trim().to_owned())
}

/// What PagerDuty found wrong with an event, out of its JSON.
fn said(answer: &Answer<'_>) -> Option<String> {
    if answer.status != 400 {
        return None;
    }
    let json: Value = serde_json::from_slice(answer.body).ok()?;
    let errors = json.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let errors: Vec<&str> = errors.collect();
    let message = json.get("message").and_then(Value::as_str)?;
    Some(if errors.is_empty() { message.to_owned() } else { format!("{message}: {}", errors.join(", ")) })
}

#[cfg(test)]
mod tests;
