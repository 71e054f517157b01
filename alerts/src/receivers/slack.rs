//! `slack_configs`: an incoming webhook, or an app's token and `chat.postMessage`.

mod read;

use std::time::Duration;

use ops_contract::{Notification, NotificationStatus};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::http::Http;
use super::incident::marked;
use super::page::{self, Grade, Markup, cut};
use super::settings::Secret;
use super::words::Words;
use super::{Answer, Kind, Message, Rate, Telling, Verdict, message};
use crate::templates::Escape;

pub(super) use read::read;

/// Longest title and text in characters.
const TITLE: usize = 1024;
const TEXT: usize = 30_000;
/// Most characters of a message.
const MESSAGE_LIMIT: usize = 40_000;
/// Longest text of our own: what somebody reads on a phone.
const OWN_TEXT: usize = 6_000;

/// Settings that no markup is read in.
const RAW: [&str; 10] = [
    "callback_id",
    "image_url",
    "thumb_url",
    "username",
    "icon_emoji",
    "icon_url",
    "type",
    "url",
    "style",
    "name",
];

type Texts = Vec<(&'static str, String)>;

#[derive(Debug)]
struct Slack {
    target: Target,
    http: Http,
    send_resolved: bool,
    channel: Option<Secret>,
    message: Texts,
    plain: Texts,
    title: Option<String>,
    title_link: Option<String>,
    text: Option<String>,
    message_text: Option<String>,
    fallback: Option<String>,
    color: Option<String>,
    mrkdwn_in: Vec<String>,
    link_names: bool,
    fields: Vec<Field>,
    actions: Vec<Action>,
    remarks: Vec<String>,
}

/// Where it is posted.
#[derive(Debug)]
enum Target {
    Webhook(Secret),
    App { url: Secret, token: Secret },
}

#[derive(Debug)]
struct Field {
    texts: Texts,
    short: bool,
}

#[derive(Debug)]
struct Action {
    texts: Texts,
    confirm: Option<Texts>,
}

impl Slack {
    fn attachment(&self, words: &Words<'_>) -> Value {
        let (note, telling) = (words.note, words.telling);
        let own_title = || Markup::Slack.escape(&page::title(note, telling));
        let title = marked(words.text(self.title.as_deref(), "slack.default.title", own_title), telling);
        let mut it = Map::new();
        let mut put = |key: &str, value: Option<String>, most| {
            if let Some(value) = value.filter(|it| !it.is_empty()) {
                it.insert(key.to_owned(), Value::String(cut(&value, most)));
            }
        };
        for (key, text) in &self.plain {
            put(key, one(key, text, words), TITLE);
        }
        let own_text = || page::text(note, telling, Markup::Slack, OWN_TEXT);
        put("text", Some(words.text(self.text.as_deref(), "slack.default.text", own_text)), TEXT);
        let link =
            words.raw().filled(self.title_link.as_deref()).or_else(|| page::address(telling.external_url));
        put("title_link", link, TITLE * 2);
        put("fallback", Some(words.filled(self.fallback.as_deref()).unwrap_or_else(|| title.clone())), TITLE);
        put("title", Some(title), TITLE);
        put(
            "color",
            Some(words.raw().filled(self.color.as_deref()).unwrap_or_else(|| color(note).to_owned())),
            20,
        );
        let mrkdwn_in = match self.mrkdwn_in.as_slice() {
            [] => ["fallback", "pretext", "text"].map(str::to_owned).to_vec(),
            given => given.to_vec(),
        };
        it.insert("mrkdwn_in".to_owned(), json!(mrkdwn_in));
        let fields: Vec<Value> = self.fields.iter().filter_map(|field| field.value(words)).collect();
        if !fields.is_empty() {
            it.insert("fields".to_owned(), Value::Array(fields));
        }
        let mut actions: Vec<Value> = self.actions.iter().filter_map(|action| action.value(words)).collect();
        let firing = note.status == NotificationStatus::Firing;
        if let (true, Some(url)) = (self.actions.is_empty() && firing, telling.ack_url) {
            actions.push(json!({ "type": "button", "text": "Acknowledge", "url": url, "style": "primary" }));
        }
        if !actions.is_empty() {
            it.insert("actions".to_owned(), Value::Array(actions));
        }
        Value::Object(it)
    }
}

impl Kind for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn rate_limit(&self) -> Option<Rate> {
        Some(Rate { count: 1, per: Duration::from_secs(1) })
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        let words = Words { note, telling, escape: Escape::Slack };
        let mut body = Map::new();
        if let Some(channel) = &self.channel {
            match (words.raw().try_filled(channel.get()?), &self.target) {
                (Ok(channel), _) => {
                    body.insert("channel".to_owned(), channel.into());
                }
                // The webhook has a channel of its own: better there than nowhere.
                (Err(_), Target::Webhook(_)) => {}
                (Err(error), Target::App { .. }) => return Err(format!("channel: {error}")),
            }
        }
        for (key, text) in &self.message {
            if let Some(text) = one(key, text, &words) {
                body.insert((*key).to_owned(), text.into());
            }
        }
        if let Some(text) = words.filled(self.message_text.as_deref()) {
            body.insert("text".to_owned(), cut(&text, TEXT).into());
        }
        if self.link_names {
            body.insert("link_names".to_owned(), true.into());
        }
        body.insert("attachments".to_owned(), Value::Array(vec![self.attachment(&words)]));
        let body = within_limit(body).into_bytes();
        match &self.target {
            Target::Webhook(url) => self.http.post(url.get()?, Vec::new(), body, telling),
            Target::App { url, token } => {
                let bearer = SecretString::from(format!("Bearer {}", token.get()?));
                self.http.post(url.get()?, vec![("authorization".to_owned(), bearer)], body, telling)
            }
        }
    }

    fn secrets(&self) -> Vec<&Secret> {
        let own = match &self.target {
            Target::Webhook(url) => vec![url],
            Target::App { url, token } => vec![url, token],
        };
        own.into_iter().chain(self.http.secrets()).collect()
    }

    fn judge(&self, answer: &Answer<'_>) -> Verdict {
        // `chat.postMessage` answers 200 to what it does not do, too.
        let said: Option<Value> = serde_json::from_slice(answer.body).ok();
        let error = match (answer.status, &said) {
            (200..=299, Some(said)) if said.get("ok") == Some(&Value::Bool(false)) => {
                said.get("error").and_then(Value::as_str).unwrap_or_default()
            }
            _ => return message::judge(answer),
        };
        let detail = message::told(answer);
        let later = ["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"];
        if later.contains(&error) || error == "request_timeout" {
            Verdict::Failed { detail, wait: answer.retry_after }
        } else {
            Verdict::Refused { detail }
        }
    }
}

