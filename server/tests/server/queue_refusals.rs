//! What is refused of queues before an agent hears of it.

use std::collections::BTreeMap;

use ops_contract::{QueueReport, QueueSample, Role, Signal};
use reqwest::Method;
use serde_json::json;

use crate::agent::now;
use crate::harness::Server;
use crate::queue_commands::{EMAIL, connect, did, post, problem, summaries};

#[tokio::test]
async fn what_the_caller_was_shown_must_still_be_about_true() {
    let (server, _folder) = Server::fresh().await;
    let agent = connect(&server).await;
    let (status, words) = problem(post(&server, "retry", json!({"expect": 1})).await.unwrap()).await;
    assert_eq!(status, 503);
    assert!(words.contains("has not been read lately"), "{words}");

    let sample =
        QueueSample { failed: 1_000, waiting: 50, prioritized: 50, delayed: 400, ..QueueSample::default() };
    let report = QueueReport {
        store: "valkey.main".to_owned(),
        epoch: "e".to_owned(),
        queues: BTreeMap::from([("email".to_owned(), sample)]),
        unread: 0,
        fault: None,
        maxmemory_policy: None,
        took_us: 1,
        at: now(),
    };
    agent.signal(vec![Signal::Queues(report)]).await;
    let refused = [
        ("retry", json!({"expect": 899}), "email has 1000 such jobs by now, not 899"),
        ("retry", json!({"expect": 2000}), "email has 1000 such jobs"),
        ("drain", json!({"expect": 500}), "email has 100 such jobs"),
        ("drain", json!({"expect": 100, "delayed": true}), "email has 500 such jobs"),
        ("promote", json!({"expect": 0}), "email has 400 such jobs"),
    ];
    for (operation, body, expected) in refused {
        let (status, words) = problem(post(&server, operation, body).await.unwrap()).await;
        assert_eq!(status, 409);
        assert!(words.contains(expected), "{words}");
    }
    assert!(summaries(&server).await.is_empty());
    for (operation, body) in [
        ("retry", json!({"expect": 901})),
        ("drain", json!({"expect": 95})),
        ("drain", json!({"expect": 460, "delayed": true})),
        ("promote", json!({"expect": 410})),
    ] {
        let asked = post(&server, operation, body.clone());
        agent.answer(&agent.queue_command().await, &did(1)).await;
        assert_eq!(asked.await.unwrap().status(), 200, "{operation} {body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn names_that_are_none_and_bodies_that_are_too_large_are_refused_in_words() {
    let (server, _folder) = Server::fresh().await;
    let _agent = connect(&server).await;
    let long = "x".repeat(257);
    let large = format!(r#"{{"reason":"{}"}}"#, "x".repeat(1024 * 1024));
    let pause = |store: &str, queue: &str| format!("/api/queues/{store}/{queue}/pause");
    let cases = [
        (Method::POST, pause("valkey.none", "email"), "{}", 404, "it has valkey.cache, valkey.main"),
        (Method::POST, pause("main", "email"), "{}", 404, "no such store"),
        (Method::POST, pause("postgres.main", "email"), "{}", 404, "no such store"),
        (Method::POST, pause("valkey.cache", "email"), "{}", 404, "not watched"),
        (Method::POST, pause("valkey.main", "a:b"), "{}", 400, "no colon"),
        (Method::POST, pause("valkey.main", "a%3Ab"), "{}", 400, "no colon"),
        (Method::POST, pause("valkey.main", "a%00b"), "{}", 400, "control characters"),
        (Method::POST, pause("valkey.main", "a%0Ab"), "{}", 400, "control characters"),
        (Method::POST, pause("valkey.main", "%FF"), "{}", 404, "UTF-8"),
        (Method::POST, pause("valkey.main", &long), "{}", 400, "256 bytes"),
        (Method::GET, format!("{EMAIL}/jobs/{long}"), "", 400, "256 bytes"),
        (Method::GET, format!("{EMAIL}/jobs/a%07"), "", 400, "control characters"),
        (Method::GET, format!("{EMAIL}/jobs?state=lost"), "", 400, "unknown variant"),
        (Method::GET, format!("{EMAIL}/jobs?state=unknown"), "", 400, "unknown state"),
        (Method::GET, format!("{EMAIL}/jobs?before=-1"), "", 400, "`next`"),
        (Method::GET, format!("{EMAIL}/jobs?before=99999999999999999999"), "", 400, "`next`"),
        (Method::GET, format!("{EMAIL}/jobs?limit=-1"), "", 400, "limit"),
        (Method::POST, format!("{EMAIL}/retry"), r#"{"limit":0}"#, 422, "leave it out"),
        (Method::POST, format!("{EMAIL}/retry"), r#"{"limit":-1}"#, 422, "expected u64"),
        (Method::POST, format!("{EMAIL}/drain"), r#"{"delayed":"yes"}"#, 422, "expected a boolean"),
        (Method::POST, format!("{EMAIL}/drain"), "[", 400, "not JSON"),
        (Method::POST, format!("{EMAIL}/drain"), &large, 413, "longer"),
        (Method::POST, format!("{EMAIL}/obliterate"), "{}", 404, "nothing at this address"),
        (Method::GET, format!("{EMAIL}/drain"), "", 405, "method"),
    ];
    for (method, path, body, status, words) in cases {
        let request =
            server.ask(Role::Admin, method.clone(), &path).header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let (found, detail) = problem(answer).await;
        assert_eq!(found, status, "{method} {path}: {detail}");
        assert!(detail.contains(words), "{method} {path}: {detail}");
    }
    let long = post(&server, "pause", json!({"reason": "x".repeat(501)})).await.unwrap();
    assert_eq!(long.status(), 422);
    assert!(server.get(&format!("{EMAIL}/commands")).await["items"].as_array().unwrap().is_empty());
    server.stop().await;
}
