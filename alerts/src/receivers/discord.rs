//! `discord_configs`: a webhook of a channel.

use std::sync::Arc;
use std::time::Duration;

use ops_contract::Notification;
use serde_json::{Map, Value, json};

use super::http::{Http, check_url};
use super::incident::marked;
use super::page::{self, Grade, Markup, cut};
use super::settings::{Secret, Settings};
use super::words::Words;
use super::{Answer, Globals, Kind, Message, Telling, Verdict, Wrong, message};
use crate::templates::Escape;

/// Longest title, message, content and name in characters, as Discord has them.
const TITLE: usize = 256;
const MESSAGE: usize = 4096;
const CONTENT: usize = 2000;
const NAME: usize = 80;
/// Longest wait that is believed.
const LONGEST_WAIT: f64 = 86_400.0;

#[derive(Debug)]
struct Discord {
    url: Secret,
    http: Http,
    send_resolved: bool,
    content: Option<String>,
    title: Option<String>,
    message: Option<String>,
    username: Option<String>,
    avatar_url: Option<String>,
    remarks: Vec<String>,
}

pub(super) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    if settings.value("webhook_url_file").is_some() {
        settings.remark("webhook_url_file is not read here: write webhook_url with ${NAME}".to_owned());
    }
    let url = settings.secret("webhook_url");
    match &url {
        Some(url) => check_url(&settings, "webhook_url", url),
        None => settings.wrong(
            "webhook_url",
            "is missing".to_owned(),
            "write the address that Discord shows under Integrations, Webhooks",
        ),
    }
    let discord = Discord {
        url: url.unwrap_or_else(|| Secret::new("")),
        http: Http::read(&settings),
        send_resolved: settings.flag("send_resolved", true),
        content: settings.text("content"),
        title: settings.text("title"),
        message: settings.text("message"),
        username: settings.text("username"),
        avatar_url: settings.text("avatar_url"),
        remarks: Vec::new(),
    };
    let remarks = settings.finish()?;
    Ok(Arc::new(Discord { remarks, ..discord }))
}

impl Kind for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        let words = Words { note, telling, escape: Escape::None };
        let own_title = || Markup::Discord.escape(&page::title(note, telling));
        let title = marked(words.text(self.title.as_deref(), "discord.default.title", own_title), telling);
        let own_text = || page::text(note, telling, Markup::Discord, MESSAGE);
        let text = words.text(self.message.as_deref(), "discord.default.message", own_text);
        let mut embed = Map::new();
        embed.insert("title".to_owned(), cut(&title, TITLE).into());
        embed.insert("description".to_owned(), cut(&text, MESSAGE).into());
        embed.insert("color".to_owned(), color(note).into());
        if let Some(url) = page::address(telling.external_url) {
            embed.insert("url".to_owned(), url.into());
        }
        let mut body = Map::new();
        let others = [
            ("content", &self.content, CONTENT),
            ("username", &self.username, NAME),
            ("avatar_url", &self.avatar_url, CONTENT),
        ];
        for (key, text, most) in others {
            if let Some(text) = words.filled(text.as_deref()) {
                body.insert(key.to_owned(), cut(&text, most).into());
            }
        }
        body.insert("embeds".to_owned(), json!([embed]));
        // Nobody is pinged by what stands in a label.
        body.insert("allowed_mentions".to_owned(), json!({ "parse": [] }));
        let url = waiting(self.url.get()?);
        self.http.post(&url, Vec::new(), Value::Object(body).to_string().into_bytes(), telling)
    }

    fn secrets(&self) -> Vec<&Secret> {
        [&self.url].into_iter().chain(self.http.secrets()).collect()
    }

    fn judge(&self, answer: &Answer<'_>) -> Verdict {
        let verdict = message::judge(answer);
        let Verdict::Failed { detail, wait } = verdict else { return verdict };
        Verdict::Failed { detail, wait: wait.max(asked_to_wait(answer.body)) }
    }
}

/// Asks Discord to answer only when the message is there: else it says yes to what it then drops.
fn waiting(url: &str) -> String {
    let url = url.trim();
    if url.contains("wait=") {
        return url.to_owned();
    }
    format!("{url}{}wait=true", if url.contains('?') { '&' } else { '?' })
}

/// `retry_after` of its answer: seconds with a fraction.
fn asked_to_wait(body: &[u8]) -> Option<Duration> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let seconds = said.get("retry_after")?.as_f64()?;
    Duration::try_from_secs_f64(seconds.min(LONGEST_WAIT)).ok()
}

fn color(note: &Notification) -> u32 {
    match page::grade(note) {
        Grade::Resolved => 0x2e_a043,
        Grade::Information => 0x43_9fe0,
        Grade::Warning => 0xd2_9922,
        Grade::Critical => 0xda_3633,
    }
}

#[cfg(test)]
mod tests;
