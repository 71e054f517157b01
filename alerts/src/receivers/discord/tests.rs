#![allow(clippy::unwrap_used)]

use secrecy::ExposeSecret;

use super::*;
use crate::receivers::Integration;
use crate::receivers::page::tests::{alert, api_down, note, telling};
use crate::templates::Templates;

const URL: &str = "https://discord.com/api/webhooks/1/t0ken";

fn sent(settings: &Value, note: &Notification) -> (String, Value) {
    let discord = Integration::read("discord_configs", settings, &Globals::default()).unwrap();
    let templates = Templates::default();
    let Message::Http(message) = discord.message(note, &telling(&templates)).unwrap() else { panic!() };
    (message.url.expose_secret().to_owned(), serde_json::from_slice(&message.body).unwrap())
}

#[test]
fn a_page_is_an_embed_that_mentions_nobody() {
    let (url, body) = sent(&json!({ "webhook_url": URL }), &api_down());
    assert_eq!(url, format!("{URL}?wait=true"));
    assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
    assert_eq!(body.get("content"), None);
    let it = &body["embeds"][0];
    assert_eq!(it["title"], "FIRING: ApiDown (service=api) [critical]");
    assert_eq!(it["color"], 0xda_3633);
    assert_eq!(it["url"], "https://ops.example.org");
    let text = it["description"].as_str().unwrap();
    assert!(text.starts_with("**ApiDown** [critical] service=api\nFiring since <t:1795402020:f>"), "{text}");
}

#[test]
fn settings_replace_what_we_would_say_and_limits_hold() {
    let settings = json!({
        "webhook_url": format!("{URL}?thread_id=5"), "title": "t".repeat(300), "message": "m".repeat(5000),
        "content": "c".repeat(3000), "username": "u".repeat(100), "avatar_url": "https://x/a.png",
    });
    let (url, body) = sent(&settings, &api_down());
    assert_eq!(url, format!("{URL}?thread_id=5&wait=true"));
    let length = |it: &Value| it.as_str().unwrap().chars().count();
    assert_eq!(length(&body["embeds"][0]["title"]), 256);
    assert_eq!(length(&body["embeds"][0]["description"]), 4096);
    assert_eq!((length(&body["content"]), length(&body["username"])), (2000, 80));
    let long = "x_".repeat(2000);
    let (_, body) = sent(
        &json!({ "webhook_url": URL }),
        &note(vec![alert(&[("alertname", &long)], &[("description", &long)]); 40]),
    );
    assert!(length(&body["embeds"][0]["description"]) <= 4096);
    assert!(length(&body["embeds"][0]["title"]) <= 256);
}

#[test]
fn faults_are_told_and_nothing_secret_is_shown() {
    let settings = json!({ "webhok_url": URL });
    let wrongs = Integration::read("discord_configs", &settings, &Globals::default()).unwrap_err();
    let told: Vec<String> = wrongs.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("webhook_url: is missing"), "{told:?}");
    assert!(told[1].contains("did you mean webhook_url?"), "{told:?}");
    let settings = json!({ "webhook_url": URL });
    let discord = Integration::read("discord_configs", &settings, &Globals::default()).unwrap();
    assert!(!format!("{discord:?}").contains("t0ken"));
}

#[test]
fn it_waits_as_long_as_discord_says() {
    let settings = json!({ "webhook_url": URL });
    let discord = Integration::read("discord_configs", &settings, &Globals::default()).unwrap();
    let wait = |body: &'static str| {
        let answer = Answer { status: 429, retry_after: None, body: body.as_bytes() };
        match discord.judge(&answer) {
            Verdict::Failed { wait, .. } => wait,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(wait("{\"retry_after\": 0.75}"), Some(Duration::from_millis(750)));
    assert_eq!(wait("{\"retry_after\": -1}"), None);
    assert_eq!(wait("{\"retry_after\": 1e300}"), Some(Duration::from_secs(86_400)));
    assert_eq!(wait("rubbish"), None);
}

#[test]
fn rubbish_is_refused_or_harmless() {
    crate::receivers::samples::rubbish("discord_configs");
}
