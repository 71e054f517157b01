#![allow(clippy::unwrap_used)]

use secrecy::ExposeSecret;

use super::read::POST_MESSAGE;
use super::*;
use crate::receivers::page::tests::{alert, api_down, note, resolved, telling};
use crate::receivers::{Globals, Integration};
use crate::templates::Templates;

fn globals() -> Globals {
    Globals { section: json!({ "slack_api_url": "https://hooks.slack.com/services/T/B/s3cret" }) }
}

fn sent(settings: Value, note: &Notification) -> (String, Value) {
    let slack = Integration::read("slack_configs", &settings, &globals()).unwrap();
    let templates = Templates::default();
    let Message::Http(message) = slack.message(note, &telling(&templates)).unwrap() else { panic!() };
    (message.url.expose_secret().to_owned(), serde_json::from_slice(&message.body).unwrap())
}

#[test]
fn the_teams_own_settings_are_told_though_their_templates_do_not_exist() {
    let settings = json!({
        "channel": "#alerts-critical",
        "send_resolved": true,
        "title": "{{ template \"slack.title\" . }}",
        "text": "{{ template \"slack.text\" . }}",
    });
    let (url, body) = sent(settings, &api_down());
    assert_eq!(url, "https://hooks.slack.com/services/T/B/s3cret");
    assert_eq!(body["channel"], "#alerts-critical");
    let it = &body["attachments"][0];
    assert_eq!(it["title"], "FIRING: ApiDown (service=api) [critical]");
    assert_eq!(it["fallback"], it["title"]);
    assert_eq!(it["color"], "danger");
    assert_eq!(it["title_link"], "https://ops.example.org");
    assert!(it["text"].as_str().unwrap().contains("api answers nothing"));
    assert_eq!(it["actions"][0]["url"], "https://ops.example.org/ack/t0k");
}

#[test]
fn settings_replace_what_we_would_say() {
    let settings = json!({
        "api_url": "https://hooks.slack.com/services/own",
        "username": "ops", "icon_emoji": ":fire:", "title": "T", "text": "broken", "color": "#112233",
        "pretext": "P", "footer": "F", "title_link": "https://x/y", "message_text": "hello",
        "fields": [{ "title": "a", "value": 1 }, { "title": "b", "value": "{{ nosuch }}" }],
        "short_fields": true, "link_names": true,
        "actions": [{
            "type": "button", "text": "Go", "url": "https://x", "confirm": { "text": "sure?" }
        }],
    });
    let (url, body) = sent(settings, &api_down());
    assert_eq!(url, "https://hooks.slack.com/services/own");
    let wanted = json!({
        "username": "ops", "icon_emoji": ":fire:", "link_names": true, "text": "hello",
        "attachments": [{
            "title": "T", "title_link": "https://x/y", "text": "broken", "fallback": "T", "color": "#112233",
            "pretext": "P", "footer": "F", "mrkdwn_in": ["fallback", "pretext", "text"],
            "fields": [{ "title": "a", "value": "1", "short": true }],
            "actions": [{
                "type": "button", "text": "Go", "url": "https://x", "confirm": { "text": "sure?" }
            }],
        }],
    });
    assert_eq!(body, wanted);
}

#[test]
fn labels_ping_nobody_and_resolved_ones_are_green() {
    let all = note(vec![resolved(alert(&[("alertname", "<!channel> & <@U1>")], &[]))]);
    let (_, body) = sent(json!({}), &all);
    let it = &body["attachments"][0];
    assert_eq!(it["title"], "RESOLVED: &lt;!channel&gt; &amp; &lt;@U1&gt;");
    assert_eq!(it["color"], "good");
    assert!(!body.to_string().contains("<!channel"));
}

#[test]
fn addresses_stay_as_they_are_and_a_channel_that_fails_is_left_out() {
    let settings = json!({
        "channel": "{{ nosuch }}", "title_link": "{{ (index .Alerts 0).GeneratorURL }}&a=1",
        "footer": "{{ (index .Alerts 0).GeneratorURL }}",
        "actions": [{ "type": "button", "text": "Go", "url": "{{ (index .Alerts 0).GeneratorURL }}" }],
    });
    let mut all = api_down();
    all.alerts[0].generator_url = "https://x/?a=1&b=2".to_owned();
    let (_, body) = sent(settings, &all);
    assert_eq!(body.get("channel"), None);
    let it = &body["attachments"][0];
    assert_eq!(it["title_link"], "https://x/?a=1&b=2&a=1");
    assert_eq!(it["actions"][0]["url"], "https://x/?a=1&b=2");
    assert_eq!(it["footer"], "https://x/?a=1&amp;b=2");
}

