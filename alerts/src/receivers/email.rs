//! `email_configs`: a mail with an HTML and a text part.

pub(super) mod look;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ops_contract::Notification;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::incident::marked;
use super::page::{self, Markup, cut};
use super::settings::{Secret, Settings};
use super::words::Words;
use super::{Globals, Kind, MailMessage, Message, Telling, Wrong};
use crate::templates::Escape;

/// Longest header in characters, and longest text of our own.
const HEADER: usize = 900;
const OWN_TEXT: usize = 30_000;
/// Headers that come from other settings or that only who sends the mail can write.
const NOT_GIVEN: [&str; 10] = [
    "from",
    "to",
    "cc",
    "bcc",
    "sender",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

#[derive(Debug)]
struct Email {
    send_resolved: bool,
    to: Secret,
    from: Secret,
    smarthost: Secret,
    hello: Secret,
    username: Option<Secret>,
    password: Option<Secret>,
    require_tls: bool,
    subject: Option<String>,
    headers: Vec<(String, String)>,
    html: Option<String>,
    text: Option<String>,
    threading: Option<Threading>,
    remarks: Vec<String>,
}

/// Mails of a group answer each other.
#[derive(Debug)]
struct Threading {
    by_day: bool,
}

pub(super) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    let (subject, headers) = headers(&settings);
    let require_tls = match settings.text_or_global("require_tls", "smtp_require_tls").as_deref() {
        None | Some("true") => true,
        Some("false") => false,
        Some(other) => {
            settings.wrong("require_tls", format!("{other:?} is not true or false"), "write true or false");
            true
        }
    };
    let email = Email {
        send_resolved: settings.flag("send_resolved", false),
        to: must(&settings, "to", None),
        from: must(&settings, "from", Some("smtp_from")),
        smarthost: smarthost(&settings),
        hello: settings.secret_or_global("hello", "smtp_hello").unwrap_or_else(|| Secret::new("")),
        username: settings.secret_or_global("auth_username", "smtp_auth_username"),
        password: settings.secret_or_global("auth_password", "smtp_auth_password"),
        require_tls,
        subject,
        headers,
        html: settings.text("html"),
        text: settings.text("text"),
        threading: settings.within("threading", threading).flatten(),
        remarks: Vec::new(),
    };
    if email.username.is_some() && email.password.is_none() {
        let says = "auth_username is there and auth_password is not: nobody signs in";
        settings.remark(says.to_owned());
    }
    settings.not_used(&[
        "auth_password_file",
        "auth_secret",
        "auth_secret_file",
        "auth_identity",
        "tls_config",
        "implicit_tls",
        "force_implicit_tls",
    ]);
    let remarks = settings.finish()?;
    Ok(Arc::new(Email { remarks, ..email }))
}

/// A setting without which no mail can be sent.
fn must(settings: &Settings<'_>, key: &str, global: Option<&str>) -> Secret {
    let found = match global {
        Some(global) => settings.secret_or_global(key, global),
        None => settings.secret(key),
    };
    found.unwrap_or_else(|| {
        let fix = match global {
            Some(global) => format!("write {key} here or {global} under global"),
            None => format!("write {key}: ops@example.com"),
        };
        settings.wrong(key, "is missing".to_owned(), &fix);
        Secret::new("")
    })
}

fn smarthost(settings: &Settings<'_>) -> Secret {
    let host = must(settings, "smarthost", Some("smtp_smarthost"));
    if let Ok(text) = host.get() {
        let port = text
            .rsplit_once(':')
            .and_then(|(name, port)| port.parse::<u16>().ok().filter(|port| *port > 0 && !name.is_empty()));
        if !text.is_empty() && port.is_none() {
            let problem = format!("{text:?} has no host and port");
            settings.wrong("smarthost", problem, "write it like smtp.example.com:587");
        }
    }
    host
}

