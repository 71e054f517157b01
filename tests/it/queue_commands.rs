//! What operators do to queues, from the command line to Valkey and back, with npm bullmq looking on.

use std::process::Output;
use std::time::Duration;

use ops_contract::{Change, Page, QueuesView};
use ops_tests::node::Node;
use ops_tests::system::{kill, kill_family};
use ops_tests::{System, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};

const STACK: &str = r#"
[stack]
name = "queues"
environment = "test"

[server]
listen = "127.0.0.1:FREE_PORT_1"

[valkey.main]
development = true
port = FREE_PORT_2

[valkey.main.queues]
"#;

const PATIENCE: Duration = Duration::from_secs(30);
const JOBS: u64 = 300;

/// A stack whose queue `email` has failed jobs, and npm looking on.
async fn failed() -> (System, Node) {
    let system = System::start(STACK).await.unwrap();
    let port = system.replica("valkey-main", 0).await.unwrap().state.port.unwrap().to_string();
    let mut npm = Node::start("bull_fail.mjs", &[&port, "email", &JOBS.to_string()]).unwrap();
    npm.wait_for(|line| line["failed"] == JOBS).await.unwrap();
    seen(&system, JOBS).await;
    (system, npm)
}

/// Waits until so many failed jobs are seen.
async fn seen(system: &System, failed: u64) {
    let look = async || {
        let view: QueuesView = system.get("/api/queues").await.ok()?;
        view.queues.iter().any(|it| it.name == "email" && it.sample.failed == failed).then_some(())
    };
    eventually(PATIENCE, look).await.expect("the queue is seen");
}

async fn changes(system: &System) -> Vec<String> {
    let page: Page<Change> = system.get("/api/changes?subject=valkey.main/email").await.unwrap();
    page.items.into_iter().map(|it| format!("{}: {}", it.actor, it.summary)).collect()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn text(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[tokio::test]
async fn an_operator_pauses_looks_and_retries_and_npm_sees_it() {
    let (system, mut npm) = failed().await;
    let listed = system.cli(&["queues", "--json"]).unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["queues"][0]["failed"], JOBS);

    let paused = system.cli(&["queues", "pause", "email", "--reason", "the relay is away"]).unwrap();
    assert_eq!(code(&paused), 0, "{}", text(&paused));
    npm.wait_for(|line| line["event"] == "paused" && line["paused"] == true).await.unwrap();

    let jobs = system.cli(&["queues", "jobs", "email", "-n", "2", "--json"]).unwrap();
    let jobs: Value = serde_json::from_slice(&jobs.stdout).unwrap();
    let id = jobs["items"][0]["id"].as_str().unwrap();
    let job = system.cli(&["queues", "job", "valkey.main/email", id]).unwrap();
    let shown = text(&job);
    assert!(shown.contains("t-1") && shown.contains("bull_fail.mjs"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("anna@"), "{shown}");

    let unsure = system.cli(&["queues", "retry", "email"]).unwrap();
    assert_eq!(code(&unsure), 2);
    assert!(
        text(&unsure).contains("email has 300 failed jobs; they are put back in line"),
        "{}",
        text(&unsure)
    );
    let retried = system.cli(&["queues", "retry", "email", "--yes", "--json"]).unwrap();
    assert_eq!(code(&retried), 0, "{}", text(&retried));
    assert_eq!(serde_json::from_slice::<Value>(&retried.stdout).unwrap()["done"], JOBS);
    seen(&system, 0).await;
    let drained = system.cli(&["queues", "drain", "email", "--yes"]).unwrap();
    assert!(text(&drained).contains("300 waiting jobs of email are removed"), "{}", text(&drained));
    assert_eq!(code(&system.cli(&["queues", "resume", "email"]).unwrap()), 0);
    npm.wait_for(|line| line["event"] == "resumed" && line["paused"] == false).await.unwrap();
    let none = system.cli(&["queues", "pause", "emial"]).unwrap();
    assert_eq!(code(&none), 2, "{}", text(&none));
    let none = system.cli(&["queues", "pause", "valkey.main/emial"]).unwrap();
    assert_eq!((code(&none), text(&none).contains("no queue emial")), (1, true), "{}", text(&none));

    let changes = changes(&system).await;
    let paused = changes.iter().rev().take(2).map(String::as_str).collect::<Vec<_>>();
    assert!(paused[0].ends_with("email is to be paused: the relay is away"), "{changes:?}");
    assert!(paused[1].ends_with("email is paused"), "{changes:?}");
}

#[tokio::test]
async fn what_a_killed_agent_had_is_done_once_more_and_harmlessly() {
    let (system, _npm) = failed().await;
    let valkey = system.replica("valkey-main", 0).await.unwrap().state.pid.unwrap();
    // A store that does not answer holds the agent in the middle of the command.
    kill_family(valkey, Signal::STOP);
    let asked = system.post("/api/queues/valkey.main/email/retry", json!({ "reason": "test" }));
    let killing = async {
        let leased = async || {
            let page: Value = system.get("/api/queues/valkey.main/email/commands").await.ok()?;
            (page["items"][0]["status"] == "leased").then_some(())
        };
        eventually(Duration::from_secs(5), leased).await.expect("the agent takes it");
        kill(system.control_pids().unwrap().1, Signal::KILL);
        kill_family(valkey, Signal::CONT);
    };
    // The answer may come after the asking was given up; the journal has it in any case.
    let (_, ()) = tokio::join!(asked, killing);
    let ended = async || {
        let page: Value = system.get("/api/queues/valkey.main/email/commands").await.ok()?;
        let first = page["items"][0].clone();
        first["finished_at"].is_number().then_some(first)
    };
    let ended = eventually(PATIENCE, ended).await.expect("the next agent does it");
    assert_eq!(ended["status"], "succeeded", "{ended}");
    seen(&system, 0).await;
    let view: QueuesView = system.get("/api/queues").await.unwrap();
    let email = view.queues.iter().find(|it| it.name == "email").unwrap();
    assert_eq!(email.sample.waiting, JOBS, "each is back in line once");
    assert_eq!(changes(&system).await.len(), 2, "asked for once, ended once");
}
