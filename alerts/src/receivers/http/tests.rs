#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::super::samples::{firing, header, http, note, read, telling, wrongs};
use super::super::{Answer, Globals, HttpMessage, Integration, Message};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::time::Duration;

fn with(config: Value) -> Integration {
    read("webhook_configs", &json!({"url": "https://a.example/", "http_config": config}))
}

fn sent(integration: &Integration) -> HttpMessage {
    http(integration, &note(vec![firing()]), &telling())
}

#[test]
fn each_way_to_sign_in_is_one_header() {
    for (config, expected) in [
        (json!({"authorization": {"credentials": "t"}}), "Bearer t"),
        (json!({"authorization": {"type": "Token", "credentials": "t"}}), "Token t"),
        (json!({"bearer_token": "t"}), "Bearer t"),
        // Aladdin and open sesame are the example of RFC 7617.
        (
            json!({"basic_auth": {"username": "Aladdin", "password": "open sesame"}}),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
    ] {
        assert_eq!(header(&sent(&with(config)), "authorization"), [expected]);
    }
}

#[test]
fn a_password_in_the_address_goes_into_the_header() {
    let integration = read("webhook_configs", &json!({"url": "https://Aladdin:open%20sesame@a.example/b"}));
    let message = sent(&integration);
    assert_eq!(header(&message, "authorization"), ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    assert_eq!(message.url.expose_secret(), "https://a.example/b");
    assert_eq!(super::unescaped("a+b&c=d%26"), "a+b&c=d&");
}

#[test]
fn headers_of_the_settings_replace_ours() {
    let config = json!({"headers": {"User-Agent": "me", "X-Team": "ops"}, "http_headers": {"X-List": {"values": ["a"], "secrets": ["b"]}}});
    let message = sent(&with(config));
    assert_eq!(header(&message, "user-agent"), ["me"]);
    assert_eq!(header(&message, "x-team"), ["ops"]);
    assert_eq!(header(&message, "x-list"), ["a", "b"]);
    assert_eq!(header(&message, "content-type"), ["application/json"]);
}

#[test]
fn what_is_not_done_here_is_a_remark_and_what_would_be_refused_is_not_sent() {
    let integration = with(
        json!({"tls_config": {}, "proxy_url": "http://p", "follow_redirects": true, "enable_http2": false}),
    );
    assert_eq!(integration.remarks(), ["tls_config is not used", "proxy_url is not used"]);
    assert!(integration.message(&note(vec![firing()]), &telling()).is_ok());
    for (config, part) in [
        (json!({"oauth2": {"client_id": "a"}}), "oauth2"),
        (json!({"bearer_token_file": "/a"}), "bearer_token_file"),
        (json!({"authorization": {"credentials_file": "/a"}}), "credentials_file"),
        (json!({"basic_auth": {"username": "a", "password_file": "/a"}}), "files"),
    ] {
        let integration = with(config);
        assert!(integration.remarks()[0].contains(part), "{:?}", integration.remarks());
        assert!(integration.message(&note(vec![firing()]), &telling()).unwrap_err().contains(part));
    }
}

#[test]
fn faults_are_told_with_their_place() {
    let config = json!({
        "authorization": {"type": "basic"},
        "basic_auth": {"user": "a"},
        "headers": {"Host": "a"},
        "http_headers": {"X": {"value": "a"}},
        "bearer": "x",
    });
    let told = wrongs("webhook_configs", &json!({"url": "https://a.example/", "http_config": config}));
    let expected = [
        "http_config.authorization.type: \"basic\" cannot stand here (write Bearer, or use basic_auth)",
        "http_config.authorization.credentials: are missing (write credentials: ${NAME})",
        "http_config.basic_auth.user: is not known here (known are password, password_file, username, username_file)",
        "http_config: authorization and basic_auth are both there (keep one of them)",
        "http_config.headers.Host: is set by us (remove it)",
        "http_config.http_headers.X.value: is not known here (did you mean values?)",
    ];
    assert_eq!(told[..6], expected);
    assert!(told[6].starts_with("http_config.bearer: is not known here"), "{told:?}");
    assert_eq!(told.len(), 7);
}

#[test]
fn a_time_out_is_bounded() {
    for (timeout, expected) in [("0s", 15_000), ("250ms", 250), ("1m", 60_000), ("1h", 60_000)] {
        let integration = read(
            "webhook_configs",
            &json!({"url": "https://a.example/", "timeout": timeout, "allow_private": true}),
        );
        let message = sent(&integration);
        assert_eq!(
            (message.timeout, message.allow_private),
            (Duration::from_millis(expected), true),
            "{timeout}"
        );
    }
}

#[test]
fn a_key_that_no_header_carries_is_told_before_it_is_sent() {
    let opsgenie = read("opsgenie_configs", &json!({"api_key": "k\r\nx-other: 1"}));
    let told = opsgenie.message(&note(vec![firing()]), &telling()).unwrap_err();
    assert_eq!(told, "the header authorization has a line break or another character that none carries");
    let told = wrongs(
        "webhook_configs",
        &json!({"url": "https://a.example/", "http_config": {"bearer_token": "k\u{e9}"}}),
    );
    assert!(told[0].starts_with("http_config.bearer_token: has a line break"), "{told:?}");
}

#[test]
fn no_text_makes_it_panic() {
    let pieces = [
        "http",
        "https",
        "://",
        "/",
        "?",
        "#",
        "@",
        ":",
        "[",
        "]",
        "::1",
        "127.0.0.1",
        "%",
        "%zz",
        "{{",
        "}}",
        "${A}",
        "${",
        "\0",
        "\u{202e}",
        "\u{e4}",
        "whsec_",
        "QUFB",
        "=",
        " ",
        "\r\n",
        "a",
        "xn--",
        "\u{1f600}",
    ];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = || {
        let mut text = String::new();
        for _ in 0..8 {
            // Xorshift: the same texts in every run.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            text.push_str(pieces[usize::try_from(seed % pieces.len() as u64).unwrap()]);
        }
        text
    };
    for _ in 0..5_000 {
        let (url, other) = (text(), text());
        let _ = super::guard::literal(&url);
        let settings = json!({"url": url, "signing_secrets": [other], "headers": {other.clone(): url.clone()}, "payload": {"a": other}});
        let without = json!({"url": format!("https://{url}"), "http_config": {"basic_auth": {"username": other, "password": url}}});
        for settings in [settings, without] {
            if let Ok(read) = Integration::read("webhook_configs", &settings, &Globals::default()) {
                if let Ok(Message::Http(message)) = read.message(&note(vec![firing()]), &telling()) {
                    assert_eq!(super::guard::url_allowed(message.url.expose_secret()), Ok(()));
                }
                let _ = read.judge(&Answer { status: 400, retry_after: None, body: other.as_bytes() });
            }
        }
    }
}
