//! An npm worker and ours on one queue at once.

use std::{collections::HashMap, time::Duration};

use ops_bullmq::{Backoff, JobOptions, Queue};
use serde_json::json;

use crate::support::{Npm, Server, client, eventually, job, obey, worker};

const QUEUE: &str = "mixed";

#[tokio::test]
async fn two_thousand_jobs_of_both_producers_are_each_run_once_by_either_worker() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.concurrency(10).run(move |job| obey(kept.clone(), job)).expect("a good name");
    npm.work(QUEUE, json!({ "concurrency": 10 })).await;
    let theirs: Vec<_> = (0..1000)
        .map(|n| {
            let opts = json!({ "priority": (n % 4) * 5, "delay": if n % 7 == 0 { n } else { 0 }, "attempts": 2, "backoff": 20 });
            json!({ "name": "npm", "data": { "fail_times": u8::from(n % 10 == 0) }, "opts": opts })
        })
        .collect();
    let ours = (0..1000).map(|n: u64| {
        let options = JobOptions {
            priority: (!n.is_multiple_of(4)).then_some((n % 4) as u32 * 5),
            delay: (n.is_multiple_of(7)).then(|| Duration::from_millis(n)),
            attempts: Some(2),
            backoff: Some(Backoff::exponential(Duration::from_millis(20))),
            ..JobOptions::default()
        };
        job("ours", json!({ "fail_times": u8::from(n.is_multiple_of(10)) }), options)
    });
    let (theirs, ours) = tokio::join!(npm.add(QUEUE, theirs.into()), queue.add_bulk(ours));
    let ids: Vec<String> = theirs.into_iter().chain(ours.expect("added")).collect();
    eventually("all are done", || async {
        let counts = queue.counts().await.expect("an answer");
        assert_eq!(counts.failed, 0);
        (counts.completed == 2000).then_some(())
    })
    .await;
    let mut times: HashMap<(String, u64), u32> = HashMap::new();
    let by_npm = npm.runs().await;
    for run in &by_npm {
        let attempt = run["attemptsMade"].as_u64().expect("a number");
        *times.entry((run["id"].as_str().expect("an id").to_owned(), attempt)).or_default() += 1;
    }
    let by_us = runs.lock().expect("not poisoned").clone();
    for run in &by_us {
        *times.entry((run.id.clone(), u64::from(run.attempts_made))).or_default() += 1;
    }
    assert!(ids.iter().all(|id| times.contains_key(&(id.clone(), 0))));
    assert!(times.values().all(|runs| *runs == 1), "an attempt was run twice");
    assert_eq!(times.len(), 2200, "2,000 jobs, every tenth of them twice");
    assert!(by_npm.len() > 100 && by_us.len() > 100, "both worked: {} and {}", by_npm.len(), by_us.len());
    assert!(handle.close(Duration::from_secs(5)).await.is_empty());
}

#[tokio::test]
async fn a_flow_of_npm_goes_on_when_our_worker_ends_the_children() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let (builder, runs) = worker(&client, "children");
    let handle = builder.run(move |job| obey(runs.clone(), job)).expect("a good name");
    let parent = npm
        .call(
            "flow",
            json!({ "flow": { "name": "parent", "queueName": "parents", "data": {}, "children": [
                { "name": "one", "queueName": "children", "data": { "n": 1 } },
                { "name": "two", "queueName": "children", "data": { "n": 2 } }
            ] } }),
        )
        .await;
    let id = parent.as_str().expect("an id").to_owned();
    npm.job_in("parents", &id, "waiting").await;
    npm.work("parents", json!({})).await;
    npm.job_in("parents", &id, "completed").await;
    handle.close(Duration::from_secs(5)).await;
}
