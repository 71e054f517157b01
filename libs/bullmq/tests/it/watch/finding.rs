use std::collections::BTreeSet;

use ops_bullmq::watch::{MOST_QUEUES, RateLimit, Sample, Watch};
use serde_json::json;

use super::{Eye, QUEUE};
use crate::support::{Npm, Server, client};

#[tokio::test]
async fn a_queue_that_is_named_is_known_before_it_exists_and_others_are_found_within_two_looks() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    assert_eq!(eye.see().await, Sample { exact: true, ..Sample::default() });
    npm.add("new", json!([{ "name": "n", "data": {} }, { "name": "n", "data": {} }])).await;
    let look = eye.look().await;
    assert_eq!((look.queues["new"].waiting, look.unread), (2, 0));
    assert_eq!(look.maxmemory_policy.as_deref(), Some("noeviction"));
    npm.add("new", json!([{ "name": "n", "data": {} }])).await;
    let new = eye.look().await.queues.remove("new").expect("it was found");
    assert_eq!(
        (new.waiting, new.totals.arrivals, new.exact),
        (3, 3, true),
        "it is new, so all of it arrived"
    );
}

#[tokio::test]
async fn limits_and_workers_are_told() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let mut eye = Eye::on(&server).await;
    for name in ["one", "two"] {
        npm.work(QUEUE, json!({ "name": name })).await;
    }
    npm.call("listen", json!({ "queue": QUEUE })).await;
    npm.call("concurrency", json!({ "queue": QUEUE, "jobs": 7 })).await;
    server.command(&["HSET", &format!("bull:{QUEUE}:meta"), "max", "50", "duration", "1500"]).await;
    let sample = eye.until("both are connected", |sample| sample.workers == 2).await;
    assert_eq!(sample.global_concurrency, Some(7));
    assert_eq!(sample.limit, Some(RateLimit { max: 50, per_s: 1.5 }));

    // Ours are counted like npm's, those that are busy from the start as well, with any name.
    let client = client(&server).await;
    let mut ours = Vec::new();
    for name in ["three", "a name with blanks"] {
        let worker = ops_bullmq::Worker::builder(&client, QUEUE).name(name);
        ours.push(worker.run(|_| async { Ok(serde_json::Value::Null) }).unwrap());
    }
    eye.until("all four are connected", |sample| sample.workers == 4).await;
    for worker in ours {
        worker.close(std::time::Duration::from_secs(1)).await;
    }
    eye.until("ours have left", |sample| sample.workers == 2).await;
}

#[tokio::test]
async fn odd_keys_hide_nothing() {
    let server = Server::start().await;
    let odd = ["ä \"ö\"", "a*[b]?", "two  words", "\n", "\\", "x".repeat(300).leak()];
    for name in odd {
        server.command(&["HSET", &format!("bull:{name}:meta"), "version", "bullmq:5"]).await;
        server.command(&["LPUSH", &format!("bull:{name}:wait"), "gone"]).await;
    }
    server.command(&["SET", "bull:text:meta", "no hash"]).await;
    server.command(&["HSET", "bull:mail:repeat:meta", "name", "a scheduler called meta"]).await;
    server
        .command(&["HSET", "bull:types:meta", "version", "bullmq:5", "max", "many", "duration", "-1"])
        .await;
    for part in ["wait", "prioritized", "delayed", "events", "repeat", "completed"] {
        server.command(&["SET", &format!("bull:types:{part}"), "rubbish"]).await;
    }
    server.command(&["RPUSH", "bull:types:active", "1", "2"]).await;
    for (id, value) in [("1", "NaN"), ("2", "99e99"), ("3", "")] {
        server.command(&["HSET", &format!("bull:{QUEUE}:{id}"), "timestamp", value, "opts", "[{]"]).await;
        server.command(&["LPUSH", &format!("bull:{QUEUE}:wait"), id]).await;
    }
    server.command(&["ZADD", &format!("bull:{QUEUE}:delayed"), "-inf", "a", "inf", "b", "1e300", "c"]).await;
    server.command(&["XADD", &format!("bull:{QUEUE}:events"), "*", "no", "event"]).await;

    let mut eye = Eye::on(&server).await;
    server.command(&["XADD", &format!("bull:{QUEUE}:events"), "*", "event", "waiting"]).await;
    let look = eye.look().await;
    let known: BTreeSet<&str> = look.queues.keys().map(String::as_str).collect();
    assert_eq!(known, odd.into_iter().chain(["types", QUEUE]).collect());
    for name in odd {
        assert_eq!((look.queues[name].waiting, look.queues[name].exact), (1, true), "{name:?}");
    }
    let types = &look.queues["types"];
    assert_eq!((types.waiting, types.active, types.limit, types.exact), (0, 2, None, false));
    let queue = &look.queues[QUEUE];
    assert_eq!((queue.waiting, queue.delayed, queue.totals.arrivals, queue.exact), (3, 3, 1, true));

    server.command(&["DEL", "bull:types:events"]).await;
    server.command(&["XADD", "bull:types:events", "*", "event", "waiting", "jobId", "9"]).await;
    eye.look().await;
    server.command(&["XADD", "bull:types:events", "*", "event", "waiting", "jobId", "10"]).await;
    let types = eye.look().await.queues.remove("types").expect("it is known");
    assert!(types.exact && types.totals.arrivals >= 1, "{types:#?}");
}

#[tokio::test]
async fn of_more_queues_than_can_be_read_the_rest_is_counted() {
    let server = Server::start().await;
    let mut connection = super::connection(&server).await;
    let mut pipe = redis::pipe();
    for n in 0..1_499 {
        pipe.hset(format!("bull:queue-{n}:meta"), "version", "bullmq:5").ignore();
        pipe.lpush(format!("bull:queue-{n}:wait"), "1").ignore();
    }
    pipe.query_async::<()>(&mut connection).await.expect("written");
    let mut watch = Watch::new("bull", [QUEUE.to_owned()]);
    let mut look = watch.look(&mut connection).await.expect("an answer");
    for _ in 0..6 {
        look = watch.look(&mut connection).await.expect("an answer");
    }
    assert_eq!((look.queues.len(), look.unread), (MOST_QUEUES, 500));
    let read = look.queues.iter().filter(|(name, queue)| *name == QUEUE || queue.waiting == 1);
    assert_eq!(read.count(), MOST_QUEUES);
}

#[tokio::test]
async fn a_queue_that_is_gone_is_forgotten_and_makes_room() {
    let server = Server::start().await;
    for name in ["gone", "stays"] {
        server.command(&["HSET", &format!("bull:{name}:meta"), "version", "bullmq:5"]).await;
    }
    let mut eye = Eye::on(&server).await;
    server.command(&["DEL", "bull:gone:meta"]).await;
    for _ in 0..29 {
        assert_eq!(eye.look().await.queues.len(), 3);
    }
    for _ in 0..5 {
        eye.look().await;
    }
    let names: Vec<String> = eye.look().await.queues.into_keys().collect();
    assert_eq!(names, ["stays", QUEUE]);
}
