//! What we add, npm's worker runs as if npm had added it.

use std::time::Duration;

use ops_bullmq::{Backoff, JobOptions, Keep, Queue, QueueEvents, Repeat, Schedule};
use serde_json::{Value, json};

use crate::support::{Npm, Server, client, eventually, job, waits};

const QUEUE: &str = "from-ours";

#[tokio::test]
async fn jobs_of_every_kind_are_run_and_we_see_how_they_ended() {
    for server in Server::start_each().await {
        check_kinds(&server).await;
    }
}

async fn check_kinds(server: &Server) {
    let npm = Npm::start(server).await;
    let client = client(server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    npm.work(QUEUE, json!({ "concurrency": 4 })).await;
    let ms = Duration::from_millis;
    let none = JobOptions::default;
    let utf8 =
        json!({ "text": "žluťoučký kůň 🐎 \u{0000} \" / \\ \u{2028}", "empty": [], "nested": [[], {}] });
    let table = [
        job("plain", json!({ "n": 1 }), none()),
        job("null", Value::Null, none()),
        job("utf8", utf8, none()),
        job("delayed", json!({}), JobOptions { delay: Some(ms(300)), ..none() }),
        job("priority", json!({}), JobOptions { priority: Some(3), ..none() }),
        job("lowest", json!({}), JobOptions { priority: Some(2_097_151), ..none() }),
        job("custom", json!({}), JobOptions { job_id: Some("my-id".into()), ..none() }),
        job(
            "fixed",
            json!({ "fail_times": 2 }),
            JobOptions { attempts: Some(3), backoff: Some(Backoff::fixed(ms(150))), ..none() },
        ),
        job(
            "exponential",
            json!({ "fail_times": 2 }),
            JobOptions { attempts: Some(3), backoff: Some(Backoff::exponential(ms(150))), ..none() },
        ),
        job("at-once", json!({ "fail_times": 1 }), JobOptions { attempts: Some(2), ..none() }),
        job("lifo", json!({}), JobOptions { lifo: true, ..none() }),
        job(
            "traced",
            json!({}),
            JobOptions { telemetry: Some("{\"traceparent\":\"00-a-b-01\"}".into()), ..none() },
        ),
        job("gone", json!({}), JobOptions { remove_on_complete: Some(Keep::Nothing), ..none() }),
    ];
    let ids = queue.add_bulk(table.clone()).await.expect("added");
    let names: Vec<&str> = table.iter().map(|job| job.name.as_str()).collect();
    let id_of =
        |name: &str| ids[names.iter().position(|other| *other == name).expect("in the table")].clone();
    for (row, id) in table.iter().zip(&ids) {
        eventually(&format!("{} has run", row.name), || async {
            match queue.job(id).await.expect("an answer") {
                Some(job) => job.finished_on.map(drop),
                None => (row.name == "gone").then_some(()),
            }
        })
        .await;
        let fails = row.data["fail_times"].as_u64().unwrap_or(0) as usize;
        let runs = npm.runs_of(id).await;
        assert_eq!(runs.len(), fails + 1, "{}", row.name);
        let Some(job) = queue.job(id).await.expect("an answer") else { continue };
        assert_eq!(job.return_value, Some(json!({ "by": "npm", "data": row.data })), "{}", row.name);
        assert_eq!(job.attempts_made as usize, fails + 1, "{}", row.name);
        assert_eq!(job.stack_trace.len(), fails, "{}", row.name);
        let waited: Vec<i64> = runs.iter().filter_map(|run| run["at"].as_i64()).collect();
        match row.name.as_str() {
            "fixed" => assert!(waits(&waited).iter().all(|wait| *wait >= 145), "{waited:?}"),
            "exponential" => assert!(waits(&waited)[0] >= 145 && waits(&waited)[1] >= 295, "{waited:?}"),
            _ => {}
        }
    }
    assert!(queue.job(&id_of("gone")).await.expect("an answer").is_none());
    assert_eq!(npm.runs_of(&id_of("traced")).await[0]["tm"], "{\"traceparent\":\"00-a-b-01\"}");
    let again = JobOptions { job_id: Some("my-id".into()), ..none() };
    assert_eq!(queue.add("custom", json!({ "other": 1 }), again).await.expect("an answer"), "my-id");
    assert_eq!(npm.runs_of("my-id").await.len(), 1, "an id that exists is not added again");
    assert_eq!(npm.call("errors", json!({})).await, json!([]));
}

#[tokio::test]
async fn we_hear_what_happens_to_a_job_of_ours_at_npm() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let mut events = QueueEvents::from_now(&queue).await.expect("an answer");
    npm.work(QUEUE, json!({})).await;
    let options = JobOptions { attempts: Some(1), ..JobOptions::default() };
    let good = queue.add("good", json!({ "progress": 7 }), options.clone()).await.expect("added");
    let bad = queue.add("bad", json!({ "fail_times": 9 }), options).await.expect("added");
    let mut seen = Vec::new();
    while !seen.iter().any(|(id, name)| *id == bad && name == "retries-exhausted") {
        let event = events.next().await.expect("an event");
        if event.name == "completed" {
            assert!(event.fields["returnvalue"].contains("npm"));
        }
        if event.name == "failed" {
            assert_eq!(event.fields["failedReason"], "told to fail 0");
        }
        seen.push((event.job_id.unwrap_or_default(), event.name));
    }
    let of = |wanted: &str| {
        seen.iter().filter(|(id, _)| id == wanted).map(|(_, name)| name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(&good), ["added", "waiting", "active", "progress", "completed"]);
    assert_eq!(of(&bad), ["added", "waiting", "active", "failed", "retries-exhausted"]);
    let failed = queue.job(&bad).await.expect("an answer").expect("kept");
    assert_eq!(failed.failed_reason.as_deref(), Some("told to fail 0"));
    assert!(failed.stack_trace[0].contains("at "), "a real stack: {:?}", failed.stack_trace);
}

#[tokio::test]
async fn a_scheduler_of_ours_goes_on_with_npms_worker_and_npm_lists_it() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let every =
        Repeat { schedule: Schedule::every(Duration::from_millis(200)), limit: Some(3), ..Repeat::default() };
    let cron = Repeat { schedule: Schedule::cron("* * * * * *"), ..Repeat::default() };
    let keep = JobOptions { remove_on_complete: Some(Keep::Last(9)), ..JobOptions::default() };
    for _ in 0..2 {
        queue.upsert_scheduler("every", &every, "tick", json!({ "a": 1 }), keep.clone()).await.expect("made");
        queue.upsert_scheduler("cron", &cron, "cron", json!({}), keep.clone()).await.expect("made");
    }
    let counts = queue.counts().await.expect("an answer");
    assert_eq!(counts.delayed + counts.waiting, 2, "made twice, there once: {counts:?}");
    npm.work(QUEUE, json!({})).await;
    let named = async |name: &str| {
        npm.runs().await.iter().filter(|run| run["name"] == name).cloned().collect::<Vec<_>>()
    };
    eventually("three of each", || async {
        (named("tick").await.len() == 3 && named("cron").await.len() >= 3).then_some(())
    })
    .await;
    assert_eq!(named("tick").await[0]["data"], json!({ "a": 1 }));
    let listed = npm.call("schedulers", json!({ "queue": QUEUE })).await;
    let listed: Vec<&Value> = listed.as_array().expect("a list").iter().collect();
    assert!(
        listed.iter().any(|it| it["key"] == "cron" && it["pattern"] == "* * * * * *" && it["tz"] == "UTC"),
        "{listed:?}"
    );
    let ours = queue.schedulers().await.expect("an answer");
    let ours = ours.iter().find(|scheduler| scheduler.id == "cron").expect("listed");
    assert_eq!(ours.repeat, cron);
    assert!(ours.made >= 3);
    assert_eq!(npm.call("errors", json!({})).await, json!([]));
}
