//! `webhook_configs`: Alertmanager's JSON by HTTP, or a JSON of one's own; signed after Standard Webhooks where there is a secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_contract::{Notification, NotificationReason, NotificationStatus, NotifiedAlert, Timestamp};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use super::http::{self, Http};
use super::payload::Payload;
use super::settings::{Secret, Settings};
use super::signature::SigningKey;
use super::{Globals, Kind, Message, Telling, Wrong};

/// Most secrets that sign at the same time.
const MOST_SECRETS: usize = 10;
/// What Alertmanager says of an alert that has not ended.
const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Debug)]
struct Webhook {
    send_resolved: bool,
    url: Option<Secret>,
    http: Http,
    /// 0: all.
    max_alerts: usize,
    payload: Option<Payload>,
    signing_secrets: Vec<Secret>,
    remarks: Vec<String>,
}

pub(super) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    let mut http = Http::read(&settings);
    http.add_headers(&settings, "headers");
    let mut webhook = Webhook {
        send_resolved: settings.flag("send_resolved", true),
        url: url(&settings),
        http,
        max_alerts: settings
            .number("max_alerts")
            .map_or(0, |most| usize::try_from(most).unwrap_or(usize::MAX)),
        payload: Payload::read(&settings, "payload"),
        signing_secrets: signing_secrets(&settings),
        remarks: Vec::new(),
    };
    webhook.remarks = settings.finish()?;
    Ok(Arc::new(webhook))
}

fn url(settings: &Settings<'_>) -> Option<Secret> {
    let in_file = settings.value("url_file").is_some();
    let url = settings.secret("url");
    match &url {
        Some(_) if in_file => {
            settings.wrong("url_file", "stands beside url".to_owned(), "keep one of them");
        }
        Some(url) => http::check_url(settings, "url", url),
        None if in_file => settings.remark("url_file is not read here: write url: ${NAME}".to_owned()),
        None => settings.wrong("url", "is missing".to_owned(), "write url: https://…"),
    }
    url
}

fn signing_secrets(settings: &Settings<'_>) -> Vec<Secret> {
    let secrets: Vec<Secret> = settings.texts("signing_secrets").into_iter().map(Secret::new).collect();
    if secrets.len() > MOST_SECRETS {
        let problem = format!("there are more than {MOST_SECRETS}");
        settings.wrong("signing_secrets", problem, "keep the new one and the one before it");
    }
    for (at, secret) in secrets.iter().enumerate() {
        if let Ok(secret) = secret.get()
            && let Err(problem) = SigningKey::parse(secret)
        {
            let fix = "make one with: echo whsec_$(openssl rand -base64 32)";
            settings.wrong(&format!("signing_secrets[{at}]"), problem.to_owned(), fix);
        }
    }
    secrets
}

impl Kind for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        let url = self.url.as_ref().ok_or("url_file is not read here: write url: ${NAME}")?.get()?;
        let rendered;
        let url = if url.contains("{{") {
            // What the template engine says of it may show the address.
            let text = telling.templates.render(url, false, note, telling);
            rendered = text.map_err(|_| "the template in url cannot be filled in".to_owned())?;
            &rendered
        } else {
            url
        };
        let body = match &self.payload {
            Some(payload) => payload.body(note, telling)?,
            None => body(note, telling, self.max_alerts)?,
        };
        let headers = self.signed(note, telling, &body)?;
        self.http.post(url, headers, body, telling)
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.url.iter().chain(&self.signing_secrets).chain(self.http.secrets()).collect()
    }
}

impl Webhook {
    /// The headers of Standard Webhooks. Without a secret they still let the receiver see what it has had before.
    fn signed(
        &self,
        note: &Notification,
        telling: &Telling<'_>,
        body: &[u8],
    ) -> Result<Vec<(String, SecretString)>, String> {
        let seconds = telling.now.0.div_euclid(1_000_000);
        let mut headers = vec![
            ("webhook-id".to_owned(), SecretString::from(note.id.as_str())),
            ("webhook-timestamp".to_owned(), SecretString::from(seconds.to_string())),
        ];
        let mut signatures = Vec::new();
        for secret in &self.signing_secrets {
            signatures.push(SigningKey::parse(secret.get()?)?.sign(&note.id, seconds, body));
        }
        if !signatures.is_empty() {
            headers.push(("webhook-signature".to_owned(), SecretString::from(signatures.join(" "))));
        }
        Ok(headers)
    }
}

