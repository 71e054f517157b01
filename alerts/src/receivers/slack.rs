//! `slack_configs`: an incoming webhook, or an app's token and `chat.postMessage`.

use std::sync::Arc;
use std::time::Duration;

use ops_contract::{Notification, NotificationStatus};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::http::{Http, check_url};
use super::incident::marked;
use super::page::{self, Grade, Markup, cut};
use super::settings::{Secret, Settings};
use super::words::Words;
use super::{Answer, Globals, Kind, Message, Rate, Telling, Verdict, Wrong, message};
use crate::templates::Escape;

/// Where an app's token posts.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";
/// Longest title and text in characters.
const TITLE: usize = 1024;
const TEXT: usize = 30_000;
/// Most characters of a message.
const MESSAGE_LIMIT: usize = 40_000;
/// Longest text of our own: what somebody reads on a phone.
const OWN_TEXT: usize = 6_000;
/// Most fields and buttons.
const MOST_FIELDS: usize = 50;
const MOST_ACTIONS: usize = 5;

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

/// Settings that are templates and go into the attachment under their own name, left out where they fail or are empty.
const PLAIN: [&str; 5] = ["pretext", "callback_id", "image_url", "thumb_url", "footer"];
const MESSAGE: [&str; 3] = ["username", "icon_emoji", "icon_url"];
const FIELD: [&str; 2] = ["title", "value"];
const ACTION: [&str; 6] = ["type", "text", "url", "style", "name", "value"];
const CONFIRM: [&str; 4] = ["title", "text", "ok_text", "dismiss_text"];

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

pub(super) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    let target = target(&settings);
    let short_fields = settings.flag("short_fields", false);
    let slack = Slack {
        target,
        http: Http::read(&settings),
        send_resolved: settings.flag("send_resolved", false),
        channel: settings.secret("channel"),
        message: texts(&settings, &MESSAGE),
        plain: texts(&settings, &PLAIN),
        title: settings.text("title"),
        title_link: settings.text("title_link"),
        text: settings.text("text"),
        message_text: settings.text("message_text"),
        fallback: settings.text("fallback"),
        color: settings.text("color"),
        mrkdwn_in: settings.texts("mrkdwn_in"),
        link_names: settings.flag("link_names", false),
        fields: entries(&settings, "fields", MOST_FIELDS, |it| Field {
            texts: texts(it, &FIELD),
            short: it.flag("short", short_fields),
        }),
        actions: entries(&settings, "actions", MOST_ACTIONS, |it| Action {
            texts: texts(it, &ACTION),
            confirm: it.within("confirm", |it| texts(it, &CONFIRM)),
        }),
        remarks: Vec::new(),
    };
    settings.not_used(&["update_message"]);
    let remarks = settings.finish()?;
    Ok(Arc::new(Slack { remarks, ..slack }))
}

fn target(settings: &Settings<'_>) -> Target {
    for key in ["api_url_file", "app_token_file"] {
        if settings.value(key).is_some() {
            settings
                .remark(format!("{key} is not read here: write {} with ${{NAME}}", key.replace("_file", "")));
        }
    }
    let (url, token) = (settings.secret("api_url"), settings.secret("app_token"));
    let app_url = settings.secret_or_global("app_url", "slack_app_url");
    if url.is_some() && token.is_some() {
        let problem = "api_url and app_token are both there".to_owned();
        settings.wrong("app_token", problem, "keep one of them");
    }
    let token = match url {
        None => token.or_else(|| settings.secret_or_global("app_token", "slack_app_token")),
        Some(_) => token,
    };
    if let Some(token) = token {
        if settings.value("channel").is_none() {
            settings.wrong("channel", "is missing: a token says no channel".to_owned(), "write '#alerts'");
        }
        let url = app_url.unwrap_or_else(|| Secret::new(POST_MESSAGE));
        check_url(settings, "app_url", &url);
        return Target::App { url, token };
    }
    let url = url.or_else(|| settings.secret_or_global("api_url", "slack_api_url"));
    match &url {
        Some(url) => check_url(settings, "api_url", url),
        None => settings.wrong(
            "api_url",
            "is missing".to_owned(),
            "write the address of Slack's incoming webhook here, or slack_api_url under global",
        ),
    }
    Target::Webhook(url.unwrap_or_else(|| Secret::new("")))
}

fn texts(settings: &Settings<'_>, keys: &[&'static str]) -> Texts {
    keys.iter().filter_map(|key| Some((*key, settings.text(key)?))).collect()
}

/// A list of maps.
fn entries<T>(settings: &Settings<'_>, key: &str, most: usize, read: impl Fn(&Settings<'_>) -> T) -> Vec<T> {
    let Some(value) = settings.value(key).cloned() else { return Vec::new() };
    let Value::Array(list) = value else {
        settings.wrong(key, "is not a list".to_owned(), "write a list of maps");
        return Vec::new();
    };
    if list.len() > most {
        settings.wrong(key, format!("has {} entries, more than {most}", list.len()), "remove some");
    }
    let mut all = Vec::new();
    for (at, entry) in list.iter().take(most).enumerate() {
        // Wrapped, so that its faults are told with its place.
        let place = format!("{key}[{at}]");
        let one = Settings::new(&json!({ place.clone(): entry }), &Value::Null);
        all.extend(one.within(&place, &read));
        match one.finish() {
            Ok(remarks) => remarks.into_iter().for_each(|it| settings.remark(it)),
            Err(wrongs) => wrongs.into_iter().for_each(|it| settings.wrong(&it.field, it.problem, &it.fix)),
        }
    }
    all
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
        if it.len() < FIELD.len() {
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
