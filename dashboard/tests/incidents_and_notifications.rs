//! `/incidents` answers what is broken and who looks after it, `/notifications` who was told; links ask before they act.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod sample;

use std::time::Duration;

use ops_contract::{DeliveryStatus, IncidentView, IncidentsView, NotificationsView};
use ops_dashboard::{AckLink, acknowledge_page, incident_page, incidents_page, notifications_page};
use sample::incidents as they;
use sample::{NOW, ago};

/// Words of a page, without its marks.
fn text(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1;
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        text.push_str(part.split_once('>').map_or("", |(_, words)| words));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("&quot;", "\"").replace("&gt;", ">")
}

#[track_caller]
fn holds(page: &str, words: &[&str]) {
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(!page.contains("style=\"") && !page.contains("<script"));
    let text = text(page);
    for words in words {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

#[test]
fn what_is_broken_is_the_answer_and_who_looks_after_it_stands_beside() {
    let page = incidents_page(&they::broken(), "n0nce");
    holds(
        &page,
        &[
            "The routing file cannot be used; what it was before still counts: alertmanager.yml: line 4",
            "1,204 messages wait, the oldest since 11:50:00 UTC (10 min): whoever should know may not have",
            "open: 3 incidents, nobody looks after 2 of them; the worst since 11:54:00 UTC (6 min): toy 0 is down",
            "ops ann, bob",
            "night nobody",
            "✕ open critical 6 min ago · 11:54:00 UTC Nobody looks after it. ✕ fires ToyDown toy 0 is down",
            "because of it: ApiDown a, ApiDown b, ApiDown c and 1 more",
            "The next level is told at 12:04:00 UTC (in 4 min).",
            "and 2 more alerts",
            "Nobody else is told: it has no escalation.",
            "◔ acknowledged critical",
            "ann looks after it: the disk is swapped since 11:58:00 UTC, until 12:30:00 UTC (in 30 min)",
            "It is not escalated while somebody looks after it.",
            "lasted 10 min, until 09:40:00 UTC , looked after by ann",
        ],
    );
    assert_eq!(page.matches("method=\"post\" action=\"/incidents/i").count(), 2, "one for each that is open");
    for mark in
        ["action=\"/incidents/i1/ack\"", "for=\"reason-1\"", "id=\"reason-1\" name=\"reason\" required"]
    {
        assert!(page.contains(mark), "{mark}");
    }
    assert!(
        page.contains("href=\"/incidents?before=1700-r1%26x\"") && page.contains("href=\"/incidents/r1\"")
    );
    assert!(!page.contains("http-equiv"), "what is being written would be lost");
}

#[test]
fn all_is_well_only_without_incidents_faults_and_waiting_messages() {
    let well = incidents_page(&they::calm(), "n0nce");
    holds(&well, &["quiet: Nothing is broken", "this page asks again every 15 s"]);
    assert!(well.contains("class=\"verdict serving\"") && well.contains("http-equiv"));
    let faults = vec!["alertmanager.yml: rubbish".to_owned()];
    let waits = |seconds| IncidentsView { waiting: 1, waiting_since: Some(ago(seconds)), ..they::calm() };
    let cases = [
        (IncidentsView { faults, ..they::calm() }, "degraded: No incident is open, but the routing file"),
        (waits(20), "waiting: No incident is open, but 1 message waits, the oldest since"),
        (waits(61), "whoever should know may not have been told"),
        (IncidentsView { waiting_since: None, ..waits(0) }, "may not have been told"),
        (
            IncidentsView { living: vec![they::held("i", NOW + Duration::from_secs(60))], ..they::calm() },
            "acknowledged: 1 incident, somebody looks after it, since",
        ),
        (
            IncidentsView { living: vec![they::open("i")], ..they::calm() },
            "open: 1 incident, nobody looks after it",
        ),
    ];
    for (view, words) in cases {
        let page = incidents_page(&view, "n0nce");
        holds(&page, &[words]);
        assert!(
            !page.contains("class=\"verdict serving\"") && !page.contains("Nothing is broken"),
            "{words}"
        );
    }
    assert!(!incidents_page(&waits(20), "n0nce").contains("class=\"banner"), "it is on its way");
}

#[test]
fn what_ran_out_does_not_count_as_looked_after() {
    let view = IncidentsView { living: vec![they::held("i", ago(1))], ..they::calm() };
    let page = incidents_page(&view, "n0nce");
    holds(&page, &["nobody looks after it", "ann looked after it:", "ran out at 11:59:59 UTC"]);
    assert!(page.contains("action=\"/incidents/i/ack\""));
}

#[test]
fn an_incident_says_what_happened_and_whether_anybody_knows() {
    let notifications = they::history().notifications;
    let view = IncidentView { incident: they::open("i1"), notifications, at: NOW };
    let page = incident_page(&view, "n0nce");
    holds(
        &page,
        &[
            "open: toy 0 is down, since 11:54:00 UTC (6 min)",
            "severity=\"critical\" slot=\"0\"",
            "level 2: boss, second",
            "to hook escalated: nobody acknowledged in time 5 min ago · 11:54:59 UTC",
            "1 firing: ToyDown (3 more are not listed)",
            "● delivered webhook/0 after 2 attempts at 11:55:01 UTC 2 attempts",
            "11:55:00 UTC , took 1,204 ms ▲ failed Failed as it is",
        ],
    );
    assert!(page.contains("<a href=\"https://runbooks.example.com/toy\" rel=\"noopener noreferrer\">"));
    assert!(page.contains("action=\"/incidents/i1/ack\""));
    let over = IncidentView { incident: they::resolved("r1"), notifications: vec![], at: NOW };
    let page = incident_page(&over, "n0nce");
    holds(
        &page,
        &["resolved: toy 0 is down, from 09:30:00 UTC to 09:40:00 UTC (10 min)", "Nobody was told yet."],
    );
    assert!(!page.contains("/ack\""), "nobody needs to look after it");
}

#[test]
fn notifications_say_whether_they_arrived() {
    let page = notifications_page(&they::history(), "n0nce");
    holds(
        &page,
        &[
            "waiting: 1 message waits, the oldest since 11:54:59 UTC (5 min)",
            "▲ waiting webhook/0 since 11:54:59 UTC, tried once, next try at 12:00:30 UTC (in 30 s): Failed as it is",
            "✕ dead webhook/0 given up after 1 attempt: Refused as it is",
            "‖ superseded webhook/0 a newer message to the same receiver tells it too",
            "It goes to nobody",
        ],
    );
    assert!(
        page.contains("href=\"/notifications?before=1700-n1%26x\"")
            && page.contains("href=\"/incidents/i1\"")
    );
    let of = |notifications| NotificationsView {
        notifications,
        waiting: 0,
        waiting_since: None,
        ..they::history()
    };
    let dead = of(vec![they::told(vec![they::delivery(DeliveryStatus::Dead, &[])])]);
    holds(
        &notifications_page(&dead, "n0nce"),
        &["lost: 1 message of those below was given up", "never tried"],
    );
    let none = notifications_page(&of(vec![]), "n0nce");
    holds(&none, &["unknown: Nobody was told of anything"]);
    for page in [none, notifications_page(&dead, "n0nce"), page] {
        assert!(!page.contains("class=\"verdict serving\""));
    }
    let well = of(vec![they::told(vec![they::delivery(DeliveryStatus::Delivered, &[])])]);
    holds(&notifications_page(&well, "n0nce"), &["delivered: Every message below has arrived"]);
}

#[test]
fn a_link_asks_first_and_says_what_came_of_it() {
    let (open, over) = (they::open("i"), they::resolved("r"));
    let held = they::held("i", NOW + Duration::from_secs(3_600));
    let mut by_link = held.clone();
    by_link.acknowledgement.as_mut().unwrap().by = "link".into();
    let cases = [
        (AckLink::Done(&by_link), "Whoever had the link looks after it: the disk is swapped"),
        (
            AckLink::Ready { incident: &open, error: None },
            "Look after this incident? toy 0 is down critical since",
        ),
        (AckLink::Ready { incident: &open, error: Some("reason must say") }, "reason must say toy 0 is down"),
        (AckLink::Done(&held), "You look after it toy 0 is down"),
        (AckLink::Done(&held), "until 13:00:00 UTC"),
        (AckLink::Used(Some(&held)), "This link was used already"),
        (AckLink::Used(None), "Each link works once."),
        (AckLink::Expired, "This link is too old"),
        (AckLink::Resolved(&over), "It ended at 09:40:00 UTC. Nobody needs to look after it."),
        (AckLink::Unknown, "This is no link of ours"),
    ];
    for (link, words) in cases {
        let page = acknowledge_page(link, NOW, "n0nce");
        holds(&page, &[words]);
        let asks = matches!(link, AckLink::Ready { .. });
        assert_eq!(page.contains("<form method=\"post\" class=\"sheet\">"), asks, "{words}");
    }
}

#[test]
fn what_others_wrote_is_text() {
    let (incidents, one, told) = they::hostile();
    let link = AckLink::Ready { incident: &one.incident, error: Some(they::HOSTILE) };
    let pages = [
        incidents_page(&incidents, "n0nce"),
        incident_page(&one, "n0nce"),
        notifications_page(&told, "n0nce"),
        acknowledge_page(link, NOW, "n0nce"),
    ];
    for page in pages {
        assert!(!page.contains("<script") && !page.contains("<img"));
        assert!(!page.contains("href=\"javascript:") && !page.contains("x onerror=alert(1)>\""));
        assert_eq!(page.matches("</style>").count(), 1);
    }
    holds(&incidents_page(&incidents, "n0nce"), &["and 50 more", "and 15 more alerts"]);
}
