#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use ops_contract::{NotifiedAlert, Timestamp};
use serde_json::json;

use super::*;
use crate::receivers::{Globals, Integration};
use crate::templates::Templates;

/// 2026-11-23 03:12:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_795_403_520_000_000);
const MINUTE: i64 = 60_000_000;

pub(crate) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Fires for 25 minutes.
pub(crate) fn alert(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> NotifiedAlert {
    NotifiedAlert {
        id: "a1".to_owned(),
        fingerprint: "0123456789abcdef".to_owned(),
        status: NotificationStatus::Firing,
        labels: map(labels),
        annotations: map(annotations),
        starts_at: Timestamp(NOW.0 - 25 * MINUTE),
        ends_at: None,
        generator_url: "https://ops.example.org/graph?g0.expr=up%3D%3D0".to_owned(),
        folded: Vec::new(),
    }
}

pub(crate) fn resolved(mut alert: NotifiedAlert) -> NotifiedAlert {
    alert.status = NotificationStatus::Resolved;
    alert.ends_at = Some(Timestamp(NOW.0 - 5 * MINUTE));
    alert
}

pub(crate) fn note(alerts: Vec<NotifiedAlert>) -> Notification {
    let fires = alerts.iter().any(|it| it.status == NotificationStatus::Firing);
    Notification {
        id: "n1".to_owned(),
        receiver: "critical".to_owned(),
        group_key: "{}:{alertname=\"ApiDown\"}".to_owned(),
        group_labels: map(&[("alertname", "ApiDown")]),
        status: if fires { NotificationStatus::Firing } else { NotificationStatus::Resolved },
        reason: if fires { NotificationReason::FirstNotification } else { NotificationReason::AllResolved },
        alerts,
        truncated: 0,
        incident: None,
        created_at: NOW,
    }
}

/// One alert with all that there is to say.
pub(crate) fn api_down() -> Notification {
    let mut it = alert(
        &[("alertname", "ApiDown"), ("service", "api"), ("severity", "critical")],
        &[
            ("summary", "api answers nothing"),
            ("description", "No replica has answered for 2 minutes.\nSee the log."),
            ("runbook_url", "https://wiki.example.org/api"),
            ("value", "0"),
        ],
    );
    it.folded = vec!["WebErrors (service=web)".to_owned(), "QueueGrows (queue=mail)".to_owned()];
    note(vec![it])
}

pub(crate) fn telling(templates: &Templates) -> Telling<'_> {
    Telling {
        templates,
        external_url: "https://ops.example.org",
        now: NOW,
        version: "0.1.0",
        ack_url: Some("https://ops.example.org/ack/t0k"),
        test: false,
    }
}

#[test]
fn a_page_says_what_is_broken_since_when_and_what_to_do() {
    let templates = Templates::default();
    let (note, telling) = (api_down(), telling(&templates));
    assert_eq!(title(&note, &telling), "FIRING: ApiDown (service=api) [critical]");
    let wanted = "ApiDown [critical] service=api
Firing since 2026-11-23 02:47 UTC (25m)
api answers nothing
No replica has answered for 2 minutes.
See the log.
value: 0
Broken with it: WebErrors (service=web), QueueGrows (queue=mail)
Runbook: https://wiki.example.org/api
Expression: https://ops.example.org/graph?g0.expr=up%3D%3D0

Acknowledge: https://ops.example.org/ack/t0k
Open InsightDesk: https://ops.example.org";
    assert_eq!(text(&note, &telling, Markup::Plain, 4000), wanted);
}

#[test]
fn a_resolved_page_says_how_long_it_lasted_and_a_test_that_it_is_one() {
    let templates = Templates::default();
    let telling = Telling { test: true, ack_url: None, ..telling(&templates) };
    let note = note(vec![resolved(alert(&[("alertname", "ApiDown")], &[]))]);
    assert_eq!(title(&note, &telling), "TEST RESOLVED: ApiDown");
    let said = text(&note, &telling, Markup::Plain, 4000);
    assert!(said.starts_with("This is a test: nothing is broken."), "{said}");
    assert!(said.contains("Resolved after 20m: 2026-11-23 02:47 UTC to 2026-11-23 03:07 UTC"), "{said}");
    assert!(!said.contains("Acknowledge"), "{said}");
}

#[test]
fn many_alerts_are_counted_and_the_worst_severity_is_told() {
    let templates = Templates::default();
    let telling = telling(&templates);
    let one = |host: &str, severity: &str| {
        let labels = [("alertname", "DiskFull"), ("host", host), ("severity", severity), ("zone", "z1")];
        alert(&labels, &[])
    };
    let mut all =
        note(vec![one("a", "info"), one("b", "critical"), one("c", "warning"), resolved(one("d", "x"))]);
    assert_eq!(title(&all, &telling), "FIRING 3: DiskFull (zone=z1) [critical]");
    assert_eq!(grade(&all), Grade::Critical);
    all.alerts = (0..25).map(|at| one(&format!("h{at}"), "warning")).collect();
    all.truncated = 7;
    assert_eq!(title(&all, &telling), "FIRING 32: DiskFull (zone=z1) [warning]");
    let said = text(&all, &telling, Markup::Plain, 100_000);
    assert!(said.contains("host=h9") && !said.contains("host=h10"), "{said}");
    assert!(said.contains("… and 22 more"), "{said}");
}

