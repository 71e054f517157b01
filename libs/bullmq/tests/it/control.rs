//! What an operator does to a queue, while npm looks on and while npm works.

use std::time::Duration;

use ops_bullmq::{
    Drained, Error, JobOptions, LOWEST_PRIORITY, Order, Queue, Repeat, Schedule, Scheduler, State, Swept,
};
use serde_json::{Value, json};

use crate::support::{Npm, Server, client, eventually, job, obey, worker};

const QUEUE: &str = "control";

fn delayed(by: Duration) -> JobOptions {
    JobOptions { delay: Some(by), ..JobOptions::default() }
}

fn prioritized(priority: u32) -> JobOptions {
    JobOptions { priority: Some(priority), ..JobOptions::default() }
}

#[tokio::test]
async fn a_pause_of_ours_holds_npm_and_ends_when_we_say() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    npm.call("listen", json!({ "queue": QUEUE })).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let before = queue.add("before", json!({}), JobOptions::default()).await.expect("added");
    assert!(!queue.is_paused().await.expect("an answer"));
    queue.pause().await.expect("paused");
    queue.pause().await.expect("twice is once");
    assert!(queue.is_paused().await.expect("an answer"));
    npm.work(QUEUE, json!({})).await;
    let meanwhile = npm.add(QUEUE, json!([{ "name": "meanwhile", "data": {} }])).await.remove(0);
    assert_eq!(queue.state(&before).await.expect("an answer"), Some(State::Paused));
    assert_eq!(queue.size(State::Paused).await.expect("an answer"), 2);
    assert_eq!(npm.call("counts", json!({ "queue": QUEUE })).await["paused"], 2);
    assert!(npm.runs().await.is_empty());
    queue.resume().await.expect("resumed");
    npm.job_in(QUEUE, &before, "completed").await;
    npm.job_in(QUEUE, &meanwhile, "completed").await;
    npm.call("pause", json!({ "queue": QUEUE, "paused": true })).await;
    assert!(queue.is_paused().await.expect("an answer"));
}

#[tokio::test]
async fn a_concurrency_for_all_workers_is_set_raised_and_lifted() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    queue.set_concurrency(Some(1)).await.expect("set");
    assert_eq!(queue.concurrency().await.expect("an answer"), Some(1));
    npm.work(QUEUE, json!({ "concurrency": 5 })).await;
    let (builder, runs) = worker(&client, QUEUE);
    let handle = builder.run(move |job| obey(runs.clone(), job)).expect("a good name");
    let jobs = (0..5).map(|n| job(&format!("{n}"), json!({ "sleep_ms": 30_000 }), JobOptions::default()));
    queue.add_bulk(jobs).await.expect("added");
    let active = async |jobs: u64| {
        eventually("so many are active", || async {
            (queue.size(State::Active).await.expect("an answer") == jobs).then_some(())
        })
        .await;
    };
    active(1).await;
    queue.set_concurrency(Some(2)).await.expect("raised");
    active(2).await;
    queue.set_concurrency(None).await.expect("lifted");
    assert_eq!(queue.concurrency().await.expect("an answer"), None);
    active(5).await;
    drop(handle);
}

#[tokio::test]
async fn a_drain_takes_what_waits_and_leaves_the_next_job_of_a_scheduler() {
    for server in Server::start_each().await {
        let client = client(&server).await;
        let queue = Queue::new(&client, QUEUE).expect("a good name");
        let hour = Duration::from_secs(3600);
        let kinds = [JobOptions::default(), prioritized(LOWEST_PRIORITY), delayed(hour)];
        for options in &kinds {
            let jobs = (0..2500).map(|n| job(&format!("{n}"), json!({}), options.clone()));
            queue.add_bulk(jobs).await.expect("added");
        }
        let repeat = Repeat { schedule: Schedule::every(hour), ..Repeat::default() };
        let next = queue
            .upsert_scheduler("hourly", &repeat, "tick", json!({}), JobOptions::default())
            .await
            .expect("scheduled");
        assert_eq!(queue.state(&next).await.expect("an answer"), Some(State::Waiting), "the first is due");
        let some = queue.drain(Drained::Waiting, 1200).await.expect("drained");
        assert_eq!(some, Swept { done: 1200, left: 1301 + 2500 });
        let rest = queue.drain(Drained::Waiting, u64::MAX).await.expect("drained");
        assert_eq!(rest, Swept { done: 1300 + 2500, left: 1 });
        let counts = queue.counts().await.expect("an answer");
        assert_eq!((counts.waiting, counts.prioritized, counts.delayed), (1, 0, 2500));
        let all = queue.drain(Drained::WaitingAndDelayed, u64::MAX).await.expect("drained");
        assert_eq!(all.done, 2500);
        assert_eq!(queue.state(&next).await.expect("an answer"), Some(State::Waiting), "still there");
        let keys: Vec<String> =
            redis::from_redis_value(server.command(&["KEYS", &format!("bull:{QUEUE}:[0-9]*")]).await)
                .expect("texts");
        assert!(keys.is_empty(), "nothing is left behind: {keys:?}");
        assert!(matches!(queue.remove(&next).await, Err(Error::Refused { .. })));
        let schedulers = queue.schedulers().await.expect("an answer");
        assert!(matches!(schedulers.as_slice(), [Scheduler { id, .. }] if id == "hourly"));
        assert!(queue.remove_scheduler("hourly").await.expect("an answer"));
    }
}