fn threading(settings: &Settings<'_>) -> Option<Threading> {
    let enabled = settings.flag("enabled", false);
    let by = settings.text("thread_by_date");
    let by_day = match by.as_deref() {
        None | Some("daily") => true,
        Some("none" | "") => false,
        Some(other) => {
            settings.wrong("thread_by_date", format!("{other:?} is not known"), "write daily or none");
            false
        }
    };
    enabled.then_some(Threading { by_day })
}

/// The subject, and other headers.
fn headers(settings: &Settings<'_>) -> (Option<String>, Vec<(String, String)>) {
    let (mut subject, mut all) = (None, Vec::new());
    for (name, value) in settings.pairs("headers") {
        let lower = name.to_ascii_lowercase();
        let place = format!("headers.{name}");
        if lower == "subject" {
            subject = Some(value);
        } else if !is_name(&name) {
            settings.wrong(&place, "is no name of a header".to_owned(), "write it like X-Team");
        } else if NOT_GIVEN.contains(&lower.as_str()) {
            settings.remark(format!("{place} is not used"));
        } else {
            all.push((name, value));
        }
    }
    (subject, all)
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= 70 && name.bytes().all(plain)
}

/// What may stand in a header: one line without control characters.
fn one_line(text: &str) -> String {
    cut(&page::spoken(text), HEADER)
}

impl Email {
    fn headers(&self, words: &Words<'_>) -> Vec<(String, String)> {
        let (note, telling) = (words.note, words.telling);
        let title = || page::title(note, telling);
        let mut subject = words.text(self.subject.as_deref(), "email.default.subject", title);
        subject = marked(subject, telling);
        let mut all = vec![
            ("Subject".to_owned(), one_line(&subject)),
            // The same at each attempt: who gets it twice sees it once.
            ("Message-ID".to_owned(), format!("<{}@insightdesk>", digest(&note.id))),
            // Nobody's holiday note is to answer.
            ("Auto-Submitted".to_owned(), "auto-generated".to_owned()),
        ];
        if let Some(threading) = &self.threading {
            let day = if threading.by_day { page::utc(note.created_at) } else { String::new() };
            let thread = digest(&format!("{} {}", note.group_key, day.get(..10).unwrap_or_default()));
            let thread = format!("<thread-{thread}@insightdesk>");
            all.extend([("References".to_owned(), thread.clone()), ("In-Reply-To".to_owned(), thread)]);
        }
        for (name, value) in &self.headers {
            if let Some(value) = words.filled(Some(value)) {
                all.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
                all.push((name.clone(), one_line(&value)));
            }
        }
        all
    }
}

/// Half of the SHA-256 in hexadecimal digits.
fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Kind for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.password.iter().collect()
    }

    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        let words = Words { note, telling, escape: Escape::None };
        let in_html = Words { note, telling, escape: Escape::Html };
        let address = |secret: &Secret| words.try_filled(secret.get()?).map(|text| one_line(&text));
        let (to, from) = (address(&self.to)?, address(&self.from)?);
        if to.is_empty() {
            return Err("to is empty after its template was filled in".to_owned());
        }
        let signs_in = self.username.as_ref().zip(self.password.as_ref());
        let own_text = || page::text(note, telling, Markup::Plain, OWN_TEXT);
        Ok(Message::Mail(Box::new(MailMessage {
            smarthost: self.smarthost.get()?.trim().to_owned(),
            hello: one_line(self.hello.get()?),
            username: signs_in.map(|(name, _)| name.get().map(str::to_owned)).transpose()?,
            password: signs_in.map(|(_, it)| it.get().map(secrecy::SecretString::from)).transpose()?,
            require_tls: self.require_tls,
            from,
            to,
            headers: self.headers(&words),
            html: in_html.text(self.html.as_deref(), "email.default.html", || look::html(note, telling)),
            text: words.text(self.text.as_deref(), "email.default.text", own_text),
        })))
    }
}
