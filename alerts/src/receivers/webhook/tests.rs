#![allow(clippy::unwrap_used)]

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::super::samples::{
    firing, header, http, json as sent, judged, map, note, read, resolved, rubbish, telling, wrongs,
};
use super::super::{Answer, Globals, Integration, Verdict};
use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

#[test]
fn the_body_is_version_4_of_alertmanagers() {
    let webhook = read("webhook_configs", &json!({"url": "https://hooks.example/a?b=c"}));
    let message = http(&webhook, &note(vec![firing(), resolved()]), &telling());
    let expected = concat!(
        r#"{"receiver":"critical","status":"firing","alerts":["#,
        r#"{"status":"firing","labels":{"alertname":"ReplicaDown","replica":"api/0","severity":"critical"},"#,
        r#""annotations":{"runbook_url":"https://runbooks.example/down","summary":"api/0 is down"},"#,
        r#""startsAt":"2026-05-04T02:52:01.5Z","endsAt":"0001-01-01T00:00:00Z","#,
        r#""generatorURL":"https://ops.example/explore?q=up","fingerprint":"0123456789abcdef"},"#,
        r#"{"status":"resolved","labels":{"alertname":"ReplicaDown","replica":"api/1","severity":"critical"},"#,
        r#""annotations":{"runbook_url":"https://runbooks.example/down","summary":"api/1 is down"},"#,
        r#""startsAt":"2026-05-04T02:52:01.5Z","endsAt":"2026-05-04T02:57:01.5Z","#,
        r#""generatorURL":"https://ops.example/explore?q=up","fingerprint":"fedcba9876543210"}],"#,
        r#""notification_reason":"first notification","groupLabels":{"alertname":"ReplicaDown"},"#,
        r#""commonLabels":{"alertname":"ReplicaDown","severity":"critical"},"#,
        r#""commonAnnotations":{"runbook_url":"https://runbooks.example/down"},"routeLabels":{},"#,
        r#""externalURL":"https://ops.example","version":"4","groupKey":"{}:{alertname=\"ReplicaDown\"}","#,
        r#""truncatedAlerts":0}"#,
    );
    assert_eq!(String::from_utf8(message.body).unwrap(), expected);
    assert_eq!(
        (message.method.as_str(), message.url.expose_secret()),
        ("POST", "https://hooks.example/a?b=c")
    );
    assert_eq!((message.timeout, message.allow_private), (Duration::from_secs(15), false));
    assert_eq!(
        (webhook.kind(), webhook.send_resolved(), webhook.one_alert_at_a_time()),
        ("webhook", true, false)
    );
}

#[test]
fn the_headers_name_the_notification_and_not_the_attempt() {
    let webhook = read("webhook_configs", &json!({"url": "https://hooks.example/"}));
    let first = http(&webhook, &note(vec![firing()]), &telling());
    let second = http(&webhook, &note(vec![firing()]), &Telling { now: Timestamp(1_999_999), ..telling() });
    for message in [&first, &second] {
        assert_eq!(header(message, "webhook-id"), ["note-1"]);
        assert_eq!(header(message, "content-type"), ["application/json"]);
        assert_eq!(header(message, "user-agent"), ["insightdesk/1.2.3"]);
        assert_eq!(header(message, "webhook-signature"), Vec::<&str>::new());
        assert_eq!(header(message, "insightdesk-test"), Vec::<&str>::new());
    }
    assert_eq!(header(&first, "webhook-timestamp"), ["1777863721"]);
    assert_eq!(header(&second, "webhook-timestamp"), ["1"]);
    assert_eq!(first.body, second.body);
}

#[test]
fn a_test_is_marked_as_one() {
    let webhook = read("webhook_configs", &json!({"url": "https://hooks.example/"}));
    let message = http(&webhook, &note(vec![firing()]), &Telling { test: true, ..telling() });
    assert_eq!(header(&message, "insightdesk-test"), ["true"]);
    assert_eq!(sent(&message)["notification_reason"], "test");
}

