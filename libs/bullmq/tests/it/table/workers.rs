//! What holds for the workers of a queue together.

use std::time::Duration;

use futures::FutureExt;
use ops_bullmq::{JobOptions, Repeat, Schedule, State};
use serde_json::{Value, json};

use super::{Row, cell::Cell};
use crate::support::{eventually, waits};

pub(super) const ROWS: &[Row] = &[
    ("rate limit of the workers", |cell| limiter(cell).boxed()),
    ("rate limit by hand", |cell| hold(cell).boxed()),
    ("rate limit for all workers", |cell| global_rate(cell).boxed()),
    ("concurrency for all workers", |cell| concurrency(cell).boxed()),
    ("pause, resume", |cell| pause(cell).boxed()),
    ("metrics", |cell| metrics(cell).boxed()),
    ("scheduler", |cell| scheduler(cell).boxed()),
    ("1,200 in bulk, each once", |cell| bulk(cell).boxed()),
];

fn plain(jobs: usize, data: &Value) -> Value {
    Value::from(vec![json!({ "name": "plain", "data": data, "opts": {} }); jobs])
}

async fn all_done(cell: &Cell, jobs: u64) {
    eventually("all are done", || async {
        (cell.queue.size(State::Completed).await.expect("an answer") == jobs).then_some(())
    })
    .await;
}

/// At least so long from the first run to the last.
async fn took(cell: &Cell, least_ms: i64) {
    let at: Vec<i64> = cell.runs().await.iter().map(|run| run.2).collect();
    let took = at[at.len() - 1] - at[0];
    assert!(took >= least_ms, "{} jobs in {took} ms", at.len());
}

async fn limiter(cell: Cell) {
    cell.work(json!({ "concurrency": 3, "limiter": { "max": 5, "duration": 300 } })).await;
    cell.add_all(plain(18, &json!({}))).await;
    all_done(&cell, 18).await;
    took(&cell, 700).await;
}

async fn hold(cell: Cell) {
    cell.work(json!({ "limiter": { "max": 1000, "duration": 1000 } })).await;
    let id = cell.add("hold", json!({ "hold_ms": 400 }), json!({})).await;
    let job = cell.job_in(&id, State::Completed).await;
    assert_eq!((job.attempts_made, job.attempts_started), (1, 2));
    let gaps = waits(&cell.runs_of(&id).await);
    assert!(gaps.len() == 1 && gaps[0] >= 380, "{gaps:?}");
}

async fn global_rate(cell: Cell) {
    cell.queue.set_rate(Some((5, Duration::from_millis(300)))).await.expect("set");
    cell.work(json!({ "concurrency": 3 })).await;
    cell.add_all(plain(18, &json!({}))).await;
    all_done(&cell, 18).await;
    took(&cell, 700).await;
    cell.queue.set_rate(None).await.expect("lifted");
}

async fn concurrency(cell: Cell) {
    cell.queue.set_concurrency(Some(2)).await.expect("set");
    cell.work(json!({ "concurrency": 5 })).await;
    cell.add_all(plain(12, &json!({ "sleep_ms": 60 }))).await;
    all_done(&cell, 12).await;
    took(&cell, 290).await;
}

async fn pause(cell: Cell) {
    cell.npm.call("pause", json!({ "queue": cell.name(), "paused": true })).await;
    cell.work(json!({})).await;
    cell.add_all(plain(3, &json!({}))).await;
    assert_eq!(cell.queue.counts().await.expect("an answer").paused, 3);
    cell.queue.resume().await.expect("resumed");
    all_done(&cell, 3).await;
    cell.queue.pause().await.expect("paused");
    let id = cell.add("later", json!({}), json!({})).await;
    assert_eq!(cell.queue.state(&id).await.expect("an answer"), Some(State::Paused));
    cell.npm.call("pause", json!({ "queue": cell.name(), "paused": false })).await;
    all_done(&cell, 4).await;
}

async fn metrics(cell: Cell) {
    cell.work(json!({ "concurrency": 2, "metrics": { "maxDataPoints": 60 } })).await;
    cell.add_all(plain(9, &json!({}))).await;
    cell.add_all(plain(4, &json!({ "never": true }))).await;
    all_done(&cell, 9).await;
    let counted = async |ended: State, jobs: u64| {
        let ours = eventually("all are counted", || async {
            let ours = cell.queue.metrics(ended, 60).await.expect("an answer");
            (ours.total == jobs).then_some(ours)
        })
        .await;
        assert!(ours.until.is_some());
        let kind = if ended == State::Completed { "completed" } else { "failed" };
        let theirs = cell.npm.call("metrics", json!({ "queue": cell.name(), "type": kind })).await;
        assert_eq!(theirs["meta"]["count"], jobs);
        assert_eq!(theirs["data"].as_array().expect("a list").len(), ours.minutes.len());
    };
    counted(State::Completed, 9).await;
    counted(State::Failed, 4).await;
}

async fn scheduler(cell: Cell) {
    cell.work(json!({})).await;
    // A schedule is the queue's: each kind of producer has tests of its own, here npm's and ours alternate.
    let every = json!({ "every": 150, "limit": 3 });
    let template = json!({ "name": "npm", "data": {} });
    let call = json!({ "queue": cell.name(), "id": "npm", "repeat": every, "template": template });
    cell.npm.call("schedule", call).await;
    let repeat =
        Repeat { schedule: Schedule::every(Duration::from_millis(150)), limit: Some(3), ..Repeat::default() };
    cell.queue
        .upsert_scheduler("ours", &repeat, "ours", json!({}), JobOptions::default())
        .await
        .expect("scheduled");
    all_done(&cell, 6).await;
    for name in ["npm", "ours"] {
        assert_eq!(cell.runs().await.iter().filter(|run| run.1 == name).count(), 3, "{name}");
    }
}

async fn bulk(cell: Cell) {
    cell.work(json!({ "concurrency": 10 })).await;
    let ids = cell.add_all(plain(1200, &json!({}))).await;
    all_done(&cell, 1200).await;
    assert_eq!(ids.len(), 1200);
    assert_eq!(cell.runs().await.len(), 1200, "each once");
    cell.npm.call("close", json!({ "queue": cell.name() })).await;
}
