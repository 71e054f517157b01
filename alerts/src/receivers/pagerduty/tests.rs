#![allow(clippy::unwrap_used)]

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::super::samples::{
    at, firing, http, json as sent, judged, map, note, read, resolved, rubbish, telling, wrongs,
};
use super::super::{Answer, Integration, Rate, Telling, Verdict};
use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Without templates: these have tests of their own.
fn integration(more: Value) -> Integration {
    let mut settings = json!({
        "routing_key": KEY, "description": "api is down", "client": "ops", "client_url": "https://ops.example/incidents",
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    read("pagerduty_configs", &settings)
}

#[test]
fn an_alert_that_fires_triggers_under_its_own_key() {
    let pagerduty = integration(json!({"class": "availability", "component": "api", "group": "front"}));
    let message = http(&pagerduty, &note(vec![firing()]), &telling());
    let expected = json!({
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "0196a1",
        "client": "ops",
        "client_url": "https://ops.example/incidents",
        "links": [
            {"href": "https://ops.example/ack/t0k3n", "text": "Acknowledge"},
            {"href": "https://runbooks.example/down", "text": "Runbook"},
            {"href": "https://ops.example/explore?q=up", "text": "Expression"},
        ],
        "payload": {
            "summary": "api is down",
            "source": "api/0",
            "severity": "critical",
            "timestamp": "2026-05-04T02:52:01.5Z",
            "class": "availability",
            "component": "api",
            "group": "front",
            "custom_details": {
                "labels": {"alertname": "ReplicaDown", "replica": "api/0", "severity": "critical"},
                "annotations": {"summary": "api/0 is down", "runbook_url": "https://runbooks.example/down"},
                "started_at": "2026-05-04T02:52:01.5Z",
            },
        },
    });
    assert_eq!(sent(&message), expected);
    assert_eq!(message.url.expose_secret(), "https://events.pagerduty.com/v2/enqueue");
    assert!(pagerduty.one_alert_at_a_time() && pagerduty.send_resolved());
    assert_eq!(pagerduty.rate_limit(), Some(Rate { count: 120, per: Duration::from_secs(60) }));
}

#[test]
fn its_end_resolves_under_the_same_key() {
    let mut alert = firing();
    alert.status = NotificationStatus::Resolved;
    alert.ends_at = Some(at(-60));
    let event = sent(&http(&integration(json!({})), &note(vec![alert]), &telling()));
    assert_eq!((&event["event_action"], &event["dedup_key"]), (&json!("resolve"), &json!("0196a1")));
    assert_eq!(event["payload"]["custom_details"]["resolved_at"], "2026-05-04T03:01:01.5Z");
    assert_eq!(event["links"][0]["text"], "Runbook");
}

#[test]
fn a_service_key_speaks_version_1() {
    let settings = json!({"service_key": KEY, "description": "api is down", "client": "ops", "client_url": "https://o/", "url": V2});
    let pagerduty = read("pagerduty_configs", &settings);
    let message = http(&pagerduty, &note(vec![firing()]), &telling());
    let expected = json!({
        "service_key": KEY,
        "event_type": "trigger",
        "incident_key": "0196a1",
        "description": "api is down",
        "client": "ops",
        "client_url": "https://o/",
        "details": {
            "labels": {"alertname": "ReplicaDown", "replica": "api/0", "severity": "critical"},
            "annotations": {"summary": "api/0 is down", "runbook_url": "https://runbooks.example/down"},
            "started_at": "2026-05-04T02:52:01.5Z",
        },
        "contexts": [
            {"type": "link", "href": "https://ops.example/ack/t0k3n", "text": "Acknowledge"},
            {"type": "link", "href": "https://runbooks.example/down", "text": "Runbook"},
            {"type": "link", "href": "https://ops.example/explore?q=up", "text": "Expression"},
        ],
    });
    assert_eq!(sent(&message), expected);
    assert_eq!(
        message.url.expose_secret(),
        "https://events.pagerduty.com/generic/2010-04-15/create_event.json"
    );
    let event = sent(&http(&pagerduty, &note(vec![resolved()]), &telling()));
    assert_eq!((&event["event_type"], &event["incident_key"]), (&json!("resolve"), &json!("0196a2")));
    assert!(event.get("client").is_none() && event.get("contexts").is_none());
    // Its rate limit is a 403.
    assert!(matches!(judged(&pagerduty, 403, ""), Verdict::Failed { .. }));
}

#[test]
fn the_severity_is_one_that_pagerduty_knows() {
    for (label, setting, expected) in [
        ("critical", None, "critical"),
        ("page", None, "critical"),
        ("warning", None, "warning"),
        ("none", None, "info"),
        ("strange", None, "error"),
        ("critical", Some("warning"), "warning"),
        ("critical", Some("strange"), "error"),
    ] {
        let pagerduty = integration(setting.map_or(json!({}), |it| json!({"severity": it})));
        let mut alert = firing();
        alert.labels.insert("severity".to_owned(), label.to_owned());
        let event = sent(&http(&pagerduty, &note(vec![alert]), &telling()));
        assert_eq!(event["payload"]["severity"], expected, "{label} {setting:?}");
    }
    let mut alert = firing();
    alert.labels = map(&[]);
    let event = sent(&http(&integration(json!({})), &note(vec![alert]), &telling()));
    assert_eq!(
        (&event["payload"]["severity"], &event["payload"]["source"]),
        (&json!("error"), &json!("insightdesk"))
    );
}

#[test]
fn own_details_links_and_images_are_told() {
    let pagerduty = integration(json!({
        "details": {"team": "ops", "annotations": "none", "n": 5, "list": ["a"]},
        "links": [{"href": "https://wiki.example/", "text": "Wiki"}, {"href": "javascript:1"}, {"text": "no address"}],
        "images": [{"src": "https://g.example/a.png", "alt": "graph", "href": "https://g.example/"}, {"src": "http://g.example/b.png"}],
        "source": "here",
    }));
    let event = sent(&http(&pagerduty, &note(vec![firing()]), &telling()));
    let details = &event["payload"]["custom_details"];
    assert_eq!(
        (&details["team"], &details["annotations"], &details["n"]),
        (&json!("ops"), &json!("none"), &json!(5))
    );
    assert_eq!(event["links"][0], json!({"href": "https://wiki.example/", "text": "Wiki"}));
    assert_eq!(event["links"].as_array().unwrap().len(), 4);
    assert_eq!(
        event["images"],
        json!([{"src": "https://g.example/a.png", "alt": "graph", "href": "https://g.example/"}])
    );
    assert_eq!(event["payload"]["source"], "here");
}

#[test]
fn consequences_and_tests_are_said() {
    let mut alert = firing();
    alert.folded = vec!["ServiceDown api".to_owned()];
    let test = Telling { test: true, ..telling() };
    let event = sent(&http(&integration(json!({})), &note(vec![alert]), &test));
    let details = &event["payload"]["custom_details"];
    assert_eq!((&details["consequences"], &details["test"]), (&json!(["ServiceDown api"]), &json!(true)));
    assert_eq!(event["payload"]["summary"], "[TEST] api is down");
}

#[test]
fn what_is_too_long_is_cut_and_what_is_too_large_loses_its_details() {
    let pagerduty = integration(json!({"description": "ä".repeat(2_000), "source": "b".repeat(2_000)}));
    let mut alert = firing();
    alert.annotations = map(&[("description", &"x".repeat(600_000))]);
    let message = http(&pagerduty, &note(vec![alert.clone()]), &telling());
    assert!(message.body.len() <= 512_000);
    let event = sent(&message);
    assert_eq!(event["payload"]["summary"].as_str().unwrap().chars().count(), 1_024);
    assert_eq!(event["payload"]["source"].as_str().unwrap().len(), 1_023 + "…".len());
    let left_out = json!({"error": "left out: the event was larger than 512000 bytes"});
    assert_eq!(event["payload"]["custom_details"], left_out);
    assert_eq!(event["links"].as_array().unwrap().len(), 2);
    // Then its links: what is wrong is told all the same.
    let many = vec![json!({"href": format!("https://{}", "x".repeat(1_900))}); 300];
    let pagerduty = integration(json!({"links": many}));
    let event = sent(&http(&pagerduty, &note(vec![alert.clone()]), &telling()));
    assert!(event.get("links").is_none() && event["event_action"] == "trigger");
    alert.id = "x".repeat(600_000);
    assert!(pagerduty.message(&note(vec![alert]), &telling()).unwrap_err().contains("512000"));
}

#[test]
fn without_any_setting_but_the_key_a_page_has_a_summary() {
    let pagerduty = read("pagerduty_configs", &json!({"routing_key": KEY}));
    let event = sent(&http(&pagerduty, &note(vec![firing()]), &telling()));
    for text in [&event["payload"]["summary"], &event["client"], &event["client_url"]] {
        assert!(!text.as_str().unwrap().is_empty(), "{event}");
    }
    assert!(pagerduty.message(&note(Vec::new()), &telling()).is_err());
}

#[test]
fn answers_mean_what_pagerduty_says() {
    let pagerduty = integration(json!({}));
    let answer = r#"{"status":"success","message":"Event processed","dedup_key":"0196a1"}"#;
    assert!(matches!(judged(&pagerduty, 202, answer), Verdict::Delivered { .. }));
    let answer = format!(
        r#"{{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is wrong","no {KEY}"]}}"#
    );
    let detail = "400 Event object is invalid: Length of 'routing_key' is wrong, no [secret]".to_owned();
    assert_eq!(judged(&pagerduty, 400, &answer), Verdict::Refused { detail });
    assert!(matches!(judged(&pagerduty, 400, "rubbish"), Verdict::Refused { .. }));
    assert!(matches!(judged(&pagerduty, 403, ""), Verdict::Refused { .. }));
    let wait = Some(Duration::from_secs(30));
    let verdict = pagerduty.judge(&Answer { status: 429, retry_after: wait, body: b"" });
    assert_eq!(verdict, Verdict::Failed { detail: "429".to_owned(), wait });
}

#[test]
fn keys_are_needed_and_not_shown() {
    let told = wrongs(
        "pagerduty_configs",
        &json!({"sevrity": "a", "url": "x", "details": [], "links": [{"hreff": "a"}]}),
    );
    let expected = [
        "routing_key: is missing (write routing_key: ${PAGERDUTY_KEY})",
        "url: this is no address such as https://example.com/path (write it like https://hooks.example.com/path)",
        "details: are not a map (write name: text)",
        "links[0].hreff: is not known here (did you mean href?)",
        "sevrity: is not known here (did you mean severity?)",
    ];
    assert_eq!(told, expected);
    let pagerduty = read("pagerduty_configs", &json!({"routing_key": "${PD_KEY}"}));
    assert_eq!(pagerduty.remarks(), ["PD_KEY is not set: what needs it is not sent until it is"]);
    assert!(
        pagerduty.message(&note(vec![firing()]), &telling()).unwrap_err().starts_with("PD_KEY is not set")
    );
    let pagerduty = read("pagerduty_configs", &json!({"routing_key_file": "/run/key"}));
    assert_eq!(pagerduty.remarks(), [NOT_READ]);
    assert_eq!(pagerduty.message(&note(vec![firing()]), &telling()).unwrap_err(), NOT_READ);
    let pagerduty = integration(json!({}));
    let message = pagerduty.message(&note(vec![firing()]), &telling()).unwrap();
    assert!(!format!("{pagerduty:?} {message:?}").contains(KEY));
}

#[test]
fn rubbish_is_refused_or_harmless() {
    rubbish("pagerduty_configs");
}
