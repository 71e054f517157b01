//! Jobs survive the death of their worker, the restart of their server, and a worker that closes.

use std::time::Duration;

use ops_bullmq::{JobOptions, Queue};
use serde_json::{Value, json};

use crate::support::{Npm, Server, client, eventually, job, obey, of, worker};

const QUEUE: &str = "recovery";

#[tokio::test]
async fn a_job_of_our_dead_worker_is_finished_by_npm() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let lock = Duration::from_millis(600);
    let handle = builder
        .lock_duration(lock)
        .stalled_interval(lock / 2)
        .run(move |job| obey(kept.clone(), job))
        .expect("a good name");
    let id = npm.add(QUEUE, json!([{ "name": "long", "data": { "sleep_ms": 1500 } }])).await.remove(0);
    eventually("it runs", || async { (!of(&runs, &id).is_empty()).then_some(()) }).await;
    drop(handle);
    npm.call("listen", json!({ "queue": QUEUE })).await;
    npm.work(QUEUE, json!({ "stalledInterval": 300, "lockDuration": 2000 })).await;
    let job = npm.job_in(QUEUE, &id, "completed").await;
    assert_eq!(job["returnvalue"]["by"], "npm");
    assert_eq!(job["stalledCounter"], 1);
    assert_eq!((of(&runs, &id).len(), npm.runs_of(&id).await.len()), (1, 1));
    assert!(npm.seen(&id).await.iter().any(|event| event["event"] == "stalled"));
}

#[tokio::test]
async fn a_job_of_npms_dead_worker_is_finished_by_ours() {
    let server = Server::start().await;
    let mut dead = Npm::start(&server).await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    dead.work(QUEUE, json!({ "lockDuration": 800, "stalledInterval": 300 })).await;
    let id = npm.add(QUEUE, json!([{ "name": "long", "data": { "sleep_ms": 1500 } }])).await.remove(0);
    eventually("it runs", || async { (!dead.runs_of(&id).await.is_empty()).then_some(()) }).await;
    dead.kill().await;
    npm.call("listen", json!({ "queue": QUEUE })).await;
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder
        .stalled_interval(Duration::from_millis(300))
        .run(move |job| obey(kept.clone(), job))
        .expect("a good name");
    let job = npm.job_in(QUEUE, &id, "completed").await;
    assert_eq!(job["returnvalue"]["by"], "ours");
    assert_eq!(of(&runs, &id).len(), 1);
    assert!(npm.seen(&id).await.iter().any(|event| event["event"] == "stalled"));
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_job_that_stalls_too_often_fails_for_good() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let id = queue.add("poison", json!({ "sleep_ms": 60_000 }), JobOptions::default()).await.expect("added");
    for round in 1..=2 {
        let (builder, runs) = worker(&client, QUEUE);
        let kept = runs.clone();
        let builder =
            builder.lock_duration(Duration::from_millis(200)).stalled_interval(Duration::from_millis(200));
        let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
        eventually("it runs again", || async { (!of(&runs, &id).is_empty()).then_some(()) }).await;
        drop(handle);
        let job = queue.job(&id).await.expect("an answer").expect("it is there");
        assert_eq!(job.attempts_started, round);
    }
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder
        .stalled_interval(Duration::from_millis(200))
        .run(move |job| obey(kept.clone(), job))
        .expect("a good name");
    let job = eventually("it has failed", || async {
        let job = queue.job(&id).await.expect("an answer").expect("it is there");
        job.finished_on.is_some().then_some(job)
    })
    .await;
    assert_eq!(job.failed_reason.as_deref(), Some("job stalled more than allowable limit"));
    assert!(of(&runs, &id).is_empty());
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_closing_worker_finishes_what_it_can_and_puts_the_rest_back() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let quick =
        (0..30).map(|n| job(&format!("quick-{n}"), json!({ "sleep_ms": 100 }), JobOptions::default()));
    let long = job("long", json!({ "sleep_ms": 20_000 }), JobOptions::default());
    let ids = queue.add_bulk([long].into_iter().chain(quick)).await.expect("added");
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
    eventually("it works", || async { (runs.lock().expect("not poisoned").len() >= 6).then_some(()) }).await;
    let unfinished = handle.close(Duration::from_secs(1)).await;
    assert_eq!(unfinished.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["long"]);
    let counts = queue.counts().await.expect("an answer");
    assert_eq!((counts.active, counts.waiting + counts.completed), (0, 31), "{counts:?}");
    server.command(&["HSET", &format!("bull:{QUEUE}:{}", ids[0]), "data", "{}"]).await;
    npm.work(QUEUE, json!({ "concurrency": 10 })).await;
    eventually("npm does the rest", || async {
        (queue.counts().await.expect("an answer").completed == 31).then_some(())
    })
    .await;
    let ours = runs.lock().expect("not poisoned").clone();
    let theirs = npm.runs().await;
    for id in &ids[1..] {
        let times = ours.iter().filter(|run| run.id == *id).count()
            + theirs.iter().filter(|run| run["id"] == *id).count();
        assert_eq!(times, 1, "job {id}");
    }
}