#[test]
fn every_secret_signs_and_an_independent_verifier_agrees() {
    let settings = json!({"url": "https://hooks.example/", "signing_secrets": [SECRET, OLD_SECRET]});
    let now = jiff::Timestamp::now().as_microsecond();
    let message = http(
        &read("webhook_configs", &settings),
        &note(vec![firing()]),
        // The verifier takes what is at most five minutes old.
        &Telling { now: Timestamp(now), ..telling() },
    );
    let mut headers = standardwebhooks_headers(&message);
    for secret in [SECRET, OLD_SECRET] {
        let verifier = standardwebhooks::Webhook::new(secret).unwrap();
        verifier.verify(&message.body, &headers).unwrap();
    }
    let stranger = standardwebhooks::Webhook::new(&format!("whsec_{}", "QUFB".repeat(8))).unwrap();
    assert!(stranger.verify(&message.body, &headers).is_err());
    headers.insert("webhook-id", "note-2".parse().unwrap());
    assert!(standardwebhooks::Webhook::new(SECRET).unwrap().verify(&message.body, &headers).is_err());
}

fn standardwebhooks_headers(message: &super::super::HttpMessage) -> ::http::HeaderMap {
    let mut headers = ::http::HeaderMap::new();
    for (name, value) in &message.headers {
        let name: ::http::HeaderName = name.parse().unwrap();
        headers.insert(name, value.expose_secret().parse().unwrap());
    }
    headers
}

#[test]
fn alerts_beyond_the_most_are_counted() {
    let webhook = read("webhook_configs", &json!({"url": "https://hooks.example/", "max_alerts": 1}));
    let mut note = note(vec![firing(), resolved()]);
    note.truncated = 3;
    let body = sent(&http(&webhook, &note, &telling()));
    assert_eq!((body["alerts"].as_array().unwrap().len(), &body["truncatedAlerts"]), (1, &json!(4)));
    assert_eq!(body["commonLabels"]["replica"], "api/0");
}

#[test]
fn a_body_that_is_too_large_has_fewer_alerts() {
    let webhook = read("webhook_configs", &json!({"url": "https://hooks.example/"}));
    let large = || {
        let mut alert = firing();
        alert.annotations = map(&[("description", &"x".repeat(300_000))]);
        alert
    };
    let message = http(&webhook, &note((0..10).map(|_| large()).collect()), &telling());
    assert!(message.body.len() <= http::LARGEST);
    assert_eq!(sent(&message)["truncatedAlerts"], 8);
    let mut alert = large();
    alert.annotations = map(&[("description", &"x".repeat(2_000_000))]);
    assert!(webhook.message(&note(vec![alert]), &telling()).unwrap_err().contains("one alert"));
}

#[test]
fn a_payload_of_ones_own_replaces_the_body() {
    let payload = json!({"text": "hello", "list": [1, true, null, {"a": "b"}]});
    let webhook = read("webhook_configs", &json!({"url": "https://hooks.example/", "payload": payload}));
    assert_eq!(sent(&http(&webhook, &note(vec![firing()]), &telling())), payload);
    // One text is a template for the whole JSON.
    let webhook = read("webhook_configs", &json!({"url": "https://hooks.example/", "payload": "no JSON"}));
    assert!(webhook.message(&note(vec![firing()]), &telling()).unwrap_err().contains("no JSON"));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mut deep = json!("x");
    for _ in 0..40 {
        deep = json!([deep]);
    }
    let told = wrongs(
        "webhook_configs",
        &json!({
            "url": "ftp://hooks.example/k3y",
            "signing_secrets": ["whsec_k3y"],
            "payload": deep,
            "headers": {"Webhook-Id": "a", "a b": "c", "x": "a\r\nk3y: b"},
            "max_alert": 1,
        }),
    );
    let expected = [
        "headers.Webhook-Id: is set by us (remove it)",
        "headers.a b: is no name of a header (write it like X-Team)",
        "headers.x: has a line break or another character that no header carries (write it on one line, in ASCII)",
        "url: only http and https are spoken (write it like https://hooks.example.com/path)",
        "payload: is nested deeper than 32 levels (make it flatter)",
        "signing_secrets[0]: a signing secret is base64 after its whsec_ (make one with: echo whsec_$(openssl rand -base64 32))",
        "max_alert: is not known here (did you mean max_alerts?)",
    ];
    assert_eq!(told, expected);
    assert_eq!(wrongs("webhook_configs", &json!({})), ["url: is missing (write url: https://…)"]);
    let told = wrongs("webhook_configs", &json!({"url": "https://a.example/", "url_file": "/a"}));
    assert_eq!(told, ["url_file: stands beside url (keep one of them)"]);
}

