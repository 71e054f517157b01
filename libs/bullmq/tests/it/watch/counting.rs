use std::time::Duration;

use ops_bullmq::{JobOptions, Queue, watch::Totals};
use serde_json::json;

use super::{Eye, QUEUE};
use crate::support::{Npm, Server, client, eventually, job};

#[tokio::test]
async fn counts_are_npms_in_every_state() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    npm.work(QUEUE, json!({ "concurrency": 1, "name": "one" })).await;
    let ended = json!([{ "name": "good", "data": {} }, { "name": "good", "data": {} },
        { "name": "bad", "data": { "fail_times": 9 } }]);
    npm.add(QUEUE, ended).await;
    npm.add(QUEUE, json!([{ "name": "long", "data": { "sleep_ms": 60_000 } }])).await;
    eye.until("the long one runs", |sample| sample.active == 1 && sample.waiting == 0).await;
    let hour = 3_600_000;
    npm.add(
        QUEUE,
        json!([{ "name": "next", "data": {} }, { "name": "next", "data": {} }, { "name": "next", "data": {} },
            { "name": "first", "data": {}, "opts": { "priority": 3 } },
            { "name": "later", "data": {}, "opts": { "delay": hour } },
            { "name": "later", "data": {}, "opts": { "delay": hour } }]),
    )
    .await;
    let flow = json!({ "name": "parent", "queueName": QUEUE,
        "children": [{ "name": "child", "queueName": "children", "data": {} }] });
    npm.call("flow", json!({ "flow": flow })).await;

    let sample = eye.see().await;
    let ours = json!({ "active": sample.active, "completed": sample.completed, "delayed": sample.delayed,
        "failed": sample.failed, "paused": 0, "prioritized": sample.prioritized, "waiting": sample.waiting,
        "waiting-children": sample.waiting_children });
    assert_eq!(ours, npm.call("counts", json!({ "queue": QUEUE })).await);
    assert_eq!(ours["waiting-children"], 1);
    let totals = Totals { arrivals: 8, started: 4, completed: 2, failed: 1, retries: 0, stalled: 0 };
    assert_eq!((sample.totals, sample.exact), (totals, true));
    assert_eq!((sample.workers, sample.delayed_due, sample.claimable()), (1, 0, 4));
    assert_eq!(sample.run_time.map(|spread| spread.count), Some(3));
    assert_eq!(sample.wait_time.map(|spread| spread.count), Some(4));
    assert_eq!(eye.look().await.queues["children"].waiting, 1, "found by itself");
}

#[tokio::test]
async fn what_is_tried_again_arrives_once() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    npm.work(QUEUE, json!({ "concurrency": 2 })).await;
    let later = json!({ "attempts": 2, "backoff": 150 });
    npm.add(
        QUEUE,
        json!([{ "name": "at once", "data": { "fail_times": 1 }, "opts": { "attempts": 2 } },
            { "name": "later", "data": { "fail_times": 1 }, "opts": later },
            { "name": "never", "data": { "fail_times": 9 }, "opts": later },
            { "name": "first later", "data": {}, "opts": { "delay": 100 } }]),
    )
    .await;
    // Looked at all the while, so that the events of one job are read in pieces.
    let ended = |sample: &ops_bullmq::watch::Sample| sample.totals.completed + sample.totals.failed == 4;
    let sample = eye.until("all end", ended).await;
    let totals = Totals { arrivals: 4, started: 7, completed: 3, failed: 1, retries: 3, stalled: 0 };
    assert_eq!((sample.totals, sample.exact), (totals, true));
}

#[tokio::test]
async fn counters_are_exact_under_load() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let other = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    for npm in [&npm, &other] {
        npm.work(QUEUE, json!({ "concurrency": 20, "removeOnComplete": { "count": 5 } })).await;
    }
    let all: Vec<_> = (0..1_200)
        .map(|n| {
            let fail_times = [0, 0, 1, 0, 2, 9][n % 6];
            let (backoff, delay) = ([0, 30][n / 6 % 2], [0, 0, 50][n % 3]);
            let opts = json!({ "attempts": 3, "backoff": backoff, "delay": delay, "priority": n % 4 });
            json!({ "name": "n", "data": { "fail_times": fail_times, "sleep_ms": n % 7 }, "opts": opts })
        })
        .collect();
    let adding = async {
        for some in all.chunks(50) {
            npm.add(QUEUE, json!(some)).await;
        }
    };
    let (_, sample) = tokio::join!(
        adding,
        eye.until("all end", |sample| sample.totals.completed + sample.totals.failed == 1_200)
    );
    // 600 end at the first attempt, 200 at the second, 200 at the third, 200 never.
    let totals =
        Totals { arrivals: 1_200, started: 2_200, completed: 1_000, failed: 200, retries: 1_000, stalled: 0 };
    assert_eq!((sample.totals, sample.exact), (totals, true));
    assert_eq!(sample.run_time.map(|spread| spread.count), Some(500));
    assert_eq!(sample.wait_time.map(|spread| spread.count), Some(500));
}