/// Version 4 of Alertmanager's webhook.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    receiver: &'a str,
    status: NotificationStatus,
    alerts: Vec<Alert<'a>>,
    #[serde(rename = "notification_reason")]
    notification_reason: &'static str,
    group_labels: &'a BTreeMap<String, String>,
    common_labels: BTreeMap<&'a str, &'a str>,
    common_annotations: BTreeMap<&'a str, &'a str>,
    route_labels: BTreeMap<&'a str, &'a str>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'static str,
    group_key: &'a str,
    truncated_alerts: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    status: NotificationStatus,
    labels: &'a BTreeMap<String, String>,
    annotations: &'a BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: &'a str,
}

/// As many alerts as are wanted and fit into the largest body.
fn body(note: &Notification, telling: &Telling<'_>, max_alerts: usize) -> Result<Vec<u8>, String> {
    let mut most = if max_alerts == 0 { usize::MAX } else { max_alerts }.min(note.alerts.len());
    loop {
        let bytes = encoded(note, telling, most)?;
        if bytes.len() <= http::LARGEST {
            return Ok(bytes);
        }
        if most <= 1 {
            return Err(format!("one alert is larger than {} bytes", http::LARGEST));
        }
        most /= 2;
    }
}

fn encoded(note: &Notification, telling: &Telling<'_>, most: usize) -> Result<Vec<u8>, String> {
    let alerts: Vec<&NotifiedAlert> = note.alerts.iter().take(most).collect();
    let body = Body {
        receiver: &note.receiver,
        status: note.status,
        notification_reason: reason(note, telling),
        group_labels: &note.group_labels,
        common_labels: in_all(&alerts, |alert| &alert.labels),
        common_annotations: in_all(&alerts, |alert| &alert.annotations),
        route_labels: BTreeMap::new(),
        external_url: telling.external_url,
        version: "4",
        group_key: &note.group_key,
        truncated_alerts: note.truncated + (note.alerts.len() - alerts.len()) as u64,
        alerts: alerts.iter().map(|alert| told(alert)).collect(),
    };
    serde_json::to_vec(&body).map_err(|error| format!("the message cannot be written as JSON: {error}"))
}

fn told(alert: &NotifiedAlert) -> Alert<'_> {
    Alert {
        status: alert.status,
        labels: &alert.labels,
        annotations: &alert.annotations,
        starts_at: rfc3339(alert.starts_at),
        ends_at: alert.ends_at.map_or_else(|| NEVER.to_owned(), rfc3339),
        generator_url: &alert.generator_url,
        fingerprint: &alert.fingerprint,
    }
}

/// What all of them have in common.
pub(super) fn in_all<'a>(
    alerts: &[&'a NotifiedAlert],
    of: impl Fn(&NotifiedAlert) -> &BTreeMap<String, String>,
) -> BTreeMap<&'a str, &'a str> {
    let Some((first, rest)) = alerts.split_first() else { return BTreeMap::new() };
    let pairs =
        of(first).iter().filter(|(name, value)| rest.iter().all(|it| of(it).get(*name) == Some(*value)));
    pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// A moment as RFC 3339 in UTC, with as many decimals as it has.
pub(super) fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| NEVER.to_owned(), |at| at.to_string())
}

/// Why it is told, in Alertmanager's words where it has any.
pub(crate) fn reason(note: &Notification, telling: &Telling<'_>) -> &'static str {
    if telling.test {
        return "test";
    }
    match note.reason {
        NotificationReason::FirstNotification => "first notification",
        NotificationReason::NewAlerts => "new alerts added",
        NotificationReason::SomeResolved => "some alerts resolved",
        NotificationReason::AllResolved => "all alerts resolved",
        NotificationReason::Repeat => "repeat interval elapsed",
        NotificationReason::Acknowledged => "acknowledged",
        NotificationReason::Escalation => "escalation",
        NotificationReason::Fallback => "fallback",
        NotificationReason::Test => "test",
    }
}

#[cfg(test)]
mod tests;