#[test]
fn a_text_keeps_its_links_and_its_limit_however_long_the_alerts_are() {
    let templates = Templates::default();
    let telling = telling(&templates);
    let long = "<&>*".repeat(3000);
    let one = alert(&[("alertname", "A"), ("x", &long)], &[("description", &long), ("summary", &long)]);
    let all = note(vec![one; 30]);
    for markup in [Markup::Plain, Markup::Slack, Markup::Discord, Markup::Html] {
        for most in [400, 1000, 4096, 30_000] {
            let said = text(&all, &telling, markup, most);
            assert!(said.chars().count() <= most, "{markup:?} {most}: {}", said.chars().count());
            assert!(said.contains("/ack/t0k") && said.contains(" more"), "{markup:?} {most}: {said}");
        }
    }
}

#[test]
fn values_are_no_markup_and_only_web_addresses_are_links() {
    let templates = Templates::default();
    let telling = telling(&templates);
    let one = alert(
        &[("alertname", "<!channel>"), ("a", "<script>\"'&*_`[x](y)|")],
        &[
            ("summary", "<!here> <@U1> <https://evil|x>"),
            ("runbook_url", "https://x/a b|c>d)\"e"),
            ("dashboard", "javascript:alert(1)"),
            ("panel_url", "javascript:alert(2)"),
        ],
    );
    let all = note(vec![one]);
    let slack = text(&all, &telling, Markup::Slack, 4000);
    for ping in ["<!channel", "<!here", "<@U1", "<https://evil"] {
        assert!(!slack.contains(ping), "{slack}");
    }
    assert!(slack.contains("*&lt;!channel&gt;*"), "{slack}");
    assert!(slack.contains("<https://x/a%20b%7Cc%3Ed%29%22e|Runbook>"), "{slack}");
    assert!(slack.contains("<!date^1795402020^{date_short_pretty} {time}|2026-11-23 02:47 UTC>"), "{slack}");
    let html = text(&all, &telling, Markup::Html, 4000);
    assert!(html.contains("&lt;script&gt;&#34;&#39;&amp;"), "{html}");
    assert!(!html.contains("<script") && !html.contains("href=\"javascript"), "{html}");
    let discord = text(&all, &telling, Markup::Discord, 4000);
    assert!(discord.contains("\\*\\_\\`[x]\\(y)\\|"), "{discord}");
    assert!(discord.contains("[Runbook](<https://x/a%20b%7Cc%3Ed%29%22e>)"), "{discord}");
    assert!(discord.contains("<t:1795402020:f>"), "{discord}");
}

#[test]
fn odd_times_and_empty_notifications_are_told_too() {
    let templates = Templates::default();
    let telling = telling(&templates);
    let mut one = alert(&[], &[]);
    one.starts_at = Timestamp(i64::MIN);
    let mut other = resolved(alert(&[], &[]));
    other.starts_at = Timestamp(i64::MAX);
    other.ends_at = None;
    for all in [note(vec![one, other]), note(Vec::new())] {
        assert!(!title(&all, &telling).is_empty());
        assert!(!text(&all, &telling, Markup::Slack, 3000).is_empty());
        assert!(text(&all, &telling, Markup::Slack, 0).chars().count() < 400);
    }
}

#[test]
fn lengths_of_time_have_two_units() {
    for (seconds, said) in [
        (0, "0s"),
        (59, "59s"),
        (61, "1m 1s"),
        (3600, "1h"),
        (3_900, "1h 5m"),
        (90_000, "1d 1h"),
        (172_859, "2d"),
    ] {
        assert_eq!(facts::lasted(seconds), said);
    }
}

#[test]
fn no_text_in_a_setting_loses_a_page() {
    let templates = Templates::default();
    let telling = Telling { test: true, ..telling(&templates) };
    let kinds = [
        (
            "slack_configs",
            json!({ "api_url": "https://a.example/x" }),
            "title text color fields actions channel",
        ),
        (
            "discord_configs",
            json!({ "webhook_url": "https://a.example/x" }),
            "title message content username",
        ),
        (
            "email_configs",
            json!({ "to": "a@b", "from": "c@d", "smarthost": "e:25" }),
            "html text headers hello",
        ),
    ];
    let texts = [
        "{{",
        "{{ nosuch }}",
        "{{ .Nope }}",
        "{{ template \"x\" . }}",
        "",
        "\u{0}\r\n",
        "ü{{ index .Alerts 99 }}",
    ];
    let mut sent = 0;
    for (kind, base, keys) in kinds {
        for (key, text) in keys.split(' ').flat_map(|key| texts.map(|text| (key, text))) {
            let value = match key {
                "fields" => json!([{ "title": text, "value": text }]),
                "actions" => json!([{ "type": text, "text": text }]),
                "headers" => json!({ "Subject": text, "X-A": text }),
                _ => json!(text),
            };
            let mut settings = base.clone();
            settings[key] = value;
            let it = Integration::read(kind, &settings, &Globals::default()).unwrap();
            for note in [api_down(), note(Vec::new())] {
                assert!(it.message(&note, &telling).is_ok(), "{kind} {settings}");
                sent += 1;
            }
        }
    }
    assert_eq!(sent, 2 * 7 * 14);
}
