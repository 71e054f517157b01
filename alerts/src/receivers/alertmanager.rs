//! `alertmanager_configs`: hands alerts on to an Alertmanager, as Prometheus does. Alertmanager itself has no such kind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ops_contract::{Notification, NotificationStatus, NotifiedAlert};
use serde::Serialize;
use serde_json::Value;

use super::http::{self, Http};
use super::settings::{Secret, Settings};
use super::webhook::rfc3339;
use super::{Globals, Kind, Message, Telling, Wrong, page};

/// Firing alerts are told again after `repeat_interval` only: until then the other side must not take them for resolved.
const EXPIRES_AFTER: Duration = Duration::from_hours(24);
const SHORTEST: Duration = Duration::from_mins(1);

#[derive(Debug)]
struct Alertmanager {
    send_resolved: bool,
    url: Option<Secret>,
    expires_after: Duration,
    http: Http,
    remarks: Vec<String>,
}

pub(super) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    let url = settings.secret("url");
    match &url {
        Some(url) => http::check_url(&settings, "url", url),
        None => {
            settings.wrong("url", "is missing".to_owned(), "write url: https://alertmanager.example:9093")
        }
    }
    let expires_after = settings.duration("expires_after").unwrap_or(EXPIRES_AFTER);
    if expires_after < SHORTEST {
        settings.wrong(
            "expires_after",
            "is shorter than a minute".to_owned(),
            "write more than repeat_interval",
        );
    }
    let mut alertmanager = Alertmanager {
        send_resolved: settings.flag("send_resolved", true),
        url,
        expires_after,
        http: Http::read(&settings),
        remarks: Vec::new(),
    };
    alertmanager.remarks = settings.finish()?;
    Ok(Arc::new(alertmanager))
}

impl Kind for Alertmanager {
    fn name(&self) -> &'static str {
        "alertmanager"
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }

    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        let base = self.url.as_ref().ok_or("url is missing")?.get()?;
        let base = base.trim().trim_end_matches('/').trim_end_matches("/api/v2/alerts");
        let url = http::below(base, &["api", "v2", "alerts"])?;
        let alerts: Vec<Alert<'_>> = note.alerts.iter().map(|alert| self.told(alert, telling)).collect();
        let body = serde_json::to_vec(&alerts).map_err(|error| error.to_string())?;
        self.http.post(url.as_str(), Vec::new(), body, telling)
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.url.iter().chain(self.http.secrets()).collect()
    }
}

/// What `POST /api/v2/alerts` takes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    annotations: BTreeMap<&'a str, &'a str>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

impl Alertmanager {
    fn told<'a>(&self, alert: &'a NotifiedAlert, telling: &Telling<'_>) -> Alert<'a> {
        let ends_at = match alert.status {
            NotificationStatus::Firing => telling.now + self.expires_after,
            NotificationStatus::Resolved => alert.ends_at.unwrap_or(telling.now),
        };
        let mut annotations = pairs(&alert.annotations);
        if telling.test {
            annotations.insert("test", "true");
        }
        Alert {
            labels: pairs(&alert.labels),
            annotations,
            starts_at: rfc3339(alert.starts_at),
            ends_at: rfc3339(ends_at),
            generator_url: page::address(&alert.generator_url),
        }
    }
}

fn pairs(map: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ops_contract::Timestamp;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::super::Verdict;
    use super::super::samples::{
        firing, header, http, json as sent, judged, note, read, resolved, rubbish, telling, wrongs,
    };
    use super::*;

    #[test]
    fn alerts_are_posted_as_prometheus_does() {
        let settings =
            json!({"url": "http://am.example:9093/prefix/", "http_config": {"bearer_token": "t0k3n-t0k3n"}});
        let alertmanager = read("alertmanager_configs", &settings);
        let message = http(&alertmanager, &note(vec![firing(), resolved()]), &telling());
        let expected = json!([
            {
                "labels": {"alertname": "ReplicaDown", "replica": "api/0", "severity": "critical"},
                "annotations": {"summary": "api/0 is down", "runbook_url": "https://runbooks.example/down"},
                "startsAt": "2026-05-04T02:52:01.5Z",
                "endsAt": "2026-05-05T03:02:01.5Z",
                "generatorURL": "https://ops.example/explore?q=up",
            },
            {
                "labels": {"alertname": "ReplicaDown", "replica": "api/1", "severity": "critical"},
                "annotations": {"summary": "api/1 is down", "runbook_url": "https://runbooks.example/down"},
                "startsAt": "2026-05-04T02:52:01.5Z",
                "endsAt": "2026-05-04T02:57:01.5Z",
                "generatorURL": "https://ops.example/explore?q=up",
            },
        ]);
        assert_eq!(sent(&message), expected);
        assert_eq!(message.url.expose_secret(), "http://am.example:9093/prefix/api/v2/alerts");
        assert_eq!(header(&message, "authorization"), ["Bearer t0k3n-t0k3n"]);
        let Verdict::Refused { detail } = judged(&alertmanager, 400, "no t0k3n-t0k3n") else {
            unreachable!()
        };
        assert_eq!(detail, "400 no [secret]");
    }

    #[test]
    fn the_address_may_be_the_whole_one_and_the_end_may_be_nearer() {
        let settings = json!({"url": "http://am.example/api/v2/alerts", "expires_after": "5m"});
        let alertmanager = read("alertmanager_configs", &settings);
        let mut alert = firing();
        alert.generator_url = String::new();
        let message = http(&alertmanager, &note(vec![alert]), &Telling { test: true, ..telling() });
        assert_eq!(message.url.expose_secret(), "http://am.example/api/v2/alerts");
        let alert = &sent(&message)[0];
        assert_eq!(
            (&alert["endsAt"], &alert["annotations"]["test"]),
            (&json!("2026-05-04T03:07:01.5Z"), &json!("true"))
        );
        assert!(alert.get("generatorURL").is_none());
        // An alert that ended, nobody knows when, ended now.
        let mut alert = resolved();
        alert.ends_at = None;
        let told = sent(&http(&alertmanager, &note(vec![alert]), &telling()));
        assert_eq!(told[0]["endsAt"], "2026-05-04T03:02:01.5Z");
    }

    #[test]
    fn rubbish_is_refused_or_harmless() {
        rubbish("alertmanager_configs");
        let told = wrongs("alertmanager_configs", &json!({"url": "gopher://a", "expires_after": "1s"}));
        let expected = [
            "url: only http and https are spoken (write it like https://hooks.example.com/path)",
            "expires_after: is shorter than a minute (write more than repeat_interval)",
        ];
        assert_eq!(told, expected);
        let alertmanager = read("alertmanager_configs", &json!({"url": "${AM_URL}"}));
        let far = Telling { now: Timestamp(i64::MAX), ..telling() };
        assert!(
            alertmanager.message(&note(vec![firing()]), &far).unwrap_err().starts_with("AM_URL is not set")
        );
    }
}
