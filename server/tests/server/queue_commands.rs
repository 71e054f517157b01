//! What operators want of queues: who may, what is written down, and what becomes of it.

use std::time::Duration;

use ops_contract::{
    JobState, QueueCommand, QueueJob, QueueOperation, QueueOutcome, QueueReply, Role, Timestamp,
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::agent::Agent;
use crate::harness::{Server, token};
use crate::testing::Postgres;

pub(crate) const EMAIL: &str = "/api/queues/valkey.main/email";

/// Asks as an operator; the answer comes when the agent has answered.
fn ask(server: &Server, method: Method, path: &str, body: Value) -> JoinHandle<Response> {
    let request = server.ask(Role::Operator, method, path).json(&body);
    tokio::spawn(async move { request.send().await.unwrap() })
}

pub(crate) fn post(server: &Server, operation: &str, body: Value) -> JoinHandle<Response> {
    ask(server, Method::POST, &format!("{EMAIL}/{operation}"), body)
}

pub(crate) fn did(done: u64) -> QueueReply {
    QueueReply::Succeeded(QueueOutcome { done, ..QueueOutcome::default() })
}

fn failed_job(id: &str, data: Option<&str>) -> QueueJob {
    QueueJob {
        id: id.to_owned(),
        name: "welcome".to_owned(),
        state: JobState::Failed,
        attempts_made: 3,
        attempts: Some(3),
        added_at: Some(Timestamp(1)),
        started_at: None,
        finished_at: None,
        failed_reason: Some("no route".to_owned()),
        stack: Vec::new(),
        data: data.map(str::to_owned),
    }
}

fn looked(jobs: Vec<QueueJob>, more: bool) -> QueueReply {
    QueueReply::Succeeded(QueueOutcome { done: 0, jobs, more })
}

pub(crate) async fn problem(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    (status, problem["detail"].as_str().unwrap().to_owned())
}

pub(crate) async fn summaries(server: &Server) -> Vec<(String, String)> {
    let changes = server.get("/api/changes?subject=valkey.main").await;
    let changes = changes["items"].as_array().unwrap().iter().filter(|it| it["kind"] == "queue");
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    changes.map(|it| (text(&it["actor"]), text(&it["summary"]))).collect()
}

pub(crate) async fn connect(server: &Server) -> Agent {
    let agent = Agent::connect(server).await;
    // The start of `api` is not what these tests are about.
    agent.start(&agent.work().await).await;
    agent
}

#[tokio::test]
async fn a_retry_is_written_down_before_and_after_it_is_done() {
    let (server, _folder) = Server::fresh().await;
    let agent = connect(&server).await;
    let asked = post(&server, "retry", json!({"limit": 2500, "reason": "the relay is back"}));
    let command = agent.queue_command().await;
    assert_eq!((command.store.as_str(), command.queue.as_str()), ("valkey.main", "email"));
    assert_eq!(command.operation, QueueOperation::RetryFailed { limit: 2500 });
    assert_eq!(command.requested_by, "operator");
    let wanted = "at most 2500 failed jobs of email are to be retried: the relay is back";
    assert_eq!(summaries(&server).await, [("operator".to_owned(), wanted.to_owned())]);

    agent.answer(&command, &QueueReply::Leased { done: 1000 }).await;
    let record = server.get(&format!("{EMAIL}/commands")).await;
    assert_eq!(
        (&record["items"][0]["status"], &record["items"][0]["done"]),
        (&json!("leased"), &json!(1000))
    );
    agent.answer(&command, &did(2400)).await;
    let answer = asked.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["done"], 2400);
    let came = summaries(&server).await.remove(0);
    assert_eq!(came, ("local".to_owned(), "2400 jobs of email that had failed put back in line".to_owned()));
    // Said twice: nothing is to be done about it.
    agent.answer(&command, &did(1)).await;
    assert_eq!(summaries(&server).await.len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn every_operation_takes_an_operator_and_looking_takes_anybody() {
    let (server, _folder) = Server::fresh().await;
    let agent = connect(&server).await;
    for operation in ["pause", "resume", "retry", "drain", "promote"] {
        let path = format!("{EMAIL}/{operation}");
        let viewer = server.ask(Role::Viewer, Method::POST, &path).json(&json!({})).send().await.unwrap();
        assert_eq!(viewer.status(), 403, "{operation}");
        let nobody = server.client.post(server.at(&path)).json(&json!({})).send().await.unwrap();
        assert_eq!(nobody.status(), 401, "{operation}");
        let agents = server.client.post(server.at(&path)).bearer_auth("agent-token").json(&json!({}));
        assert_eq!(agents.send().await.unwrap().status(), 403, "{operation}");
        let asked = post(&server, operation, json!({}));
        agent.answer(&agent.queue_command().await, &did(1)).await;
        assert_eq!(asked.await.unwrap().status(), 200, "{operation}");
    }
    let viewer = server.client.get(server.at(&format!("{EMAIL}/jobs"))).bearer_auth(token(Role::Viewer));
    let asked = tokio::spawn(async move { viewer.send().await.unwrap() });
    agent.answer(&agent.queue_command().await, &looked(Vec::new(), false)).await;
    assert_eq!(asked.await.unwrap().status(), 200);
    // What an agent may say, an operator may not.
    let forged = server.ask(Role::Admin, Method::PUT, "/agent/queue-commands/x").json(&did(1)).send().await;
    assert_eq!(forged.unwrap().status(), 403);
    server.stop().await;
}

#[tokio::test]
async fn jobs_come_in_pages_and_what_they_carry_is_kept_nowhere() {
    let (server, folder) = Server::fresh().await;
    let agent = connect(&server).await;
    let asked =
        ask(&server, Method::GET, &format!("{EMAIL}/jobs?state=failed&before=50&limit=500"), json!({}));
    let command = agent.queue_command().await;
    let page = QueueOperation::ListJobs { state: JobState::Failed, from: 50, limit: 100 };
    assert_eq!(command.operation, page);
    let jobs = vec![failed_job("7", None), failed_job("6", None)];
    agent.answer(&command, &looked(jobs, true)).await;
    let page: Value = asked.await.unwrap().json().await.unwrap();
    assert_eq!((&page["items"][1]["id"], &page["next"]), (&json!("6"), &json!("52")));

    let asked = ask(&server, Method::GET, &format!("{EMAIL}/jobs/a%2Fb%20c"), json!({}));
    let command = agent.queue_command().await;
    assert_eq!(command.operation, QueueOperation::LookAt { job_id: "a/b c".to_owned() });
    agent.answer(&command, &looked(vec![failed_job("a/b c", Some("carried-by-the-job"))], false)).await;
    let job: Value = asked.await.unwrap().json().await.unwrap();
    assert_eq!(job["data"], "carried-by-the-job");

    let asked = ask(&server, Method::GET, &format!("{EMAIL}/jobs/gone"), json!({}));
    let missing = QueueReply::Missing { error: "email has no job gone".to_owned() };
    agent.answer(&agent.queue_command().await, &missing).await;
    assert_eq!(problem(asked.await.unwrap()).await, (404, "email has no job gone".to_owned()));

    // Who looked at what is written down, and nothing else of it.
    let commands = server.get(&format!("{EMAIL}/commands?limit=2")).await;
    let record = &commands["items"][1];
    assert_eq!((&record["operation"], &record["job_id"]), (&json!("look_at"), &json!("a/b c")));
    assert_eq!((&record["requested_by"], &record["status"]), (&json!("operator"), &json!("succeeded")));
    assert!(commands["next"].is_string());
    assert!(summaries(&server).await.is_empty(), "looking changes nothing");
    server.stop().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("carried-by-the-job"));
    }
}

