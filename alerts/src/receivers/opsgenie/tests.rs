#![allow(clippy::unwrap_used)]

use secrecy::ExposeSecret;
use serde_json::json;

use super::super::samples::{
    firing, header, http, json as sent, judged, map, note, read, resolved, rubbish, telling, wrongs,
};
use super::super::{Integration, Telling, Verdict};
use super::*;

/// Without templates: these have tests of their own.
fn integration(more: Value) -> Integration {
    let mut settings = json!({"api_key": "k3yk3yk3y", "message": "api is down", "description": "all of it", "source": "ops"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    read("opsgenie_configs", &settings)
}

#[test]
fn an_alert_that_fires_is_created_under_its_alias() {
    let opsgenie = integration(json!({
        "details": {"team": "ops", "severity": "own"},
        "responders": [
            {"name": "web, db ,", "type": "teams"}, {"username": "a@example.com", "type": "User"}, {"id": "1", "type": "schedule"},
        ],
        "tags": "one, two,,", "actions": "restart", "note": "a note", "entity": "api", "priority": "p2",
    }));
    let message = http(&opsgenie, &note(vec![firing()]), &telling());
    let expected = json!({
        "alias": "0196a1",
        "message": "api is down",
        "description": "all of it",
        "source": "ops",
        "priority": "P2",
        "details": {
            "team": "ops", "severity": "own", "alertname": "ReplicaDown", "replica": "api/0",
            "Acknowledge": "https://ops.example/ack/t0k3n", "Runbook": "https://runbooks.example/down",
            "Expression": "https://ops.example/explore?q=up",
        },
        "responders": [
            {"name": "web", "type": "team"}, {"name": "db", "type": "team"},
            {"username": "a@example.com", "type": "user"}, {"id": "1", "type": "schedule"},
        ],
        "tags": ["one", "two"], "actions": ["restart"], "note": "a note", "entity": "api",
    });
    assert_eq!(sent(&message), expected);
    assert_eq!(message.url.expose_secret(), "https://api.opsgenie.com/v2/alerts");
    assert_eq!(header(&message, "authorization"), ["GenieKey k3yk3yk3y"]);
    assert!(opsgenie.one_alert_at_a_time());
}

#[test]
fn its_end_closes_it_by_the_alias() {
    let opsgenie = integration(json!({"api_url": "https://api.eu.opsgenie.com"}));
    let mut alert = resolved();
    alert.id = "a b/../c".to_owned();
    let message = http(&opsgenie, &note(vec![alert]), &telling());
    let url = "https://api.eu.opsgenie.com/v2/alerts/a%20b%2F..%2Fc/close?identifierType=alias";
    assert_eq!(message.url.expose_secret(), url);
    assert_eq!(sent(&message), json!({"source": "ops"}));
}

#[test]
fn what_opsgenie_would_refuse_is_cut() {
    let many = (0..30).map(|at| format!("{at}{}", "t".repeat(60))).collect::<Vec<_>>().join(",");
    let opsgenie = integration(json!({
        "message": "ä".repeat(500), "description": "d".repeat(20_000), "source": "s".repeat(200), "tags": many, "actions": many,
        "priority": "urgent", "note": "n".repeat(30_000), "entity": "e".repeat(600),
    }));
    let mut alert = firing();
    alert.labels = map(&[("severity", "critical"), ("large", &"x".repeat(9_000))]);
    let body = sent(&http(&opsgenie, &note(vec![alert]), &telling()));
    let length = |key: &str| body[key].as_str().unwrap().chars().count();
    for (key, most) in
        [("message", 130), ("description", 15_000), ("source", 100), ("note", 25_000), ("entity", 512)]
    {
        assert_eq!(length(key), most, "{key}");
    }
    for (key, most) in [("tags", 20), ("actions", 10)] {
        let words = body[key].as_array().unwrap();
        assert_eq!((words.len(), words[0].as_str().unwrap().chars().count()), (most, 50), "{key}");
    }
    assert_eq!(body["priority"], "P1");
    assert!(body["details"].get("large").is_none() && body["details"]["severity"] == "critical");
}

#[test]
fn without_a_message_the_alert_says_what_it_is() {
    let opsgenie = integration(json!({"message": " ", "description": "", "source": ""}));
    let body = sent(&http(&opsgenie, &note(vec![firing()]), &Telling { test: true, ..telling() }));
    assert_eq!(body["message"], "TEST FIRING: ReplicaDown (replica=api/0) [critical]");
    assert_eq!((&body["description"], &body["source"]), (&json!(""), &json!("")));
    // Nothing but the key is needed.
    let body =
        sent(&http(&read("opsgenie_configs", &json!({"api_key": "k"})), &note(vec![firing()]), &telling()));
    for key in ["message", "description", "source"] {
        assert!(!body[key].as_str().unwrap().is_empty(), "{body}");
    }
}

#[test]
fn keys_come_from_the_entry_or_the_global_section_and_are_not_shown() {
    let globals = Globals {
        section: json!({"opsgenie_api_key": "gl0balk3y", "opsgenie_api_url": "http://o.example/x/"}),
    };
    let opsgenie = Integration::read("opsgenie_configs", &json!({"source": "s"}), &globals).unwrap();
    let message = http(&opsgenie, &note(vec![firing()]), &telling());
    assert_eq!(header(&message, "authorization"), ["GenieKey gl0balk3y"]);
    assert_eq!(message.url.expose_secret(), "http://o.example/x/v2/alerts");
    let Verdict::Refused { detail } = judged(&opsgenie, 403, "bad gl0balk3y") else { unreachable!() };
    assert_eq!(detail, "403 bad [secret]");
    assert!(!format!("{opsgenie:?} {message:?}").contains("gl0balk3y"));
    assert!(matches!(judged(&opsgenie, 202, "{}"), Verdict::Delivered { .. }));
    assert!(matches!(judged(&opsgenie, 429, ""), Verdict::Failed { .. }));
    let opsgenie = read("opsgenie_configs", &json!({"api_key_file": "/run/key", "update_alerts": true}));
    assert_eq!(opsgenie.remarks(), [NOT_READ, "update_alerts is not used"]);
    assert_eq!(opsgenie.message(&note(vec![firing()]), &telling()).unwrap_err(), NOT_READ);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let told = wrongs(
        "opsgenie_configs",
        &json!({"responders": [{"type": "team"}, {"name": "a", "type": "robot"}], "prority": "P1"}),
    );
    let expected = [
        "api_key: is missing (write api_key: ${OPSGENIE_KEY})",
        "responders[0]: names nobody (write id, name or username)",
        "responders[1].type: \"robot\" is no kind of responder (write team, user, escalation or schedule)",
        "prority: is not known here (did you mean priority?)",
    ];
    assert_eq!(told, expected);
    rubbish("opsgenie_configs");
}