#[test]
fn a_message_that_is_too_long_loses_its_fields() {
    let long = "x".repeat(30_000);
    let field = json!({ "title": "t", "value": "v".repeat(2000) });
    let settings = json!({ "text": long, "message_text": long, "fields": vec![field; 20] });
    let (_, body) = sent(settings, &api_down());
    assert!(body.to_string().chars().count() <= MESSAGE_LIMIT);
    assert_eq!(body["attachments"][0]["text"], long);
    assert_eq!((body.get("text"), body["attachments"][0].get("fields")), (None, None));
}

#[test]
fn an_app_posts_with_its_token() {
    let settings = json!({ "app_token": "xoxb-1", "channel": "C1" });
    let slack = Integration::read("slack_configs", &settings, &globals()).unwrap();
    let templates = Templates::default();
    let Message::Http(message) = slack.message(&api_down(), &telling(&templates)).unwrap() else { panic!() };
    assert_eq!(message.url.expose_secret(), POST_MESSAGE);
    let found = message.headers.iter().find(|(name, _)| name == "authorization").unwrap();
    assert_eq!(found.1.expose_secret(), "Bearer xoxb-1");
}

#[test]
fn a_secret_that_is_not_set_is_named_and_none_is_shown() {
    let globals = Globals { section: json!({ "slack_api_url": "${SLACK_WEBHOOK_URL}" }) };
    let slack = Integration::read("slack_configs", &json!({ "channel": "#a" }), &globals).unwrap();
    assert!(slack.remarks()[0].starts_with("SLACK_WEBHOOK_URL is not set"), "{:?}", slack.remarks());
    let templates = Templates::default();
    let error = slack.message(&api_down(), &telling(&templates)).unwrap_err();
    assert!(error.starts_with("SLACK_WEBHOOK_URL is not set"), "{error}");
    let settings = json!({ "api_url": "https://hooks.slack.com/s3cret" });
    let slack = Integration::read("slack_configs", &settings, &globals).unwrap();
    let message = slack.message(&api_down(), &telling(&templates)).unwrap();
    assert!(!format!("{slack:?}{message:?}").contains("s3cret"));
}

#[test]
fn faults_are_told_all_at_once() {
    let settings = json!({
        "chanel": "#a", "title": ["x"], "fields": [{ "titles": "x" }], "actions": 3, "short_fields": "perhaps"
    });
    let wrongs = Integration::read("slack_configs", &settings, &Globals::default()).unwrap_err();
    let told: Vec<String> = wrongs.iter().map(ToString::to_string).collect();
    for wanted in [
        "api_url: is missing",
        "chanel: is not known here (did you mean channel?)",
        "title: is a list",
        "fields[0].titles: is not known here (did you mean title?)",
        "actions: is not a list",
        "short_fields: ",
    ] {
        assert!(told.iter().any(|it| it.starts_with(wanted)), "{wanted}: {told:?}");
    }
    let both = json!({ "api_url": "https://a", "app_token": "x", "channel": "c" });
    assert!(Integration::read("slack_configs", &both, &Globals::default()).is_err());
}

#[test]
fn answers_of_slack_are_understood() {
    let slack = Integration::read("slack_configs", &json!({}), &globals()).unwrap();
    let judge = |status, body: &'static str| {
        slack.judge(&Answer { status, retry_after: Some(Duration::from_secs(3)), body: body.as_bytes() })
    };
    assert!(matches!(judge(200, "ok"), Verdict::Delivered { .. }));
    assert!(matches!(judge(200, "{\"ok\":true}"), Verdict::Delivered { .. }));
    assert!(matches!(judge(200, "{\"ok\":false,\"error\":\"channel_not_found\"}"), Verdict::Refused { .. }));
    assert!(matches!(judge(200, "{\"ok\":false,\"error\":\"ratelimited\"}"), Verdict::Failed { .. }));
    assert!(matches!(judge(404, "no_service"), Verdict::Refused { detail } if detail == "404 no_service"));
    let Verdict::Failed { wait, .. } = judge(429, "") else { panic!() };
    assert_eq!(wait, Some(Duration::from_secs(3)));
    assert_eq!(slack.rate_limit(), Some(Rate { count: 1, per: Duration::from_secs(1) }));
}

#[test]
fn rubbish_is_refused_or_harmless() {
    crate::receivers::samples::rubbish("slack_configs");
}