impl Field {
    fn value(&self, words: &Words<'_>) -> Option<Value> {
        let mut it = filled(&self.texts, words);
        if it.len() < 2 {
            return None;
        }
        it.insert("short".to_owned(), self.short.into());
        Some(Value::Object(it))
    }
}

impl Action {
    fn value(&self, words: &Words<'_>) -> Option<Value> {
        let mut it = filled(&self.texts, words);
        if !it.contains_key("type") || !it.contains_key("text") {
            return None;
        }
        if let Some(confirm) = &self.confirm {
            it.insert("confirm".to_owned(), Value::Object(filled(confirm, words)));
        }
        Some(Value::Object(it))
    }
}

fn filled(texts: &Texts, words: &Words<'_>) -> Map<String, Value> {
    texts
        .iter()
        .filter_map(|(key, text)| Some(((*key).to_owned(), cut(&one(key, text, words)?, TITLE * 2).into())))
        .collect()
}

/// The message as JSON; what is too much for Slack loses its fields, then the text beside the attachment.
fn within_limit(mut body: Map<String, Value>) -> String {
    let mut json = Value::Object(body.clone()).to_string();
    if json.chars().count() > MESSAGE_LIMIT {
        if let Some(Value::Object(it)) = body.get_mut("attachments").and_then(|it| it.get_mut(0)) {
            it.remove("fields");
        }
        json = Value::Object(body.clone()).to_string();
    }
    if json.chars().count() > MESSAGE_LIMIT {
        body.remove("text");
        json = Value::Object(body).to_string();
    }
    json
}

/// A setting, escaped where markup is read in it.
fn one(key: &str, text: &str, words: &Words<'_>) -> Option<String> {
    if RAW.contains(&key) { words.raw().filled(Some(text)) } else { words.filled(Some(text)) }
}

fn color(note: &Notification) -> &'static str {
    match page::grade(note) {
        Grade::Resolved => "good",
        Grade::Information => "#439FE0",
        Grade::Warning => "warning",
        Grade::Critical => "danger",
    }
}

#[cfg(test)]
mod tests;