#[tokio::test]
async fn one_change_at_a_time_is_made_to_a_queue() {
    let (server, _folder) = Server::fresh().await;
    let agent = connect(&server).await;
    let first = post(&server, "drain", json!({"delayed": true}));
    let command = agent.queue_command().await;
    assert_eq!(command.operation, QueueOperation::Drain { delayed: true });
    let (status, words) = problem(post(&server, "pause", json!({})).await.unwrap()).await;
    assert_eq!(status, 409);
    assert!(words.contains("operator asked for something that is under way"), "{words}");
    // Looking is no change, and another queue is another queue.
    let look = ask(&server, Method::GET, &format!("{EMAIL}/jobs"), json!({}));
    agent.answer(&agent.queue_command().await, &looked(Vec::new(), false)).await;
    assert_eq!(look.await.unwrap().status(), 200);
    let other = ask(&server, Method::POST, "/api/queues/valkey.main/sms/pause", json!({}));
    agent.answer(&agent.queue_command().await, &did(1)).await;
    assert_eq!(other.await.unwrap().status(), 200);
    agent.answer(&command, &did(0)).await;
    assert_eq!(first.await.unwrap().status(), 200);
    let next = post(&server, "pause", json!({}));
    let failed = QueueReply::Failed { error: "valkey.main: connection refused".to_owned(), done: 0 };
    agent.answer(&agent.queue_command().await, &failed).await;
    assert_eq!(problem(next.await.unwrap()).await, (503, "valkey.main: connection refused".to_owned()));
    let latest = summaries(&server).await.remove(0);
    assert_eq!(latest.1, "not done: email is to be paused: valkey.main: connection refused");
    server.stop().await;
}

