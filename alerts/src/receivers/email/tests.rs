#![allow(clippy::unwrap_used)]

use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::receivers::Integration;
use crate::receivers::page::tests::{alert, api_down, note, telling};
use crate::templates::Templates;

fn globals() -> Globals {
    let section = json!({
        "smtp_smarthost": "smtp.example.com:587",
        "smtp_from": "alerts@example.org",
        "smtp_auth_username": "alerts@example.org",
        "smtp_auth_password": "pa55",
    });
    Globals { section }
}

fn mail(settings: &Value, note: &Notification) -> MailMessage {
    let email = Integration::read("email_configs", settings, &globals()).unwrap();
    let templates = Templates::default();
    let Message::Mail(mail) = email.message(note, &telling(&templates)).unwrap() else { panic!() };
    *mail
}

fn header<'a>(mail: &'a MailMessage, name: &str) -> &'a str {
    mail.headers.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
}

#[test]
fn a_mail_is_sent_with_what_the_global_section_says() {
    let mail = mail(&json!({ "to": "ops@example.org" }), &api_down());
    assert_eq!((mail.smarthost.as_str(), mail.require_tls), ("smtp.example.com:587", true));
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("alerts@example.org", "ops@example.org"));
    assert_eq!(mail.username.as_deref(), Some("alerts@example.org"));
    assert_eq!(mail.password.as_ref().unwrap().expose_secret(), "pa55");
    assert_eq!(header(&mail, "Subject"), "FIRING: ApiDown (service=api) [critical]");
    assert!(mail.text.contains("Acknowledge: https://ops.example.org/ack/t0k"));
    assert!(
        mail.html.contains("<a href=\"https://ops.example.org/ack/t0k\">Acknowledge</a>"),
        "{}",
        mail.html
    );
    assert!(mail.html.contains("#cf222e"));
    assert!(!format!("{mail:?}").contains("pa55"));
}

#[test]
fn no_header_can_be_smuggled_in() {
    let name = "A\r\nBcc: evil@example.org\u{0}\u{2028}x";
    let mut all = note(vec![alert(&[("alertname", name)], &[])]);
    all.group_key = "k\r\nX: y".to_owned();
    let settings = json!({
        "to": "ops@example.org\r\nCc: x@example.org",
        "from": "a@example.org\nX: y",
        "hello": "me\r\nRCPT TO:<x>",
        "headers": { "X-Team": "a\r\nBcc: b", "subject": "s\r\nBcc: c" },
        "threading": { "enabled": true },
    });
    let mail = mail(&settings, &all);
    let all: Vec<String> =
        mail.headers.iter().flat_map(|(name, value)| [name.clone(), value.clone()]).collect();
    for text in all.iter().chain([&mail.to, &mail.from, &mail.hello]) {
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    assert_eq!(header(&mail, "Subject"), "s Bcc: c");
    assert!(header(&mail, "References").starts_with("<thread-"));
}

#[test]
fn what_stands_in_labels_is_no_html() {
    let all = note(vec![alert(&[("alertname", "<img src=x onerror=alert(1)>")], &[("summary", "<b>&")])]);
    let mail = mail(&json!({ "to": "ops@example.org" }), &all);
    assert!(!mail.html.contains("<img") && !mail.html.contains("<b>&<"), "{}", mail.html);
    assert!(mail.html.contains("&lt;img src=x"), "{}", mail.html);
    assert!(mail.text.contains("<img src=x"), "{}", mail.text);
}

#[test]
fn settings_replace_what_we_would_say() {
    let settings = json!({
        "to": "a@example.org, b@example.org", "from": "me@example.org", "smarthost": "localhost:25",
        "require_tls": false, "html": "", "text": "broken", "hello": "here",
        "headers": { "Subject": "S", "X-Team": "web", "To": "everybody" },
    });
    let email = Integration::read("email_configs", &settings, &globals()).unwrap();
    assert_eq!(email.remarks(), ["headers.To is not used"]);
    let mail = mail(&settings, &api_down());
    assert_eq!((mail.smarthost.as_str(), mail.require_tls), ("localhost:25", false));
    assert_eq!((mail.html.as_str(), mail.text.as_str(), mail.hello.as_str()), ("", "broken", "here"));
    assert_eq!((header(&mail, "Subject"), header(&mail, "X-Team"), header(&mail, "To")), ("S", "web", ""));
}

#[test]
fn faults_are_told_all_at_once() {
    let settings = json!({ "smarthost": "nowhere", "headers": { "a b": "c" }, "requires_tls": true });
    let wrongs = Integration::read("email_configs", &settings, &Globals::default()).unwrap_err();
    let told: Vec<String> = wrongs.iter().map(ToString::to_string).collect();
    for wanted in [
        "to: is missing",
        "from: is missing (write from here or smtp_from under global)",
        "smarthost: \"nowhere\" has no host and port",
        "headers.a b: is no name of a header",
        "requires_tls: is not known here (did you mean require_tls?)",
    ] {
        assert!(told.iter().any(|it| it.starts_with(wanted)), "{wanted}: {told:?}");
    }
}

#[test]
fn a_password_that_is_not_set_is_named() {
    let mut globals = globals();
    globals.section["smtp_auth_password"] = json!("${SMTP_PASSWORD}");
    let email = Integration::read("email_configs", &json!({ "to": "a@example.org" }), &globals).unwrap();
    let templates = Templates::default();
    let error = email.message(&api_down(), &telling(&templates)).unwrap_err();
    assert!(error.starts_with("SMTP_PASSWORD is not set"), "{error}");
}

#[test]
fn rubbish_is_refused_or_harmless() {
    crate::receivers::samples::rubbish("email_configs");
}
