//! What our worker promises whoever else works on the queue.

use std::time::Duration;

use ops_bullmq::{Client, DEFAULT_PREFIX, Error, JobError, JobOptions, LOWEST_PRIORITY, Queue, Worker};
use serde_json::{Value, json};

use crate::support::{Npm, Server, client, eventually, job, obey, of, worker};

const QUEUE: &str = "alone";

#[tokio::test]
async fn rubbish_in_the_queue_does_not_stop_the_jobs_after_it() {
    for server in Server::start_each().await {
        let client = client(&server).await;
        let queue = Queue::new(&client, QUEUE).expect("a good name");
        let rubbish: [&[&str]; 7] = [
            &["name", "opts", "data", "{}", "opts", "{not json"],
            &["name", "data", "data", "{\"half\":", "opts", "{}"],
            &["name", "list", "data", "{}", "opts", "[1,2]"],
            &[
                "name",
                "types",
                "data",
                "7",
                "opts",
                "{\"attempts\":\"x\",\"backoff\":[],\"priority\":-3,\"removeOnComplete\":\"y\"}",
            ],
            &[
                "name",
                "counters",
                "data",
                "{}",
                "opts",
                "{}",
                "atm",
                "x",
                "ats",
                "y",
                "stc",
                "z",
                "stacktrace",
                "?",
            ],
            &[
                "name",
                "bytes",
                "data",
                "\"ok\"",
                "opts",
                "{}",
                "parent",
                "{{{",
                "rjk",
                "nobody",
                "timestamp",
                "never",
            ],
            &["no", "name"],
        ];
        for (n, fields) in rubbish.iter().enumerate() {
            let key = format!("bull:{QUEUE}:rubbish-{n}");
            server.command(&[&["HSET", key.as_str()], *fields].concat()).await;
            server.command(&["LPUSH", "bull:alone:wait", &format!("rubbish-{n}")]).await;
        }
        server.command(&["SET", "bull:alone:no-hash", "x"]).await;
        for id in ["no-hash", "gone", "0:5", ""] {
            server.command(&["LPUSH", "bull:alone:wait", id]).await;
            server.command(&["ZADD", "bull:alone:delayed", "1", id]).await;
            server.command(&["ZADD", "bull:alone:prioritized", "1", id]).await;
        }
        server
            .command(&["HSET", "bull:alone:meta", "opts.maxLenEvents", "many", "concurrency", "some"])
            .await;
        let good = queue.add("good", json!({}), JobOptions::default()).await.expect("added");
        let (builder, runs) = worker(&client, QUEUE);
        let kept = runs.clone();
        let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
        eventually("the good one has run", || async { (!of(&runs, &good).is_empty()).then_some(()) }).await;
        eventually("nothing is left", || async {
            let counts = queue.counts().await.expect("an answer");
            (counts.waiting + counts.active + counts.delayed + counts.prioritized == 0).then_some(())
        })
        .await;
        let failed = queue.job("rubbish-0").await.expect("an answer").expect("kept");
        assert_eq!(failed.failed_reason.as_deref(), Some("the job's options are not a json object"));
        let failed = queue.job("rubbish-1").await.expect("an answer").expect("kept");
        assert_eq!(failed.failed_reason.as_deref(), Some("the job's data is not json"));
        assert_eq!(of(&runs, "rubbish-3").len(), 1);
        assert_eq!(of(&runs, "rubbish-4").len(), 1);
        handle.close(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_panic_fails_the_job_and_not_the_worker() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let (builder, runs) = worker(&client, QUEUE);
    let handle = builder.concurrency(1).run(move |job| obey(runs.clone(), job)).expect("a good name");
    let bad = queue.add("bad", json!({ "panic": 1 }), JobOptions::default()).await.expect("added");
    let good = queue.add("good", json!({}), JobOptions::default()).await.expect("added");
    let ended = async |id: &str| {
        eventually("it has ended", || async {
            queue.job(id).await.expect("an answer").filter(|job| job.finished_on.is_some())
        })
        .await
    };
    assert!(ended(&good).await.return_value.is_some());
    assert_eq!(ended(&bad).await.failed_reason.as_deref(), Some("the handler panicked: told to panic"));
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_unrecoverable_error_is_not_tried_again_and_errors_keep_their_causes() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let handle = Worker::builder(&client, QUEUE)
        .run(|job| async move {
            if job.name == "parse" {
                "x".parse::<u32>()?;
            }
            Err(JobError::Unrecoverable("never".to_owned()))
        })
        .expect("a good name");
    let thrice = JobOptions { attempts: Some(3), ..JobOptions::default() };
    let never = queue.add("never", Value::Null, thrice.clone()).await.expect("added");
    let parse = queue.add("parse", Value::Null, thrice).await.expect("added");
    let ended = async |id: &str| {
        eventually("it has ended", || async {
            queue.job(id).await.expect("an answer").filter(|job| job.finished_on.is_some())
        })
        .await
    };
    let never = ended(&never).await;
    assert_eq!((never.attempts_made, never.failed_reason.as_deref()), (1, Some("never")));
    let parse = ended(&parse).await;
    assert_eq!(parse.attempts_made, 3);
    assert_eq!(parse.stack_trace.len(), 3);
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_rate_limit_holds_over_two_workers_and_loses_nothing() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder
        .limit(10, Duration::from_millis(500))
        .run(move |job| obey(kept.clone(), job))
        .expect("a good name");
    npm.work(QUEUE, json!({ "limiter": { "max": 10, "duration": 500 }, "concurrency": 3 })).await;
    let jobs = (0..35).map(|n| job(&format!("{n}"), json!({}), JobOptions::default()));
    queue.add_bulk(jobs).await.expect("added");
    eventually("all are done", || async {
        (queue.counts().await.expect("an answer").completed == 35).then_some(())
    })
    .await;
    let mut at: Vec<i64> = runs.lock().expect("not poisoned").iter().map(|run| run.at).collect();
    at.extend(npm.runs().await.iter().filter_map(|run| run["at"].as_i64()));
    at.sort_unstable();
    assert_eq!(at.len(), 35);
    assert!(at[34] - at[0] >= 1400, "35 jobs at 10 in 500 ms need three pauses: {} ms", at[34] - at[0]);
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_paused_queue_rests_and_a_global_concurrency_is_kept() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    npm.call("pause", json!({ "queue": QUEUE, "paused": true })).await;
    npm.call("concurrency", json!({ "queue": QUEUE, "jobs": 2 })).await;
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
    let jobs = (0..12).map(|n| job(&format!("{n}"), json!({ "sleep_ms": 20 }), JobOptions::default()));
    queue.add_bulk(jobs).await.expect("added");
    assert_eq!(queue.counts().await.expect("an answer").paused, 12);
    assert!(runs.lock().expect("not poisoned").is_empty());
    npm.call("pause", json!({ "queue": QUEUE, "paused": false })).await;
    let mut most = 0;
    while queue.counts().await.expect("an answer").completed < 12 {
        most = most.max(handle.running());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!((1..=2).contains(&most), "{most} at once");
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_job_that_arrives_while_others_run_does_not_wait_for_them() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.concurrency(3).run(move |job| obey(kept.clone(), job)).expect("a good name");
    let long = queue.add("long", json!({ "sleep_ms": 30_000 }), JobOptions::default()).await.expect("added");
    eventually("the long one runs", || async { (!of(&runs, &long).is_empty()).then_some(()) }).await;
    for round in 0..20 {
        let jobs = (0..10).map(|n| job(&format!("{round}-{n}"), json!({}), JobOptions::default()));
        queue.add_bulk(jobs).await.expect("added");
        eventually("the burst is done", || async {
            (queue.counts().await.expect("an answer").completed == (round + 1) * 10).then_some(())
        })
        .await;
    }
    assert!(queue.oldest_wait().await.expect("an answer").is_none());
    assert_eq!(handle.close(Duration::ZERO).await.len(), 1);
}

#[tokio::test]
async fn a_lock_outlives_its_duration_while_its_job_runs() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let start = || {
        let (builder, runs) = worker(&client, QUEUE);
        let kept = runs.clone();
        let builder =
            builder.lock_duration(Duration::from_millis(300)).stalled_interval(Duration::from_millis(100));
        (builder.run(move |job| obey(kept.clone(), job)).expect("a good name"), runs)
    };
    let ((one, ran_by_one), (two, ran_by_two)) = (start(), start());
    let id = queue.add("long", json!({ "sleep_ms": 1500 }), JobOptions::default()).await.expect("added");
    eventually("it is done", || async {
        queue.job(&id).await.expect("an answer").and_then(|job| job.finished_on)
    })
    .await;
    assert_eq!(of(&ran_by_one, &id).len() + of(&ran_by_two, &id).len(), 1);
    one.close(Duration::from_secs(5)).await;
    two.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_npm_refuses_is_refused_and_a_dead_server_is_an_error_within_the_deadline() {
    let server = Server::start().await;
    let client = client(&server).await;
    for name in ["", "a:b"] {
        assert!(matches!(Queue::new(&client, name), Err(Error::QueueName)), "{name}");
    }
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let check = async |options: JobOptions| {
        let refused = queue.add("x", Value::Null, options.clone()).await;
        assert!(matches!(refused, Err(Error::Option(_))), "{options:?}");
    };
    for id in ["12", "-3", "a:b", ""] {
        check(JobOptions { job_id: Some(id.to_owned()), ..JobOptions::default() }).await;
    }
    check(JobOptions { priority: Some(LOWEST_PRIORITY + 1), ..JobOptions::default() }).await;
    drop(server);
    let ask = async {
        let error = Client::connect("redis://127.0.0.1:1", DEFAULT_PREFIX).await.expect_err("nobody there");
        assert!(error.is_connection(), "{error:?}");
        let added = queue.add("x", Value::Null, JobOptions::default()).await;
        assert!(added.expect_err("nobody there").is_connection());
    };
    tokio::time::timeout(Duration::from_secs(30), ask).await.expect("calls have a deadline");
}

#[tokio::test]
async fn a_handler_can_change_its_data_write_a_log_and_hold_on_to_its_lock() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let handle = Worker::builder(&client, QUEUE)
        .run(|job| async move {
            job.log(&format!("attempt {}", job.attempts_started)).await?;
            job.extend_lock(Duration::from_secs(60)).await?;
            let seen: Vec<u32> = job.data_as()?;
            job.update_data(json!([seen[0] + 1])).await?;
            if job.attempts_made == 0 { Err(JobError::retry("once more")) } else { Ok(json!(seen)) }
        })
        .expect("a good name");
    let options = JobOptions { attempts: Some(2), keep_logs: Some(1), ..JobOptions::default() };
    let id = queue.add("step", json!([7]), options).await.expect("added");
    let job = npm.job_in(QUEUE, &id, "completed").await;
    assert_eq!((&job["returnvalue"], &job["data"]), (&json!([8]), &json!([9])));
    let logs = server.command(&["LRANGE", &format!("bull:{QUEUE}:{id}:logs"), "0", "-1"]).await;
    assert_eq!(redis::from_redis_value::<Vec<String>>(logs).expect("texts"), ["attempt 2"]);
    let job = queue.job(&id).await.expect("an answer").expect("kept");
    assert!(matches!(job.extend_lock(Duration::from_secs(1)).await, Err(Error::LockLost(_))));
    server.command(&["DEL", &format!("bull:{QUEUE}:{id}")]).await;
    assert!(matches!(job.update_data(json!(1)).await, Err(Error::Missing(_))));
    handle.close(Duration::from_secs(5)).await;
}