#[tokio::test]
async fn a_clean_takes_what_is_old_enough_and_no_more_than_it_was_told() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    npm.work(QUEUE, json!({ "concurrency": 50 })).await;
    let fails = (0..1300).map(|n| job("fails", json!({ "fail_times": n % 2 }), JobOptions::default()));
    queue.add_bulk(fails).await.expect("added");
    eventually("all have ended", || async {
        let counts = queue.counts().await.expect("an answer");
        (counts.completed == 650 && counts.failed == 650).then_some(())
    })
    .await;
    let hour = Duration::from_secs(3600);
    let none = queue.clean(State::Completed, hour, u64::MAX).await.expect("cleaned");
    assert_eq!(none, Swept { done: 0, left: 650 });
    let some = queue.clean(State::Failed, Duration::ZERO, 50).await.expect("cleaned");
    assert_eq!(some, Swept { done: 50, left: 600 });
    let rest = queue.clean(State::Failed, Duration::ZERO, u64::MAX).await.expect("cleaned");
    assert_eq!(rest, Swept { done: 600, left: 0 });
    npm.call("pause", json!({ "queue": QUEUE, "paused": true })).await;
    let old = JobOptions { timestamp: Some(1_000_000), ..JobOptions::default() };
    let mut kept = Vec::new();
    for n in 0..5 {
        queue.add("old", json!({}), old.clone()).await.expect("added");
        kept.push(queue.add(&format!("young-{n}"), json!({}), JobOptions::default()).await.expect("added"));
    }
    let cleaned = queue.clean(State::Paused, hour, u64::MAX).await.expect("cleaned");
    assert_eq!(cleaned, Swept { done: 5, left: 5 });
    let page = queue.page(State::Paused, 0, 10, Order::OldestFirst).await.expect("a page");
    assert_eq!(page.jobs.iter().map(|job| job.id.clone()).collect::<Vec<_>>(), kept, "in their order");
    assert!(queue.clean(State::WaitingChildren, hour, 1).await.is_err());
}

#[tokio::test]
async fn delayed_jobs_are_promoted_one_or_all_and_run_by_npm() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    npm.work(QUEUE, json!({ "concurrency": 50 })).await;
    let jobs = (0..2300).map(|n| job(&format!("{n}"), json!({}), delayed(Duration::from_secs(3600))));
    let ids = queue.add_bulk(jobs).await.expect("added");
    assert!(queue.promote(&ids[7]).await.expect("an answer"));
    npm.job_in(QUEUE, &ids[7], "completed").await;
    assert!(!queue.promote(&ids[7]).await.expect("an answer"));
    assert_eq!(queue.promote_all(99).await.expect("moved"), Swept { done: 99, left: 2200 });
    assert_eq!(queue.promote_all(u64::MAX).await.expect("moved"), Swept { done: 2200, left: 0 });
    eventually("all are done", || async {
        (queue.size(State::Completed).await.expect("an answer") == 2300).then_some(())
    })
    .await;
}