#[tokio::test]
async fn a_worker_goes_on_after_its_server_was_killed_and_started_again() {
    for mut server in Server::start_each().await {
        let client = client(&server).await;
        let queue = Queue::new(&client, QUEUE).expect("a good name");
        let (builder, runs) = worker(&client, QUEUE);
        let kept = runs.clone();
        let builder = builder
            .lock_duration(Duration::from_secs(10))
            .stalled_interval(Duration::from_secs(1))
            .max_stalled(9);
        let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
        let jobs = |count: usize| {
            (0..count).map(|n| job(&format!("{n}"), json!({ "sleep_ms": 5 }), JobOptions::default()))
        };
        let ids = queue.add_bulk(jobs(400)).await.expect("added");
        eventually("it works", || async { (runs.lock().expect("not poisoned").len() >= 50).then_some(()) })
            .await;
        server.kill();
        assert!(queue.add("lost", Value::Null, JobOptions::default()).await.is_err());
        server.start_again().await;
        server.command(&["SCRIPT", "FLUSH"]).await;
        eventually("jobs are added again", || async {
            queue.add("more", Value::Null, JobOptions::default()).await.ok()
        })
        .await;
        let done = eventually("all are done", || async {
            let counts = queue.counts().await.expect("an answer");
            (counts.completed >= 401 && counts.active == 0 && counts.waiting == 0).then_some(counts)
        })
        .await;
        assert_eq!(done.failed, 0);
        let twice: Vec<&String> = ids.iter().filter(|id| of(&runs, id).len() != 1).collect();
        assert!(twice.is_empty(), "not run once: {twice:?}");
        handle.close(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn an_idle_worker_wakes_for_the_first_job_after_a_restart() {
    let mut server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
    queue.add("first", Value::Null, JobOptions::default()).await.expect("added");
    eventually("it works", || async { (runs.lock().expect("not poisoned").len() == 1).then_some(()) }).await;
    server.start_again().await;
    eventually("jobs are added again", || async {
        queue.add("more", Value::Null, JobOptions::default()).await.ok()
    })
    .await;
    eventually("it works again", || async { (runs.lock().expect("not poisoned").len() >= 2).then_some(()) })
        .await;
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn no_job_is_lost_or_run_twice_when_connections_break_again_and_again() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
    let jobs = (0..600).map(|n| job(&format!("{n}"), json!({ "sleep_ms": n % 5 }), JobOptions::default()));
    let ids = queue.add_bulk(jobs).await.expect("added");
    for breaks in 1..=10 {
        let reached = breaks * 50;
        eventually("it works", || async {
            (runs.lock().expect("not poisoned").len() >= reached).then_some(())
        })
        .await;
        server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    }
    eventually("all are done", || async {
        queue.counts().await.ok().filter(|counts| counts.completed == 600 && counts.active == 0).map(drop)
    })
    .await;
    let wrong: Vec<&String> = ids.iter().filter(|id| of(&runs, id).len() != 1).collect();
    assert!(wrong.is_empty(), "not run once: {wrong:?}");
    handle.close(Duration::from_secs(5)).await;
}
