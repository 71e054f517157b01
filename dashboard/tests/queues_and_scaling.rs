//! `/queues` answers whether users notice and whether it clears, `/scaling` why this many.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod sample;

use ops_dashboard::{queues_page, scaling_page};
use sample::queues;

fn holds(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "{word} is missing");
    }
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(!page.contains("style=\"") && !page.contains("<script"));
}

/// Words of a page, without its marks.
fn text(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1;
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        text.push_str(part.split_once('>').map_or("", |(_, words)| words));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_worst_queue_is_the_answer_and_each_has_its_figures() {
    let page = queues_page(&queues::queues(), "n0nce");
    holds(&page, &["aria-current=\"page\"", "href=\"/scaling\"", "nonce=\"n0nce\""]);
    let text = text(&page);
    let answer = "down: ai-classify: 1,204 jobs wait, the oldest for 42 s (target 5 s); cleared in about 3 min at the present rates · 1 more to look at";
    for words in [
        answer,
        "waiting 1,200 prioritized 3 active 8 delayed 40 (1 due) failed, kept 12 stalled 0.2 /min oldest claimable 42 s (target 5 s) wait p95 38 s run p95 3.2 s arrive 2.1 /s finish 8.44 /s clears in 3 min workers connected 2 schedulers 1 rate limit 100 in 1 s followed by worker",
        "mail ▲ degraded ‖ paused",
        "valkey.main ● serving noeviction 0.8 s ago",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

#[test]
fn queues_that_flow_are_told_in_one_line() {
    let page = queues_page(&queues::calm_queues(), "n0nce");
    assert!(text(&page).contains("serving: Users notice nothing: all is well with 1 queue"));
}

#[test]
fn what_is_old_is_unknown_with_its_age_and_a_bad_policy_stays_red() {
    let page = queues_page(&queues::unread_queues(), "n0nce");
    let text = text(&page);
    assert!(!text.contains("● serving"), "{text}");
    for words in [
        "unknown: valkey.main: nothing was seen for 12 s: connection refused",
        "unknown: ai-classify: nothing was seen for 12 s: connection refused; 1,204 jobs waited then",
        "As last seen, 12 s ago:",
        "clears in not known",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    let red = page.split("class=\"banner down\"").nth(1).unwrap();
    assert!(red.split("</p>").next().unwrap().contains("maxmemory-policy is allkeys-lru"));
}

#[test]
fn a_stack_without_queues_or_decisions_has_pages() {
    let nothing = ops_contract::QueuesView { stores: vec![], queues: vec![], at: sample::NOW };
    assert!(queues_page(&nothing, "n0nce").contains("No queue is watched"));
    let nothing = ops_contract::ScalingView { services: vec![], history_unavailable: None, at: sample::NOW };
    assert!(scaling_page(&nothing, "n0nce").contains("one replica of each service"));
}

#[test]
fn why_this_many_is_told_with_its_ground_its_history_and_its_past() {
    let page = scaling_page(&queues::scaling(), "n0nce");
    holds(
        &page,
        &[
            "<svg",
            "class=\"desired\"",
            "<path d=\"M2.0 75.0h1H242.0V25.0H482.0V75.0H720.0\"",
            "aria-hidden=\"true\"",
            "<details>",
        ],
    );
    let text = text(&page);
    for words in [
        "under way: worker goes from 2 to 3 replicas: 3 replicas start the 1,204 jobs that wait within 5 s",
        "held: no fewer for 42 s more",
        "wanted 3 running 2 ready 2 allowed 1 to 4",
        "arrivals per s 2.12 jobs waiting 1,204",
        "In the last 59 min 1 to 3 replicas were wanted and 1 to 3 ready; at most 1,200 jobs waited (at 11:40:00 UTC), 0 now.",
        "1 → 3 jobs wait longer than 5 s",
        "stays at 1 jobs wait longer than 5 s · held: at most 4 replicas are allowed",
        "UTC wanted ready waiting oldest",
        "api ■ fixed 2 wanted",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

#[test]
fn without_a_decision_what_runs_is_held_and_it_is_never_green() {
    let text = text(&scaling_page(&queues::undecided(), "n0nce"));
    for words in [
        "unknown: worker is held at 3: nothing was decided since 11:54:00 UTC (6 min); 3 replicas are held",
        "the store cannot be read: decisions are missing",
        "The chart begins with the autoscaler's first decision.",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

#[test]
fn what_others_wrote_is_text() {
    let (queues, scaling) = queues::hostile();
    for page in [queues_page(&queues, "n0nce"), scaling_page(&scaling, "n0nce")] {
        assert!(!page.contains("<script") && !page.contains("<img"));
        assert_eq!(page.matches("</style>").count(), 1);
    }
}
