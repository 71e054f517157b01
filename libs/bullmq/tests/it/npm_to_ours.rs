//! What an npm program adds, our worker runs as npm's would.

use std::time::Duration;

use ops_bullmq::{Keep, Queue};
use serde_json::{Value, json};

use crate::support::{Npm, Server, client, eventually, obey, of, waits, worker};

const QUEUE: &str = "from-npm";

#[tokio::test]
async fn jobs_of_every_kind_are_run_and_npm_sees_how_they_ended() {
    for server in Server::start_each().await {
        check_kinds(&server).await;
    }
}

async fn check_kinds(server: &Server) {
    let npm = Npm::start(server).await;
    npm.call("listen", json!({ "queue": QUEUE })).await;
    let client = client(server).await;
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.name("ours-1").run(move |job| obey(kept.clone(), job)).expect("a good name");

    let utf8 = json!({ "text": "žluťoučký kůň 🐎 \u{0000} \" / \\ \u{2028}" });
    let table = json!([
        { "name": "plain", "data": { "n": 1 } },
        { "name": "null", "data": null },
        { "name": "utf8", "data": utf8 },
        { "name": "delayed", "data": {}, "opts": { "delay": 300 } },
        { "name": "priority", "data": {}, "opts": { "priority": 3 } },
        { "name": "lowest", "data": {}, "opts": { "priority": 2097151 } },
        { "name": "custom", "data": {}, "opts": { "jobId": "my-id" } },
        { "name": "fixed", "data": { "fail_times": 2 }, "opts": { "attempts": 3, "backoff": { "type": "fixed", "delay": 150 } } },
        { "name": "number", "data": { "fail_times": 1 }, "opts": { "attempts": 2, "backoff": 100 } },
        { "name": "exponential", "data": { "fail_times": 2 }, "opts": { "attempts": 3, "backoff": { "type": "exponential", "delay": 150 } } },
        { "name": "at-once", "data": { "fail_times": 1 }, "opts": { "attempts": 2 } },
        { "name": "unknown-strategy", "data": { "fail_times": 1 }, "opts": { "attempts": 2, "backoff": { "type": "mine" } } },
        { "name": "progress", "data": { "progress": { "half": true } } },
        { "name": "traced", "data": {}, "opts": { "telemetry": { "metadata": "{\"traceparent\":\"00-a-b-01\"}" } } }
    ]);
    let ids = npm.add(QUEUE, table.clone()).await;
    for (row, id) in table.as_array().expect("a table").iter().zip(&ids) {
        let job = npm.job_in(QUEUE, id, "completed").await;
        assert_eq!(job["returnvalue"], json!({ "by": "ours", "data": row["data"] }), "{row}");
        let fails = row["data"]["fail_times"].as_u64().unwrap_or(0) as usize;
        assert_eq!(of(&runs, id).len(), fails + 1, "{row}");
        assert_eq!(job["attemptsMade"], json!(fails + 1), "{row}");
        assert_eq!(job["stacktrace"].as_array().map_or(0, Vec::len), fails, "{row}");
    }
    let id_of = |name: &str| {
        let at = table
            .as_array()
            .expect("a table")
            .iter()
            .position(|row| row["name"] == name)
            .expect("in the table");
        ids[at].clone()
    };
    let gaps = |name: &str| waits(&of(&runs, &id_of(name)).iter().map(|run| run.at).collect::<Vec<_>>());
    assert!(gaps("fixed").iter().all(|wait| *wait >= 145), "{:?}", gaps("fixed"));
    let grown = gaps("exponential");
    assert!(grown[0] >= 145 && grown[1] >= 295, "{grown:?}");
    assert_eq!(id_of("custom"), "my-id");
    assert_eq!(of(&runs, &id_of("traced"))[0].telemetry.as_deref(), Some("{\"traceparent\":\"00-a-b-01\"}"));
    let events = |id: String| {
        let npm = &npm;
        async move {
            npm.seen(&id)
                .await
                .iter()
                .map(|event| event["event"].as_str().unwrap_or("").to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(events(id_of("plain")).await, ["added", "waiting", "active", "completed"]);
    assert_eq!(
        events(id_of("number")).await,
        ["added", "waiting", "active", "delayed", "waiting", "active", "completed"]
    );
    let progress = npm.seen(&id_of("progress")).await;
    assert!(progress.iter().any(|event| event["event"] == "progress" && event["data"]["half"] == true));
    assert!(handle.close(Duration::from_secs(5)).await.is_empty());
}

#[tokio::test]
async fn a_job_without_attempts_left_fails_with_its_stacks_and_npm_hears_of_it() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    npm.call("listen", json!({ "queue": QUEUE })).await;
    let client = client(&server).await;
    let (builder, runs) = worker(&client, QUEUE);
    let handle = builder.run(move |job| obey(runs.clone(), job)).expect("a good name");
    let fail = json!({ "fail_times": 99 });
    let ids = npm
        .add(
            QUEUE,
            json!([
                { "name": "twice", "data": fail, "opts": { "attempts": 2 } },
                { "name": "short", "data": fail, "opts": { "attempts": 3, "stackTraceLimit": 1 } }
            ]),
        )
        .await;
    let twice = npm.job_in(QUEUE, &ids[0], "failed").await;
    assert_eq!(twice["failedReason"], "told to fail 1");
    assert_eq!(twice["stacktrace"], json!(["Error: told to fail 0", "Error: told to fail 1"]));
    let short = npm.job_in(QUEUE, &ids[1], "failed").await;
    assert_eq!(short["stacktrace"], json!(["Error: told to fail 2"]));
    let seen = eventually("the events", || async {
        let seen = npm.seen(&ids[0]).await;
        seen.iter().any(|event| event["event"] == "retries-exhausted").then_some(seen)
    })
    .await;
    assert!(seen.iter().any(|event| event["event"] == "failed" && event["failedReason"] == "told to fail 1"));
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn finished_jobs_are_kept_as_the_job_or_the_worker_says() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let check = async |queue: &str, opts: Value, fails: u32, keep: Keep, kept: u64| {
        let (builder, runs) = worker(&client, queue);
        let done = runs.clone();
        let handle = builder
            .concurrency(1)
            .remove_on_complete(keep)
            .remove_on_fail(keep)
            .run(move |job| obey(runs.clone(), job))
            .expect("a good name");
        let job = json!({ "name": "kept", "data": { "fail_times": fails }, "opts": opts });
        npm.add(queue, Value::from(vec![job; 7])).await;
        let queue = Queue::new(&client, queue).expect("a good name");
        let counts = eventually("all have run", || async {
            let counts = queue.counts().await.expect("an answer");
            (done.lock().expect("not poisoned").len() == 7 && counts.active == 0).then_some(counts)
        })
        .await;
        assert_eq!(counts.completed + counts.failed, kept, "{opts} {keep:?}");
        handle.close(Duration::from_secs(5)).await;
    };
    check("a", json!({}), 0, Keep::All, 7).await;
    check("b", json!({ "removeOnComplete": true }), 0, Keep::All, 0).await;
    check("c", json!({ "removeOnComplete": 3 }), 0, Keep::All, 3).await;
    check("d", json!({ "removeOnComplete": { "count": 2 } }), 0, Keep::All, 2).await;
    check("e", json!({ "removeOnComplete": { "age": 3600, "count": 4 } }), 0, Keep::Nothing, 4).await;
    check("f", json!({ "removeOnFail": 2 }), 1, Keep::All, 2).await;
    check("g", json!({ "removeOnFail": true }), 1, Keep::All, 0).await;
    check("h", json!({}), 0, Keep::Last(5), 5).await;
    check("i", json!({ "removeOnComplete": false }), 0, Keep::Nothing, 7).await;
    check("j", json!({}), 1, Keep::For { age: Duration::from_secs(60), count: Some(1) }, 1).await;
}

#[tokio::test]
async fn prioritized_jobs_run_in_the_order_of_their_priority() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let priorities = [5, 1, 2_097_151, 1, 0, 3];
    let jobs: Vec<Value> = priorities
        .iter()
        .enumerate()
        .map(|(n, priority)| json!({ "name": format!("{n}"), "data": {}, "opts": { "priority": priority } }))
        .collect();
    npm.add(QUEUE, Value::from(jobs)).await;
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.concurrency(1).run(move |job| obey(kept.clone(), job)).expect("a good name");
    let order = eventually("all have run", || async {
        let names: Vec<String> =
            runs.lock().expect("not poisoned").iter().map(|run| run.name.clone()).collect();
        (names.len() == priorities.len()).then_some(names)
    })
    .await;
    assert_eq!(order, ["4", "1", "3", "5", "0", "2"]);
    handle.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_scheduler_made_by_npm_goes_on_with_our_worker_until_its_limit() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
    let template = json!({ "name": "tick", "data": { "a": 1 }, "opts": { "removeOnComplete": true } });
    npm.call("schedule", json!({ "queue": QUEUE, "id": "every", "repeat": { "every": 200, "limit": 3 }, "template": template })).await;
    npm.call("schedule", json!({ "queue": QUEUE, "id": "cron", "repeat": { "pattern": "* * * * * *" }, "template": { "name": "cron" } }))
        .await;
    let count = |name: &str| runs.lock().expect("not poisoned").iter().filter(|run| run.name == name).count();
    eventually("three of each", || async { (count("tick") == 3 && count("cron") >= 3).then_some(()) }).await;
    let at: Vec<i64> = runs
        .lock()
        .expect("not poisoned")
        .iter()
        .filter(|run| run.name == "cron")
        .map(|run| run.at / 1000)
        .collect();
    assert!(waits(&at).iter().all(|wait| *wait >= 1), "twice in one second: {at:?}");
    let queue = Queue::new(&client, QUEUE).expect("a good name");
    assert!(queue.remove_scheduler("cron").await.expect("an answer"));
    assert!(!queue.remove_scheduler("cron").await.expect("an answer"));
    let data =
        runs.lock().expect("not poisoned").iter().find(|run| run.name == "tick").map(|run| run.data.clone());
    assert_eq!(data, Some(json!({ "a": 1 })));
    handle.close(Duration::from_secs(5)).await;
    assert_eq!(count("tick"), 3, "the limit holds");
}

#[tokio::test]
async fn an_old_style_repeatable_job_of_npm_goes_on_with_our_worker() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let (builder, runs) = worker(&client, QUEUE);
    let kept = runs.clone();
    let handle = builder.run(move |job| obey(kept.clone(), job)).expect("a good name");
    let repeat = |repeat: Value| json!({ "queue": QUEUE, "name": "old", "data": { "a": 1 }, "opts": { "repeat": repeat } });
    npm.call("repeat", repeat(json!({ "every": 200 }))).await;
    npm.call("repeat", repeat(json!({ "pattern": "* * * * * *", "limit": 2 }))).await;
    eventually("twelve times", || async { (runs.lock().expect("not poisoned").len() >= 12).then_some(()) })
        .await;
    handle.close(Duration::from_secs(5)).await;
    let runs = runs.lock().expect("not poisoned").clone();
    assert!(runs.iter().all(|run| run.data == json!({ "a": 1 })));
}