#[tokio::test]
async fn a_stalled_job_is_counted_as_such() {
    let server = Server::start().await;
    let mut dead = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    dead.work(QUEUE, json!({ "lockDuration": 500, "stalledInterval": 200 })).await;
    let id = dead.add(QUEUE, json!([{ "name": "long", "data": { "sleep_ms": 60_000 } }])).await.remove(0);
    eventually("it runs", || async { (!dead.runs_of(&id).await.is_empty()).then_some(()) }).await;
    dead.kill().await;
    let npm = Npm::start(&server).await;
    npm.work(QUEUE, json!({ "lockDuration": 2000, "stalledInterval": 200, "maxStalledCount": 0 })).await;
    let sample = eye.until("it fails for good", |sample| sample.totals.failed == 1).await;
    let totals = Totals { arrivals: 1, started: 2, completed: 0, failed: 1, retries: 0, stalled: 1 };
    assert_eq!(sample.totals, totals);
}

#[tokio::test]
async fn events_that_were_trimmed_unread_are_made_up_for_by_counts() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let add = async |jobs: usize| {
        let jobs = (0..jobs).map(|n| job("n", json!({ "n": n }), JobOptions::default()));
        queue.add_bulk(jobs).await.expect("added");
    };
    add(1).await;
    let mut eye = Eye::on(&server).await;
    add(7_000).await;
    let sample = eye.see().await;
    assert_eq!((sample.waiting, sample.totals.arrivals, sample.exact), (7_001, 7_000, false));
    assert!(eye.see().await.exact);

    add(5).await;
    server.command(&["DEL", &format!("bull:{QUEUE}:events")]).await;
    assert!(!eye.see().await.exact);
    add(2).await;
    let sample = eye.see().await;
    assert_eq!(
        (sample.totals.arrivals, sample.exact),
        (7_007, true),
        "a new stream is read from its beginning"
    );
}

#[tokio::test]
async fn a_burst_is_read_in_pieces() {
    let server = Server::start().await;
    let client = client(&server).await;
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    let mut eye = Eye::on(&server).await;
    let jobs = (0..4_000).map(|n| job("n", json!({ "n": n }), JobOptions::default()));
    queue.add_bulk(jobs).await.expect("added");
    let sample = eye.see().await;
    assert_eq!((sample.totals.arrivals, sample.exact), (4_000, true));
}

#[tokio::test]
async fn counters_go_on_after_the_server_was_away() {
    let mut server = Server::start().await;
    let queue = Queue::new(&client(&server).await, QUEUE).expect("a good name");
    let mut eye = Eye::on(&server).await;
    queue.add("n", json!({}), JobOptions::default()).await.expect("added");
    assert_eq!(eye.see().await.totals.arrivals, 1);
    server.kill();
    eye.watch.look(&mut eye.connection).await.expect_err("nobody is there");
    server.start_again().await;
    let queue = Queue::new(&client(&server).await, QUEUE).expect("a good name");
    queue.add("n", json!({}), JobOptions::default()).await.expect("added");
    eye.connection = super::connection(&server).await;
    let sample = eye.see().await;
    assert_eq!((sample.totals.arrivals, sample.waiting, sample.exact), (2, 2, true));
}

#[tokio::test]
async fn work_that_comes_to_an_idle_queue_is_told_at_once() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    npm.add("other", json!([{ "name": "n", "data": {} }])).await;
    eye.look().await;
    let mut waiting = super::connection(&server).await;
    let nothing = eye.watch.arrival(&mut waiting, Duration::from_millis(200)).await.expect("an answer");
    assert!(nothing.is_empty(), "{nothing:?}");

    let (come, added) = tokio::join!(eye.watch.arrival(&mut waiting, Duration::from_secs(20)), async {
        // Busy queues do not count as idle ones.
        npm.add("other", json!([{ "name": "n", "data": {} }])).await;
        npm.add(QUEUE, json!([{ "name": "n", "data": {} }])).await;
        tokio::time::Instant::now()
    });
    assert!(added.elapsed() < Duration::from_millis(100), "told after {:?}", added.elapsed());
    let come = come.expect("an answer");
    assert_eq!(come, [QUEUE]);
    let look =
        eye.watch.glance(&mut eye.connection, &come).await.expect("an answer").expect("it stands there");
    assert_eq!((look.queues[QUEUE].waiting, look.queues["other"].waiting), (1, 1));
}

#[tokio::test]
async fn a_queue_whose_workers_take_everything_at_once_is_left_alone_until_the_next_look() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    npm.work(QUEUE, json!({})).await;
    let id = npm.add(QUEUE, json!([{ "name": "n", "data": {} }])).await.remove(0);
    npm.job_in(QUEUE, &id, "completed").await;
    let mut waiting = super::connection(&server).await;
    let come = eye.watch.arrival(&mut waiting, Duration::from_secs(5)).await.expect("an answer");
    assert_eq!(come, [QUEUE]);
    assert_eq!(eye.watch.glance(&mut eye.connection, &come).await.expect("an answer"), None);
    let id = npm.add(QUEUE, json!([{ "name": "n", "data": {} }])).await.remove(0);
    npm.job_in(QUEUE, &id, "completed").await;
    let come = eye.watch.arrival(&mut waiting, Duration::from_millis(100)).await.expect("an answer");
    assert!(come.is_empty(), "{come:?}");
    assert_eq!(eye.see().await.totals.completed, 2);
}
