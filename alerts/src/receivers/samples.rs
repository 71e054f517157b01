//! What the tests of all kinds send.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ops_contract::{Notification, NotificationReason, NotificationStatus, NotifiedAlert, Timestamp};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Answer, Globals, HttpMessage, Integration, Message, Telling, Verdict};
use crate::templates::Templates;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::default);

pub(super) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// 2026-05-04T03:02:01.5Z and `seconds` later.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp((1_777_863_721 + seconds) * 1_000_000 + 500_000)
}

/// Since ten minutes `api/0` is down.
pub(super) fn firing() -> NotifiedAlert {
    NotifiedAlert {
        id: "0196a1".to_owned(),
        fingerprint: "0123456789abcdef".to_owned(),
        status: NotificationStatus::Firing,
        labels: map(&[("alertname", "ReplicaDown"), ("replica", "api/0"), ("severity", "critical")]),
        annotations: map(&[("summary", "api/0 is down"), ("runbook_url", "https://runbooks.example/down")]),
        starts_at: at(-600),
        ends_at: None,
        generator_url: "https://ops.example/explore?q=up".to_owned(),
        folded: Vec::new(),
    }
}

/// `api/1` was down for five minutes.
pub(super) fn resolved() -> NotifiedAlert {
    NotifiedAlert {
        id: "0196a2".to_owned(),
        fingerprint: "fedcba9876543210".to_owned(),
        status: NotificationStatus::Resolved,
        labels: map(&[("alertname", "ReplicaDown"), ("replica", "api/1"), ("severity", "critical")]),
        annotations: map(&[("summary", "api/1 is down"), ("runbook_url", "https://runbooks.example/down")]),
        starts_at: at(-600),
        ends_at: Some(at(-300)),
        generator_url: "https://ops.example/explore?q=up".to_owned(),
        folded: Vec::new(),
    }
}

/// Something fires if anything of it does.
pub(super) fn note(alerts: Vec<NotifiedAlert>) -> Notification {
    let fires = alerts.iter().any(|alert| alert.status == NotificationStatus::Firing);
    Notification {
        id: "note-1".to_owned(),
        receiver: "critical".to_owned(),
        group_key: "{}:{alertname=\"ReplicaDown\"}".to_owned(),
        group_labels: map(&[("alertname", "ReplicaDown")]),
        status: if fires { NotificationStatus::Firing } else { NotificationStatus::Resolved },
        reason: NotificationReason::FirstNotification,
        alerts,
        truncated: 0,
        incident: Some("inc-1".to_owned()),
        created_at: at(-1),
    }
}

/// The first attempt.
pub(super) fn telling() -> Telling<'static> {
    Telling {
        templates: &TEMPLATES,
        external_url: "https://ops.example",
        now: at(0),
        version: "1.2.3",
        ack_url: Some("https://ops.example/ack/t0k3n"),
        test: false,
    }
}

pub(super) fn read(kind: &str, settings: &Value) -> Integration {
    Integration::read(kind, settings, &Globals::default()).unwrap()
}

/// All that is wrong, a line each.
pub(super) fn wrongs(kind: &str, settings: &Value) -> Vec<String> {
    let wrongs = Integration::read(kind, settings, &Globals::default()).unwrap_err();
    wrongs.iter().map(ToString::to_string).collect()
}

pub(super) fn http(integration: &Integration, note: &Notification, telling: &Telling<'_>) -> HttpMessage {
    match integration.message(note, telling).unwrap() {
        Message::Http(message) => message,
        other => panic!("{other:?}"),
    }
}

pub(super) fn json(message: &HttpMessage) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

/// All values of a header.
pub(super) fn header<'m>(message: &'m HttpMessage, name: &str) -> Vec<&'m str> {
    let named = message.headers.iter().filter(|(it, _)| it == name);
    named.map(|(_, value)| value.expose_secret()).collect()
}

pub(super) fn judged(integration: &Integration, status: u16, body: &str) -> Verdict {
    integration.judge(&Answer { status, retry_after: None, body: body.as_bytes() })
}

/// Settings that no kind may panic on, and that none may take.
pub(super) fn rubbish(kind: &str) {
    let values = [
        "null",
        "true",
        "-1",
        "1e308",
        "\"\"",
        "\"{{\"",
        "\"${X\"",
        "\"${X}\"",
        "[]",
        "[[{}]]",
        "{}",
        "{\"a\":{}}",
    ];
    let keys = [
        "url",
        "api_url",
        "api_key",
        "routing_key",
        "webhook_url",
        "threading",
        "smarthost",
        "from",
        "to",
        "text",
        "title",
        "actions",
        "fields",
        "channel",
        "service_key",
        "timeout",
        "payload",
        "headers",
        "http_config",
        "signing_secrets",
        "max_alerts",
        "details",
        "images",
        "links",
        "responders",
        "send_resolved",
        "zz",
    ];
    for value in values {
        let value: Value = serde_json::from_str(value).unwrap();
        let _ = Integration::read(kind, &value, &Globals { section: value.clone() });
        for key in keys {
            let mut settings = serde_json::Map::from_iter([(key.to_owned(), value.clone())]);
            let globals = Globals { section: Value::Object(settings.clone()) };
            for more in [None, Some("url"), Some("routing_key"), Some("api_key")] {
                if let Some(more) = more.filter(|more| *more != key) {
                    settings.insert(more.to_owned(), Value::from("https://a.example/"));
                }
                if let Ok(read) = Integration::read(kind, &Value::Object(settings.clone()), &globals) {
                    assert!(key != "zz" || value.is_null(), "{kind} takes a key that nobody knows");
                    let _ = read.message(&note(vec![firing(), resolved()]), &telling());
                    let _ = read.message(&note(Vec::new()), &telling());
                }
            }
        }
    }
    let read = |settings: &str| {
        Integration::read(kind, &serde_json::from_str(settings).unwrap(), &Globals::default())
    };
    assert!(read("[]").is_err() && read("\"x\"").is_err() && read("{\"zz\": 1}").is_err());
}
