//! Pages hold what they must, and nothing that was written by others can break them.
#![cfg(feature = "ssr")]

mod sample;

use ops_contract::Problem;
use ops_dashboard::{confirm_link_page, login_page, now_page, problem_page};

#[test]
fn what_others_wrote_is_text() {
    let problem = Problem {
        kind: "about:blank".into(),
        title: "<b>title</b>".into(),
        status: 404,
        detail: "<img src=x onerror=alert(1)>".into(),
        request_id: Some("<i>".into()),
    };
    let pages = [
        now_page(&sample::hostile(), "n0nce"),
        problem_page(&problem, "n0nce"),
        login_page(Some("<script>"), "n0nce"),
        confirm_link_page("\"><script>", "n0nce"),
    ];
    for page in pages {
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("<img"), "{page}");
        assert!(!page.contains("<b>title"), "{page}");
        assert_eq!(page.matches("</style>").count(), 1);
    }
}

#[test]
fn the_first_page_has_one_heading_and_it_is_the_verdict() {
    let page = now_page(&sample::broken(), "n0nce");
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(page.contains("PostgreSQL main is down since 11:54:00 UTC (6 min): connection refused"));
    assert!(page.contains("the stack file differs from the one before"));
    assert!(page.contains("It may be a coincidence"));
    assert!(page.contains("history unavailable"));
    assert!(page.contains("killed by SIGKILL (137)"));
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(page.contains("nonce=\"n0nce\""));
}

#[test]
fn a_page_about_nothing_is_a_page() {
    let page = now_page(&sample::empty(), "n0nce");
    assert!(page.contains("No agent has reported yet"));
    assert!(page.contains("Nothing has changed yet"));
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = now_page(&sample::well(), "n0nce");
    for word in ["<script", "http://", "https://", "onclick", "style=\""] {
        let foreign = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!foreign.contains(word), "{word}");
    }
}
