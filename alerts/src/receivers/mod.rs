//! Whom to tell, and in which words: what each kind of receiver is sent, and what its answers mean.
//!
//! No I/O here: an integration turns a notification into a message, the server sends it, the integration judges the answer.
//! One file per kind. To add one: a file with its settings (Alertmanager's names), its message and its judgement, and a line
//! in `KINDS`.

mod alertmanager;
mod discord;
mod email;
pub mod guard;
mod heard;
mod http;
mod incident;
mod log;
mod message;
mod opsgenie;
mod page;
mod pagerduty;
mod payload;
mod redact;
#[cfg(test)]
mod samples;
mod settings;
mod signature;
mod slack;
mod webhook;
mod words;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ops_contract::{Notification, Timestamp};
use serde_json::Value;

use crate::templates::Templates;

use settings::Secret;

pub use heard::{Heard, NotHeard};
pub use message::{Answer, HttpMessage, MailMessage, Message, Verdict};
#[cfg(test)]
pub(crate) use page::tests as page_tests;
pub(crate) use page::{escape_html, escape_slack, page_text, page_title};
pub(crate) use webhook::reason;

/// Reads the settings of one kind.
type Read = fn(&Value, &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>>;

/// Every kind that can be told: the list of the file in which it stands, and what reads it.
const KINDS: &[(&str, Read)] = &[
    ("alertmanager_configs", alertmanager::read),
    ("discord_configs", discord::read),
    ("email_configs", email::read),
    ("log_configs", log::read),
    ("opsgenie_configs", opsgenie::read),
    ("pagerduty_configs", pagerduty::read),
    ("slack_configs", slack::read),
    ("webhook_configs", webhook::read),
];

/// What each kind of receiver does in its own way.
pub(crate) trait Kind: fmt::Debug + Send + Sync {
    /// Short name: `slack`.
    fn name(&self) -> &'static str;

    /// Whether it is told that alerts have resolved.
    fn send_resolved(&self) -> bool;

    /// Whether it is told each alert by itself and not a group at once.
    fn one_alert_at_a_time(&self) -> bool {
        false
    }

    /// Whether it keeps incidents of its own and is told that somebody looks after one.
    fn takes_acknowledgements(&self) -> bool {
        false
    }

    /// What it says to us by itself: `signatures` is the header with which it signs.
    fn hear(&self, _signatures: &str, _body: &[u8]) -> Result<Vec<Heard>, NotHeard> {
        Err(NotHeard::Deaf)
    }

    /// How much it takes.
    fn rate_limit(&self) -> Option<Rate> {
        None
    }

    /// What its owner should know: keys that do nothing here, variables that are not set.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is sent.
    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String>;

    /// What must not be shown when a receiver says it back.
    fn secrets(&self) -> Vec<&Secret> {
        Vec::new()
    }

    /// What an answer means. Its body holds none of the [`secrets`](Kind::secrets) any more.
    fn judge(&self, answer: &Answer<'_>) -> Verdict {
        message::judge(answer)
    }
}

/// One way to tell a receiver: an entry of `slack_configs`, `webhook_configs` and so on.
#[derive(Clone, Debug)]
pub struct Integration {
    kind: Arc<dyn Kind>,
    /// Settings that are templates: where they stand, and their text.
    templates: Arc<[(String, Secret)]>,
}

/// How much a receiver takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many messages
    pub count: u32,
    /// in this time.
    pub per: Duration,
}

/// The circumstances of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// Texts by name.
    pub templates: &'a Templates,
    /// Where people find the pages, without a slash at its end.
    pub external_url: &'a str,
    /// When the attempt is made.
    pub now: Timestamp,
    /// The program's version.
    pub version: &'a str,
    /// A link that acknowledges the incident with one click.
    pub ack_url: Option<&'a str>,
    /// Whether an operator asked for a test; it must be marked as one.
    pub test: bool,
}

/// What the `global` section says for integrations that do not say it themselves.
#[derive(Clone, Debug, Default)]
pub struct Globals {
    /// The section as it stands in the file, after `${NAME}` was filled in.
    pub section: Value,
}

/// What is wrong with the settings of an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The field: `webhook_configs[0].url`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead; may be empty.
    pub fix: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)?;
        if !self.fix.is_empty() {
            write!(f, " ({})", self.fix)?;
        }
        Ok(())
    }
}

impl Integration {
    /// Reads an entry of the list `kind` (`slack_configs`) of a receiver. All that is wrong with it is told at once.
    pub fn read(kind: &str, settings: &Value, globals: &Globals) -> Result<Self, Vec<Wrong>> {
        match KINDS.iter().find(|(name, _)| *name == kind) {
            Some((_, read)) => read(settings, globals).map(|kind| {
                let mut templates = Vec::new();
                collect("", settings, &mut templates);
                Self { kind, templates: templates.into() }
            }),
            None => {
                let problem = "there is no such kind of receiver".to_owned();
                Err(vec![Wrong { field: kind.to_owned(), problem, fix: String::new() }])
            }
        }
    }

    /// Short name of its kind: `slack`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// Whether it is told that alerts have resolved.
    #[must_use]
    pub fn send_resolved(&self) -> bool {
        self.kind.send_resolved()
    }

    /// Whether it is told each alert by itself and not a group at once.
    #[must_use]
    pub fn one_alert_at_a_time(&self) -> bool {
        self.kind.one_alert_at_a_time()
    }

    /// Whether it keeps incidents of its own and is told that somebody looks after one.
    #[must_use]
    pub fn takes_acknowledgements(&self) -> bool {
        self.kind.takes_acknowledgements()
    }

    /// What it says to us by itself. `signatures`: the header with which it signs.
    ///
    /// # Errors
    /// That it never does, that it did not sign it, or that it cannot be read.
    pub fn hear(&self, signatures: &str, body: &[u8]) -> Result<Vec<Heard>, NotHeard> {
        self.kind.hear(signatures, body)
    }

    /// How much it takes.
    #[must_use]
    pub fn rate_limit(&self) -> Option<Rate> {
        self.kind.rate_limit()
    }

    /// What its owner should know: keys that do nothing here, variables that are not set.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.kind.remarks()
    }

    /// What its owner should know of its templates: those that nobody defines, and texts that are none. Our own words are
    /// sent instead, or the setting is left out.
    #[must_use]
    pub fn remarks_on(&self, templates: &Templates) -> Vec<String> {
        let texts = self.templates.iter().filter_map(|(place, text)| Some((place, text.get().ok()?)));
        texts.flat_map(|(place, text)| templates.remarks(place, text)).collect()
    }

    /// What is sent. Fails where settings are missing, such as a secret that is not set.
    pub fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        self.kind.message(note, telling)
    }

    /// What an answer means; nothing secret is in its detail.
    #[must_use]
    pub fn judge(&self, answer: &Answer<'_>) -> Verdict {
        let secrets = self.kind.secrets();
        if secrets.is_empty() {
            return self.kind.judge(answer);
        }
        let body = redact::hidden(&String::from_utf8_lossy(answer.body), secrets);
        self.kind.judge(&Answer { body: body.as_bytes(), ..answer.clone() })
    }
}

/// Texts in settings that are templates.
fn collect(place: &str, value: &Value, found: &mut Vec<(String, Secret)>) {
    match value {
        Value::String(text) if text.contains("{{") => {
            found.push((place.to_owned(), Secret::new(text.as_str())))
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                collect(&format!("{place}[{at}]"), value, found);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let point = if place.is_empty() { "" } else { "." };
                collect(&format!("{place}{point}{key}"), value, found);
            }
        }
        _ => {}
    }
}
