//! The ticket flow end to end: API, worker and two realtime replicas in front of real clients, on real stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod desk;
mod mail;

use std::time::Duration;

use desk::Desk;
use ops_bullmq::{JobOptions, Queue};
use ops_program::jobs;
use ops_tests::eventually;
use ops_tests::node::Node;
use ops_tests::program::Program;
use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// Everything that the sockets heard until `last` came, by name.
async fn until(socket: &mut Node, last: &str) -> Vec<Value> {
    let mut heard = Vec::new();
    let all = async {
        loop {
            let line = socket.next().await.unwrap();
            let ended = line["event"] == last;
            heard.push(line);
            if ended {
                return;
            }
        }
    };
    let came = tokio::time::timeout(Duration::from_secs(15), all).await.is_ok();
    assert!(came, "{last} did not come: {heard:?}");
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_reaches_each_socket_on_each_replica_once() {
    let mut desk = Desk::open().await;
    desk.work(&[]);
    let token = desk.sign_in("admin@acme.example").await;
    let stranger = desk.sign_in("admin@globex.example").await;
    let mut other = Node::start("sockets.mjs", &[&desk.realtime[0], &stranger]).unwrap();
    other.wait_for(|line| line["event"] == "presence:sync").await.unwrap();
    let mut sockets = Vec::new();
    for url in &desk.realtime {
        let mut socket = Node::start("sockets.mjs", &[url, &token]).unwrap();
        socket.wait_for(|line| line["event"] == "presence:sync").await.unwrap();
        sockets.push(socket);
    }
    let ticket = desk.create(&token, "Printer on fire").await;
    let path = format!("/v1/tickets/{}/messages", ticket["id"].as_str().unwrap());
    for socket in &mut sockets {
        let event = socket.wait_for(|line| line["event"] == "ticket:created").await.unwrap();
        assert_eq!(event["args"][0]["id"], ticket["id"]);
    }
    desk.post(&token, &path, &json!({ "body": "on my way" })).await;
    for socket in &mut sockets {
        let heard = until(socket, "ticket:message_added").await;
        assert_eq!(heard.last().unwrap()["args"][0]["message"]["body"], "on my way");
        assert!(heard.iter().all(|line| line["event"] != "ticket:created"), "heard twice: {heard:?}");
    }
    let theirs = desk.create(&stranger, "Not yours").await;
    let heard = until(&mut other, "ticket:created").await;
    assert_eq!(
        heard.last().unwrap()["args"][0]["id"],
        theirs["id"],
        "another tenant's ticket was heard: {heard:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_of_ours_nobody_comes_in() {
    let desk = Desk::open().await;
    for token in ["", "a.b.c"] {
        let mut socket = Node::start("sockets.mjs", &[&desk.realtime[0], token]).unwrap();
        let refused = socket.wait_for(|line| line["event"] == "connect_error").await.unwrap();
        assert_eq!(refused["message"], "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_deadline_is_recorded_and_told_once_however_often_it_is_checked() {
    let mut desk = Desk::open().await;
    desk.work(&[]);
    let token = desk.sign_in("admin@acme.example").await;
    let ticket = desk.create(&token, "Too late").await;
    let mut socket = Node::start("sockets.mjs", &[&desk.realtime[1], &token]).unwrap();
    socket.wait_for(|line| line["event"] == "presence:sync").await.unwrap();
    let mut database = PgConnection::connect(&desk.postgres.url()).await.unwrap();
    sqlx::query("UPDATE tickets SET sla_due_at = now() - interval '1 s' WHERE id = $1::uuid")
        .bind(ticket["id"].as_str().unwrap())
        .execute(&mut database)
        .await
        .unwrap();
    let queue = Queue::new(&desk.queues, jobs::SLA_CHECK).unwrap();
    let data = json!({ "ticketId": ticket["id"], "organisationId": ticket["organisationId"], "dueAtMs": 0 });
    for id in ["again-1", "again-2", "again-3"] {
        let options = JobOptions { job_id: Some(id.to_owned()), ..jobs::options(jobs::SLA_CHECK) };
        queue.add(jobs::SLA_CHECK, &data, options).await.unwrap();
    }
    let told = socket.wait_for(|line| line["event"] == "notification").await.unwrap();
    assert_eq!(told["args"][0]["ticketId"], ticket["id"]);
    desk.done(jobs::SLA_CHECK, 3).await;
    desk.create(&token, "the end").await;
    let heard = until(&mut socket, "ticket:created").await;
    assert!(heard.iter().all(|line| line["event"] != "notification"), "told twice: {heard:?}");
    let breaches: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sla_breaches").fetch_one(&mut database).await.unwrap();
    assert_eq!(breaches, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_flow_again_after_valkey_came_back_without_its_data() {
    let mut desk = Desk::open().await;
    desk.work(&[]);
    let token = desk.sign_in("admin@acme.example").await;
    let mut socket = Node::start("sockets.mjs", &[&desk.realtime[0], &token]).unwrap();
    socket.wait_for(|line| line["event"] == "presence:sync").await.unwrap();
    desk.create(&token, "before").await;
    socket.wait_for(|line| line["event"] == "ticket:created").await.unwrap();
    desk.valkey.stop();
    let kept = desk.create(&token, "meanwhile").await;
    desk.valkey.again().await.unwrap();
    let event = eventually(Duration::from_secs(20), async || {
        let line = socket.wait_for(|line| line["event"] == "ticket:created").await.ok()?;
        (line["args"][0]["id"] == kept["id"]).then_some(())
    });
    event.await.expect("the ticket that was kept is heard of");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_being_sent_is_finished_before_the_worker_ends() {
    let mut desk = Desk::open().await;
    let sink = mail::Sink::start(Duration::from_millis(700)).await;
    let mut worker = desk.spawn_worker(&sink.environment()).await;
    let token = desk.sign_in("customer@acme.example").await;
    desk.create(&token, "Hello").await;
    eventually(Duration::from_secs(20), async || (sink.greeted() > 0).then_some(()))
        .await
        .expect("the worker mails");
    for path in ["/health", "/health/ready"] {
        let answer = ops_tests::program::client().unwrap().get(format!("{}{path}", worker.url)).send().await;
        let answer: Value = answer.unwrap().json().await.unwrap();
        assert!(answer["active_jobs"].as_u64() > Some(0), "{path} says {answer}");
    }
    worker.signal(Signal::TERM).unwrap();
    assert_eq!(worker.ended().await.unwrap().code(), Some(0));
    assert_eq!(sink.delivered(), 1);
    desk.done(jobs::EMAIL, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_cannot_be_sent_fails_its_job() {
    let mut desk = Desk::open().await;
    let nobody =
        [("SMTP_HOST", "127.0.0.1".to_owned()), ("SMTP_PORT", ops_tests::free_port().unwrap().to_string())];
    let _worker: Program = desk.spawn_worker(&nobody).await;
    let token = desk.sign_in("customer@acme.example").await;
    desk.create(&token, "Hello").await;
    let queue = Queue::new(&desk.queues, jobs::EMAIL).unwrap();
    let failed = eventually(Duration::from_secs(20), async || {
        let counts = queue.counts().await.ok()?;
        assert_eq!(counts.completed, 0);
        (counts.failed == 1).then_some(())
    });
    failed.await.expect("the job fails after its attempts");
}
