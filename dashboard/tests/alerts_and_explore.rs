//! `/alerts` answers what fires and whether every rule works, `/explore` what an expression says.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod sample;

use ops_contract::{AlertsView, RuleHealth, RuleView};
use ops_dashboard::{alerts_page, explore_page};
use sample::alerts;

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
fn what_fires_is_the_answer_and_everything_about_it_is_there() {
    let page = alerts_page(&alerts::incident(), "n0nce");
    holds(
        &page,
        &[
            "firing: 2 alerts fire; the worst since 11:54:00 UTC (6 min): ReplicaDown: many requests fail · 2 rules do not work",
            "ReplicaDown ✕ firing critical 6 min ago · 11:54:00 UTC many requests fail 12 % of them",
            "◇ unknown no data for 3 min: it stays as it was instance=\"api-0:8080\" value 0.12 held since 11:53:00 UTC",
            "‖ kept the condition ended 30 s ago; it fires on for a while",
            "PoolSaturated ▲ fails just now",
            "many-to-many matching not allowed",
            "BackupOld ◇ no data",
            "what it reads had data and has none any more",
            "DiskFull 2 min of 5 min many requests fail",
            "insightdesk.yml (built in) › host · 2 rules, 1 pending",
            "insightdesk.yml (built in) › postgres · 2 rules, 2 not working",
            "A rule file was not loaded; what it held before is still evaluated: alerts/own.yml: line 4",
            "Expressions are evaluated at https://metrics.example.com/prometheus",
            "5 min , fires on for 10 min",
            "0.42 ms",
        ],
    );
    assert!(page.contains(
        "href=\"/explore?expr=rate%28errors_total%5B5m%5D%29%20%3E%200.1%20and%20up%20%3D%3D%201\""
    ));
    assert!(page.contains("<details open"));
}

#[test]
fn silence_is_good_news_only_when_every_rule_works() {
    let page = alerts_page(&alerts::calm(), "n0nce");
    holds(&page, &["quiet: Nothing fires, and all 63 rules work", "Watchdog ● fires on purpose"]);
    assert!(!page.contains("<details open"));
    let cases: [(AlertsView, &str); 4] = [
        (
            alerts::unhealthy(),
            "degraded: Nothing fires, but 2 of 3 rules do not work: PoolSaturated: many-to-many matching not",
        ),
        (alerts::stale(), "unknown: Nothing is known: no rule was evaluated since 11:54:00 UTC (6 min)"),
        (alerts::unevaluated(), "unknown: Nothing fires as far as is known: 2 of 2 rules not evaluated yet"),
        (
            AlertsView { load_faults: vec!["own.yml: rubbish".into()], ..alerts::calm() },
            "degraded: Nothing fires, but a rule file was not loaded: own.yml: rubbish",
        ),
    ];
    for (view, answer) in cases {
        let page = alerts_page(&view, "n0nce");
        holds(&page, &[answer]);
        assert!(!page.contains("class=\"verdict serving\""));
    }
}

#[test]
fn a_rule_that_does_not_work_is_nowhere_green() {
    for health in [RuleHealth::Error, RuleHealth::NoData, RuleHealth::Unknown] {
        // Even when its tone were wrong.
        let rule = RuleView { health, ..alerts::rule("Blind", "services") };
        let page = alerts_page(&AlertsView { rules: vec![rule], ..alerts::unhealthy() }, "n0nce");
        assert!(!page.contains("●"), "{health:?}");
    }
}

#[test]
fn what_fires_while_nothing_is_evaluated_is_told_with_its_age() {
    let mut view = alerts::incident();
    for rule in &mut view.rules {
        rule.last_evaluated_at = Some(sample::ago(400));
    }
    holds(
        &alerts_page(&view, "n0nce"),
        &["2 alerts fire", "· no rule was evaluated since 11:53:20 UTC (6 min)"],
    );
}

#[test]
fn no_rules_and_many_alerts_have_pages() {
    let [.., (_, empty), (_, many), _] = alerts::pictures();
    holds(&alerts_page(&empty, "n0nce"), &["unknown: There are no rules: nothing can fire"]);
    let page = alerts_page(&many, "n0nce");
    holds(&page, &["firing: 5000 alerts fire; the worst since", "and 4,900 more", "group-19 · 50 rules"]);
}

#[test]
fn an_answer_is_told_drawn_and_listed() {
    let page = explore_page(&alerts::answer(4), "n0nce");
    holds(
        &page,
        &[
            "answer: 4 series answer; 3 have a value now",
            "4 series over the last 60 min, from -",
            "queue_depth{queue=\"q2\"} no value",
            "queue_depth{queue=\"q0\"} 1.5 -1.99998 1.99977",
            "took 1.2345 ms",
        ],
    );
    for mark in [
        "method=\"get\" action=\"/explore\"",
        "value=\"queue_depth &gt; 0\"",
        "<option value=\"1h\" selected>1 hour",
        "<datalist id=\"metrics\"><option value=\"queue_depth\">",
        "role=\"img\" aria-labelledby=\"drawn\"",
        "<figcaption id=\"drawn\">",
    ] {
        assert!(page.contains(mark), "{mark}");
    }
    assert!(!page.contains("http-equiv"), "what is being written would be lost");
    // One hole: each line is begun twice.
    let line = page.split("role=\"img\"").nth(1).unwrap().split("<path").nth(1).unwrap();
    assert!(line.contains("class=\"line c0 d0\""), "{line}");
    assert_eq!(
        line.split("d=\"").nth(1).unwrap().split('"').next().unwrap().matches('M').count(),
        2,
        "{line}"
    );
}

#[test]
fn many_series_are_drawn_up_to_twenty_and_counted() {
    let page = explore_page(&alerts::answer(450), "n0nce");
    holds(
        &page,
        &["450 series answer; of those shown 199 have", "the first 20 of 450 series", "and 250 more series"],
    );
    assert_eq!(
        page.split("role=\"img\"").nth(1).unwrap().split("</svg>").next().unwrap().matches("<path").count(),
        20
    );
}

#[test]
fn one_value_is_the_answer_and_no_series_is_said() {
    let one = explore_page(&alerts::answer(1), "n0nce");
    holds(&one, &["answer: It is 1.5 now"]);
    let failed = explore_page(&alerts::failed(), "n0nce");
    holds(
        &failed,
        &["no answer: No answer: rate needs a range, such as up[5m]", "metric might not be a counter"],
    );
    assert!(failed.contains("aria-invalid=\"true\"") && !failed.contains("<figure"));
    holds(&explore_page(&alerts::answer(0), "n0nce"), &["no series: No series answers"]);
    let unasked = explore_page(&alerts::unasked(), "n0nce");
    holds(&unasked, &["nothing asked: What does an expression say?"]);
    assert!(unasked.contains("<option value=\"1h\" selected>"));
}

#[test]
fn what_others_wrote_is_text() {
    let pages = [alerts_page(&alerts::hostile(), "n0nce"), explore_page(&alerts::hostile_answer(), "n0nce")];
    for page in pages {
        assert!(
            !page.contains("<script") && !page.contains("<img") && !page.contains("x onerror=alert(1)>\"")
        );
        assert_eq!(page.matches("</style>").count(), 1);
        for part in ["d=\"", "NaN"] {
            let odd = page.split(part).skip(1).any(|it| it.starts_with("NaN") || it.starts_with("inf"));
            assert!(!odd, "a drawing holds what is no number");
        }
    }
}
