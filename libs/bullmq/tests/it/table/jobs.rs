//! What a job's own options and its handler can do.

use futures::FutureExt;
use ops_bullmq::{QueueEvents, State};
use serde_json::{Value, json};

use super::{Row, cell::Cell};
use crate::support::{eventually, waits};

pub(super) const ROWS: &[Row] = &[
    ("plain job, any data", |cell| any_data(cell).boxed()),
    ("events, heard by both", |cell| events(cell).boxed()),
    ("delay", |cell| delay(cell).boxed()),
    ("priority", |cell| priority(cell).boxed()),
    ("lifo", |cell| lifo(cell).boxed()),
    ("custom id", |cell| custom_id(cell).boxed()),
    ("attempts, fixed back-off", |cell| fixed(cell).boxed()),
    ("attempts, exponential back-off", |cell| exponential(cell).boxed()),
    ("attempts, back-off with jitter", |cell| jitter(cell).boxed()),
    ("attempts, back-off of one's own", |cell| strategy(cell).boxed()),
    ("stack trace limit", |cell| stacks(cell).boxed()),
    ("unrecoverable error", |cell| unrecoverable(cell).boxed()),
    ("keep completed", |cell| keep(cell, "removeOnComplete", 0).boxed()),
    ("keep failed", |cell| keep(cell, "removeOnFail", 1).boxed()),
    ("progress", |cell| progress(cell).boxed()),
    ("log, keepLogs", |cell| log(cell).boxed()),
    ("telemetry context", |cell| telemetry(cell).boxed()),
    ("put off by its handler", |cell| put_off(cell).boxed()),
];

async fn any_data(cell: Cell) {
    cell.work(json!({ "concurrency": 5 })).await;
    let all =
        [json!({ "n": 1 }), Value::Null, json!("žluťoučký 🐎 \u{0} \" \\"), json!([1, 2.5, {}]), json!(7)];
    for data in all {
        let id = cell.add("any", data.clone(), json!({})).await;
        let job = cell.job_in(&id, State::Completed).await;
        assert_eq!(job.data, data);
        assert_eq!(job.return_value.expect("returned")["data"], data);
        assert_eq!((job.attempts_made, job.attempts_started), (1, 1));
        assert_eq!(cell.runs_of(&id).await.len(), 1);
    }
}

async fn events(cell: Cell) {
    cell.npm.call("listen", json!({ "queue": cell.name() })).await;
    cell.work(json!({})).await;
    let id = cell.add("seen", json!({ "fail_times": 1 }), json!({ "attempts": 2 })).await;
    cell.job_in(&id, State::Completed).await;
    let expected = ["added", "waiting", "active", "waiting", "active", "completed"];
    let mut ours = QueueEvents::after(&cell.queue, "0-0");
    let mut heard = Vec::new();
    while heard.len() < expected.len() {
        let event = ours.next().await.expect("an event");
        if event.job_id.as_deref() == Some(&id) {
            heard.push(event.name);
        }
    }
    assert_eq!(heard, expected);
    let theirs = eventually("npm has heard all", || async {
        let heard = cell.heard(&id).await;
        (heard.len() >= expected.len()).then_some(heard)
    })
    .await;
    assert_eq!(theirs.iter().map(|event| event["event"].clone()).collect::<Vec<_>>(), expected);
}

async fn delay(cell: Cell) {
    cell.work(json!({})).await;
    let id = cell.add("later", json!({}), json!({ "delay": 300 })).await;
    assert_eq!(cell.queue.state(&id).await.expect("an answer"), Some(State::Delayed));
    let job = cell.job_in(&id, State::Completed).await;
    let waited = cell.runs_of(&id).await[0] - job.timestamp;
    assert!((300..8000).contains(&waited), "{waited} ms");
}

async fn priority(cell: Cell) {
    let priorities = [5, 1, 2_097_151, 1, 0, 3];
    let jobs = priorities
        .iter()
        .enumerate()
        .map(|(n, priority)| json!({ "name": format!("{n}"), "data": {}, "opts": { "priority": priority } }));
    cell.add_all(jobs.collect()).await;
    check_order(&cell, &["4", "1", "3", "5", "0", "2"]).await;
}

async fn lifo(cell: Cell) {
    let jobs = (0..4).map(|n| json!({ "name": format!("{n}"), "data": {}, "opts": { "lifo": n > 1 } }));
    cell.add_all(jobs.collect()).await;
    check_order(&cell, &["3", "2", "0", "1"]).await;
}

async fn check_order(cell: &Cell, expected: &[&str]) {
    cell.work(json!({ "concurrency": 1 })).await;
    let names = eventually("all have run", || async {
        let names: Vec<String> = cell.runs().await.into_iter().map(|run| run.1).collect();
        (names.len() == expected.len()).then_some(names)
    })
    .await;
    if cell.is_single() {
        assert_eq!(names, expected);
    }
}

async fn custom_id(cell: Cell) {
    for n in 0..3 {
        let id = cell.add("mine", json!({ "n": n }), json!({ "jobId": "my-id" })).await;
        assert_eq!(id, "my-id");
    }
    cell.work(json!({})).await;
    let job = cell.job_in("my-id", State::Completed).await;
    assert_eq!(job.data["n"], 0);
    assert_eq!(cell.runs().await.len(), 1);
}

async fn gaps(cell: &Cell, backoff: Value) -> Vec<i64> {
    cell.work(json!({})).await;
    let opts = json!({ "attempts": 3, "backoff": backoff });
    let id = cell.add("fails", json!({ "fail_times": 2 }), opts).await;
    let job = cell.job_in(&id, State::Completed).await;
    assert_eq!((job.attempts_made, job.stack_trace.len()), (3, 2));
    waits(&cell.runs_of(&id).await)
}