#[test]
fn a_variable_that_is_not_set_is_a_remark_and_fails_when_it_is_needed() {
    for settings in [
        json!({"url": "${HOOK}"}),
        json!({"url": "https://a.example/", "signing_secrets": [SECRET, "${HOOK}"]}),
        json!({"url": "https://a.example/", "headers": {"x-key": "${HOOK}"}}),
        json!({"url": "https://a.example/", "http_config": {"authorization": {"credentials": "${HOOK}"}}}),
        json!({"url": "https://a.example/", "payload": {"key": "${HOOK}"}}),
    ] {
        let webhook = read("webhook_configs", &settings);
        assert!(webhook.remarks().iter().any(|it| it.starts_with("HOOK is not set")), "{settings}");
        let told = webhook.message(&note(vec![firing()]), &telling()).unwrap_err();
        assert!(told.contains("HOOK is not set"), "{settings}: {told}");
    }
    let webhook = read("webhook_configs", &json!({"url_file": "/run/secrets/url"}));
    assert_eq!(webhook.remarks(), ["url_file is not read here: write url: ${NAME}"]);
    assert!(webhook.message(&note(vec![firing()]), &telling()).is_err());
}

#[test]
fn nothing_secret_is_shown() {
    let settings = json!({
        "url": "https://hooks.example/t0ps3cret", "signing_secrets": [SECRET], "payload": {"key": "t0ps3cret"},
        "headers": {"x-key": "t0ps3cret"}, "http_config": {"basic_auth": {"username": "t0ps3cret", "password": "t0ps3cret"}},
    });
    let webhook = read("webhook_configs", &settings);
    let message = webhook.message(&note(vec![firing()]), &telling()).unwrap();
    let shown = format!("{webhook:?} {:?}", webhook.remarks());
    assert!(!shown.contains("t0ps3cret") && !shown.contains("MfKQ"), "{shown}");
    assert!(!format!("{message:?}").contains("t0ps3cret"));
    let Verdict::Refused { detail } = judged(&webhook, 404, "Cannot POST /t0ps3cret") else { unreachable!() };
    assert_eq!(detail, "404 Cannot POST [secret]");
}

#[test]
fn what_may_work_later_is_tried_again_and_the_rest_is_refused() {
    let webhook = read("webhook_configs", &json!({"url": "https://hooks.example/"}));
    for status in [200, 202, 204] {
        assert!(matches!(judged(&webhook, status, "ok"), Verdict::Delivered { .. }), "{status}");
    }
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert!(matches!(judged(&webhook, status, ""), Verdict::Failed { .. }), "{status}");
    }
    for status in [301, 302, 307, 400, 401, 403, 404, 410, 422] {
        assert!(matches!(judged(&webhook, status, ""), Verdict::Refused { .. }), "{status}");
    }
    let wait = Some(Duration::from_secs(7));
    let answer = Answer { status: 429, retry_after: wait, body: b"slow\n down" };
    assert_eq!(webhook.judge(&answer), Verdict::Failed { detail: "429 slow down".to_owned(), wait });
    let Verdict::Refused { detail } = judged(&webhook, 400, &"ä".repeat(9_000)) else { unreachable!() };
    assert_eq!(detail.chars().count(), 500);
}

#[test]
fn rubbish_is_refused_or_harmless() {
    rubbish("webhook_configs");
    let webhook = read("webhook_configs", &json!({"url": "https://a.example/", "send_resolved": false}));
    assert!(!webhook.send_resolved());
    for at in [i64::MIN, i64::MAX, -1] {
        let mut alert = firing();
        alert.starts_at = Timestamp(at);
        let telling = Telling { now: Timestamp(at), ..telling() };
        assert!(webhook.message(&note(vec![alert]), &telling).is_ok(), "{at}");
    }
}

#[test]
fn the_global_section_says_how_to_ask_where_the_entry_does_not() {
    let section = json!({"http_config": {"bearer_token": "t"}});
    let settings = json!({"url": "https://a.example/"});
    let webhook =
        Integration::read("webhook_configs", &settings, &Globals { section: section.clone() }).unwrap();
    assert_eq!(header(&http(&webhook, &note(vec![firing()]), &telling()), "authorization"), ["Bearer t"]);
    let settings = json!({"url": "https://a.example/", "http_config": {}});
    let webhook = Integration::read("webhook_configs", &settings, &Globals { section }).unwrap();
    assert_eq!(
        header(&http(&webhook, &note(vec![firing()]), &telling()), "authorization"),
        Vec::<&str>::new()
    );
}