#[tokio::test]
async fn without_an_agent_nothing_is_asked_and_a_silent_one_is_given_up() {
    let (server, _folder) = Server::fresh().await;
    let (status, words) = problem(post(&server, "pause", json!({})).await.unwrap()).await;
    assert_eq!(status, 503);
    assert!(words.contains("no agent has reported"), "{words}");

    // It reported a moment ago and takes no work.
    let agent = connect(&server).await;
    let (status, words) = problem(post(&server, "pause", json!({})).await.unwrap()).await;
    assert_eq!(status, 504);
    assert!(words.contains("no agent has taken it yet"), "{words}");
    let given_up = server
        .eventually("given up", async |it| {
            let latest = summaries(it).await.into_iter().next()?;
            latest.1.starts_with("not done").then_some(latest)
        })
        .await;
    let words = "not done: email is to be paused: no agent has taken it in time; nothing was done";
    assert_eq!(given_up, ("server".to_owned(), words.to_owned()));
    let record = &server.get(&format!("{EMAIL}/commands")).await["items"][0];
    assert_eq!(record["status"], "expired");
    assert!(agent.lease(500).await.queue_commands.is_empty(), "what was given up is not done after all");
    server.stop().await;
}

#[tokio::test]
async fn an_agent_that_comes_back_gets_what_is_left_of_a_command() {
    let (server, _folder) = Server::fresh().await;
    let first = connect(&server).await;
    let asked = post(&server, "retry", json!({"limit": 1000}));
    let command = first.queue_command().await;
    first.answer(&command, &QueueReply::Leased { done: 400 }).await;
    // The agent was killed: the next one is another session.
    let second = Agent::connect(&server).await;
    let again = second.queue_command().await;
    assert_eq!(again.operation, QueueOperation::RetryFailed { limit: 600 });
    assert_eq!(QueueCommand { operation: command.operation.clone(), ..again.clone() }, command);
    second.answer(&again, &QueueReply::Leased { done: 100 }).await;
    second.answer(&again, &did(600)).await;
    let answer: Value = asked.await.unwrap().json().await.unwrap();
    assert_eq!(answer["done"], 1000);
    assert!(second.lease(300).await.queue_commands.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn on_postgresql_an_answer_to_one_server_is_found_by_the_other() {
    let database = Postgres::start().await;
    let (one, two) = (Server::start(&database.url).await, Server::start(&database.url).await);
    let agent = connect(&one).await;
    let other = Agent::connect(&two).await;
    drop(agent);
    let asked = post(&one, "promote", json!({}));
    let command = other.queue_command().await;
    let busy = ask(&two, Method::POST, &format!("{EMAIL}/pause"), json!({})).await.unwrap();
    assert_eq!(busy.status(), 409);
    other.answer(&command, &did(3)).await;
    let answer = tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap().unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["done"], 3);

    let asked = ask(&one, Method::GET, &format!("{EMAIL}/jobs"), json!({}));
    other.answer(&other.queue_command().await, &looked(vec![failed_job("1", None)], false)).await;
    let (status, words) = problem(asked.await.unwrap()).await;
    assert_eq!(status, 503);
    assert!(words.contains("another server"), "{words}");
    one.stop().await;
    two.stop().await;
}