async fn fixed(cell: Cell) {
    let gaps = gaps(&cell, json!({ "type": "fixed", "delay": 120 })).await;
    assert!(gaps.iter().all(|gap| (120..8000).contains(gap)), "{gaps:?}");
}

async fn exponential(cell: Cell) {
    let gaps = gaps(&cell, json!({ "type": "exponential", "delay": 120 })).await;
    assert!((120..8000).contains(&gaps[0]) && (240..8000).contains(&gaps[1]), "{gaps:?}");
}

async fn jitter(cell: Cell) {
    let gaps = gaps(&cell, json!({ "type": "fixed", "delay": 400, "jitter": 0.5 })).await;
    assert!(gaps.iter().all(|gap| (200..8000).contains(gap)), "{gaps:?}");
}

async fn strategy(cell: Cell) {
    let gaps = gaps(&cell, json!({ "type": "thrice" })).await;
    assert!((50..8000).contains(&gaps[0]) && (150..8000).contains(&gaps[1]), "{gaps:?}");
    // What the strategy does not know has no further attempt.
    let opts = json!({ "attempts": 3, "backoff": { "type": "unknown" } });
    let id = cell.add("fails", json!({ "fail_times": 9 }), opts).await;
    assert_eq!(cell.job_in(&id, State::Failed).await.attempts_made, 1);
}

async fn stacks(cell: Cell) {
    cell.work(json!({})).await;
    let opts = json!({ "attempts": 4, "stackTraceLimit": 2 });
    let id = cell.add("fails", json!({ "fail_times": 9 }), opts).await;
    let job = cell.job_in(&id, State::Failed).await;
    assert_eq!(job.failed_reason.as_deref(), Some("told to fail 3"));
    let heads: Vec<_> = job.stack_trace.iter().filter_map(|stack| stack.lines().next()).collect();
    assert_eq!(heads, ["Error: told to fail 2", "Error: told to fail 3"]);
}

async fn unrecoverable(cell: Cell) {
    cell.work(json!({})).await;
    let id = cell.add("never", json!({ "never": true }), json!({ "attempts": 5 })).await;
    let job = cell.job_in(&id, State::Failed).await;
    assert_eq!((job.attempts_made, job.failed_reason.as_deref()), (1, Some("never")));
}

async fn keep(cell: Cell, option: &'static str, fails: u32) {
    cell.work(json!({ "concurrency": 1 })).await;
    for (keep, left) in [(json!(true), 0), (json!(2), 2), (json!(3), 3)] {
        let job = json!({ "name": "kept", "data": { "fail_times": fails }, "opts": { option: keep } });
        let ids = cell.add_all(Value::from(vec![job; 6])).await;
        eventually("all have run", || async {
            let counts = cell.queue.counts().await.expect("an answer");
            let all = cell.runs().await;
            let done = ids.iter().all(|id| all.iter().any(|run| run.0 == *id));
            let idle = counts.waiting + counts.active == 0;
            (done && idle && counts.completed + counts.failed == left).then_some(())
        })
        .await;
    }
}

async fn progress(cell: Cell) {
    cell.npm.call("listen", json!({ "queue": cell.name() })).await;
    cell.work(json!({})).await;
    let id = cell.add("half", json!({ "progress": { "half": true } }), json!({})).await;
    let job = cell.job_in(&id, State::Completed).await;
    assert_eq!(job.progress, json!({ "half": true }));
    assert_eq!(cell.npm.job(cell.name(), &id).await["progress"], json!({ "half": true }));
    eventually("npm heard of it", || async {
        let heard = cell.heard(&id).await;
        heard.iter().any(|event| event["event"] == "progress" && event["data"]["half"] == true).then_some(())
    })
    .await;
}

async fn log(cell: Cell) {
    cell.work(json!({})).await;
    let data = json!({ "lines": ["one", "two", "three"] });
    let all = cell.add("logs", data.clone(), json!({})).await;
    let some = cell.add("logs", data, json!({ "keepLogs": 2 })).await;
    for (id, lines) in [(all, vec!["one", "two", "three"]), (some, vec!["two", "three"])] {
        cell.job_in(&id, State::Completed).await;
        let (read, total) = cell.queue.log_lines(&id, 0, 10).await.expect("lines");
        assert_eq!(
            (read, total as usize),
            (lines.iter().map(|line| (*line).to_owned()).collect(), lines.len())
        );
        assert_eq!(
            cell.npm.call("logs", json!({ "queue": cell.name(), "id": id })).await["logs"],
            json!(lines)
        );
    }
}

async fn telemetry(cell: Cell) {
    cell.work(json!({})).await;
    let context = "{\"traceparent\":\"00-a-b-01\"}";
    let id = cell.add("traced", json!({}), json!({ "telemetry": { "metadata": context } })).await;
    assert_eq!(cell.job_in(&id, State::Completed).await.telemetry.as_deref(), Some(context));
    let theirs = cell.npm.job(cell.name(), &id).await;
    assert_eq!(theirs["opts"]["telemetry"]["metadata"], context);
}

async fn put_off(cell: Cell) {
    cell.work(json!({})).await;
    let id = cell.add("steps", json!({ "put_off_ms": 200 }), json!({})).await;
    let job = cell.job_in(&id, State::Completed).await;
    assert_eq!((job.attempts_made, job.attempts_started), (1, 2));
    let gaps = waits(&cell.runs_of(&id).await);
    assert!(gaps.len() == 1 && (195..8000).contains(&gaps[0]), "{gaps:?}");
}