#[tokio::test]
async fn failed_jobs_are_tried_again_one_or_all() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    npm.work(QUEUE, json!({ "concurrency": 50 })).await;
    let jobs = (0..1500).map(|_| job("once", json!({ "fail_times": 1 }), JobOptions::default()));
    let ids = queue.add_bulk(jobs).await.expect("added");
    let failed = async |jobs: u64| {
        eventually("so many have failed", || async {
            (queue.size(State::Failed).await.expect("an answer") == jobs).then_some(())
        })
        .await;
    };
    failed(1500).await;
    queue.retry(&ids[3]).await.expect("in line");
    let job = npm.job_in(QUEUE, &ids[3], "completed").await;
    assert_eq!((&job["attemptsMade"], &job["failedReason"]), (&json!(2), &Value::Null));
    assert!(matches!(queue.retry(&ids[3]).await, Err(Error::Refused { .. })));
    assert!(matches!(queue.retry("nobody").await, Err(Error::Missing(_))));
    assert_eq!(queue.retry_all(499).await.expect("in line"), Swept { done: 499, left: 1000 });
    failed(1000).await;
    let always =
        queue.add("always", json!({ "fail_times": 99 }), JobOptions::default()).await.expect("added");
    failed(1001).await;
    assert_eq!(queue.retry_all(u64::MAX).await.expect("in line"), Swept { done: 1001, left: 0 });
    failed(1).await;
    assert_eq!(queue.state(&always).await.expect("an answer"), Some(State::Failed));
    queue.repeat(&ids[3]).await.expect("in line again");
    eventually("it has run three times", || async {
        (npm.job(QUEUE, &ids[3]).await["attemptsMade"] == 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn jobs_are_removed_wherever_they_stand_unless_somebody_works_on_them() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    for options in [JobOptions::default(), prioritized(3), delayed(Duration::from_secs(60))] {
        let id = queue.add("x", json!({}), options).await.expect("added");
        assert!(queue.remove(&id).await.expect("removed"));
        assert!(!queue.remove(&id).await.expect("gone already"));
        assert_eq!(queue.state(&id).await.expect("an answer"), None);
        assert!(queue.job(&id).await.expect("an answer").is_none());
    }
    let children = json!([{ "name": "child", "queueName": "elsewhere", "data": {} }]);
    let flow = json!({ "name": "parent", "queueName": QUEUE, "data": {}, "children": children });
    let parent = npm.call("flow", json!({ "flow": flow })).await.as_str().expect("an id").to_owned();
    assert_eq!(queue.state(&parent).await.expect("an answer"), Some(State::WaitingChildren));
    let elsewhere = Queue::new(&client, "elsewhere").expect("a good name");
    assert_eq!(elsewhere.size(State::Waiting).await.expect("an answer"), 1);
    assert!(queue.remove(&parent).await.expect("removed"));
    assert_eq!(elsewhere.size(State::Waiting).await.expect("an answer"), 0);
    npm.work(QUEUE, json!({})).await;
    let held = queue.add("held", json!({ "sleep_ms": 30_000 }), JobOptions::default()).await.expect("added");
    npm.job_in(QUEUE, &held, "active").await;
    assert!(matches!(queue.remove(&held).await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn a_job_gets_another_delay_or_priority_and_npm_runs_it_so() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let late = queue.add("late", json!({}), delayed(Duration::from_secs(3600))).await.expect("added");
    let jobs = ["a", "b", "c"].map(|name| job(name, json!({}), prioritized(9)));
    let ids = queue.add_bulk(jobs).await.expect("added");
    queue.set_priority(&ids[2], 0).await.expect("moved");
    queue.set_priority(&ids[1], 3).await.expect("moved");
    assert!(queue.set_priority(&ids[1], LOWEST_PRIORITY + 1).await.is_err());
    assert!(matches!(queue.set_delay(&ids[0], Duration::ZERO).await, Err(Error::Refused { .. })));
    assert!(matches!(queue.set_delay("nobody", Duration::ZERO).await, Err(Error::Missing(_))));
    npm.work(QUEUE, json!({})).await;
    npm.job_in(QUEUE, &ids[0], "completed").await;
    let order: Vec<_> = npm.runs().await.into_iter().map(|run| run["name"].clone()).collect();
    assert_eq!(order, ["c", "b", "a"]);
    queue.set_delay(&late, Duration::from_millis(50)).await.expect("moved");
    npm.job_in(QUEUE, &late, "completed").await;
}

#[tokio::test]
async fn jobs_of_a_state_are_listed_page_by_page_however_large_they_are() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let large = "x".repeat(100_000);
    let jobs = (0..25).map(|n| job(&format!("{n}"), json!({ "large": large }), JobOptions::default()));
    let ids = queue.add_bulk(jobs).await.expect("added");
    let listed = async |offset, length, order| {
        let page = queue.page(State::Waiting, offset, length, order).await.expect("a page");
        assert_eq!(page.total, 25);
        assert!(page.jobs.iter().all(|job| job.data.len() == 2048 && job.timestamp.is_some()));
        page.jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(0, 10, Order::OldestFirst).await, ids[..10]);
    assert_eq!(listed(20, 10, Order::OldestFirst).await, ids[20..]);
    assert!(listed(25, 10, Order::OldestFirst).await.is_empty());
    let newest: Vec<String> = ids.iter().rev().take(10).cloned().collect();
    assert_eq!(listed(0, 10, Order::NewestFirst).await, newest);
    let whole = queue.job(&ids[0]).await.expect("an answer").expect("it is there");
    assert_eq!(whole.data["large"].as_str().map(str::len), Some(100_000));
    whole.log("one").await.expect("written");
    whole.log("two").await.expect("written");
    assert_eq!(queue.log_lines(&ids[0], 1, 10).await.expect("lines"), (vec!["two".to_owned()], 2));
}
