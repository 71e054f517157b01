use serde_json::json;

use super::{Eye, QUEUE, now_ms};
use crate::support::{Npm, Server};

#[tokio::test]
async fn the_oldest_is_found_in_line_by_priority_and_among_those_due() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    assert_eq!(Eye::on(&server).await.see().await.oldest_age_s, None);
    let ago = |seconds: i64| now_ms() - seconds * 1000;
    // Another watch each time: one that sees a job come believes its eyes, not the job's clock.
    let check = async |opts: serde_json::Value, at_least: f64| {
        npm.add(QUEUE, json!([{ "name": "n", "data": {}, "opts": opts }])).await;
        let mut eye = Eye::on(&server).await;
        let age = eye.see().await.oldest_age_s.expect("one waits");
        assert!((at_least..at_least + 10.0).contains(&age), "{opts}: {age}");
        eye
    };
    check(json!({ "timestamp": ago(20) }), 20.0).await;
    check(json!({ "priority": 1, "timestamp": ago(5) }), 20.0).await;
    check(json!({ "priority": 9, "timestamp": ago(60) }), 60.0).await;
    for priority in 2..9 {
        check(json!({ "priority": priority }), 60.0).await;
    }
    let mut eye = check(json!({ "delay": 10_000, "timestamp": ago(130) }), 120.0).await;
    let sample = eye.see().await;
    assert_eq!((sample.waiting, sample.prioritized, sample.delayed, sample.delayed_due), (1, 9, 1, 1));

    npm.call("pause", json!({ "queue": QUEUE, "paused": true })).await;
    let paused = eye.see().await;
    assert!(paused.paused && paused.waiting == 1 && paused.oldest_age_s > Some(119.0), "{paused:#?}");
}

#[tokio::test]
async fn a_job_that_comes_back_after_a_long_pause_is_not_old() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    npm.work(QUEUE, json!({})).await;
    let hour_ago = now_ms() - 3_600_000;
    let opts = json!({ "attempts": 2, "backoff": 1000, "timestamp": hour_ago });
    npm.add(QUEUE, json!([{ "name": "n", "data": { "fail_times": 1 }, "opts": opts }])).await;
    eye.until("it failed once", |sample| sample.delayed == 1).await;
    npm.call("close", json!({ "queue": QUEUE })).await;
    let due = eye.until("it is due again", |sample| sample.delayed_due == 1).await;
    assert!(due.oldest_age_s.is_some_and(|age| age < 10.0), "{:?}", due.oldest_age_s);
    assert_eq!((due.totals.arrivals, due.totals.retries), (1, 1));
}

#[tokio::test]
async fn a_delayed_job_is_no_backlog_until_it_is_due() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    npm.add(
        QUEUE,
        json!([{ "name": "soon", "data": {}, "opts": { "delay": 1900 } },
            { "name": "later", "data": {}, "opts": { "delay": 300_000 } },
            { "name": "tomorrow", "data": {}, "opts": { "delay": 86_400_000 } }]),
    )
    .await;
    let sample = eye.see().await;
    assert_eq!(
        (sample.delayed, sample.delayed_due, sample.claimable(), sample.oldest_age_s),
        (3, 0, 0, None)
    );
    assert_eq!(sample.totals.arrivals, 0);
    let due: Vec<(f64, u64)> = sample.due.iter().map(|due| (due.in_s, due.jobs)).collect();
    assert_eq!(due, [(2.0, 1), (300.0, 1)]);
    let sample = eye.until("the first is due", |sample| sample.delayed_due == 1).await;
    assert_eq!((sample.delayed, sample.claimable(), sample.due.len()), (3, 1, 1));
    assert!(sample.oldest_age_s.is_some_and(|age| age < 5.0));
    npm.work(QUEUE, json!({})).await;
    let sample = eye.until("it is done", |sample| sample.totals.completed == 1).await;
    assert_eq!((sample.totals.arrivals, sample.totals.retries, sample.delayed), (1, 0, 2));
}

#[tokio::test]
async fn many_delayed_jobs_are_told_by_bucket() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    let job = |delay: u64| json!({ "name": "n", "data": {}, "opts": { "delay": delay } });
    let jobs: Vec<_> = (0..200).map(|n| job(if n < 150 { 58_000 } else { 590_000 })).collect();
    npm.add(QUEUE, json!(jobs)).await;
    let due: Vec<(f64, u64)> = eye.see().await.due.iter().map(|due| (due.in_s, due.jobs)).collect();
    assert_eq!(due, [(60.0, 150), (600.0, 50)]);
}

#[tokio::test]
async fn schedulers_that_vanish_are_named() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    for id in ["sweep", "close"] {
        let scheduler = json!({ "queue": QUEUE, "id": id, "repeat": { "every": 3_600_000 }, "template": { "name": "n" } });
        npm.call("schedule", scheduler).await;
    }
    let sample = eye.see().await;
    assert_eq!(
        (sample.schedulers, sample.vanished_schedulers),
        (vec!["close".into(), "sweep".into()], vec![])
    );
    server.command(&["FLUSHALL"]).await;
    let sample = eye.see().await;
    assert_eq!(sample.vanished_schedulers, ["close", "sweep"]);
    assert!(!sample.exact && sample.schedulers.is_empty());
    let scheduler = json!({ "queue": QUEUE, "id": "close", "repeat": { "every": 3_600_000 }, "template": { "name": "n" } });
    npm.call("schedule", scheduler).await;
    let sample = eye.see().await;
    assert_eq!((sample.schedulers, sample.vanished_schedulers), (vec!["close".into()], vec!["sweep".into()]));
}
