//! Jobs that are not added beside others of the same meaning.

use std::time::{Duration, Instant};

use futures::FutureExt;
use ops_bullmq::State;
use serde_json::{Value, json};

use super::{Row, cell::Cell};
use crate::support::eventually;

pub(super) const ROWS: &[Row] = &[
    ("deduplication, simple", |cell| simple(cell).boxed()),
    ("deduplication, throttle", |cell| throttle(cell).boxed()),
    ("deduplication, extended", |cell| extended(cell).boxed()),
    ("deduplication, debounce", |cell| debounce(cell).boxed()),
    ("deduplication, keep last if active", |cell| keep_last(cell).boxed()),
];

async fn add(cell: &Cell, n: u32, rule: &Value, delay: u32) -> String {
    let opts = json!({ "deduplication": rule, "delay": delay });
    cell.add("same", json!({ "n": n }), opts).await
}

async fn ran(cell: &Cell, times: usize) {
    eventually("all have run", || async { (cell.runs().await.len() >= times).then_some(()) }).await;
    eventually("nothing is left", || async {
        let counts = cell.queue.counts().await.expect("an answer");
        (counts.waiting + counts.active + counts.delayed == 0).then_some(())
    })
    .await;
    assert_eq!(cell.runs().await.len(), times);
}

async fn simple(cell: Cell) {
    cell.npm.call("listen", json!({ "queue": cell.name() })).await;
    let rule = json!({ "id": "same" });
    let first = add(&cell, 0, &rule, 0).await;
    assert_eq!(add(&cell, 1, &rule, 0).await, first);
    assert_eq!(add(&cell, 2, &rule, 0).await, first);
    eventually("npm heard of both", || async {
        let heard = cell.heard(&first).await;
        let told = heard.iter().filter(|event| event["event"] == "deduplicated").count();
        (told == 2
            && heard
                .iter()
                .all(|event| event["deduplicationId"].is_null() || event["deduplicationId"] == "same"))
        .then_some(())
    })
    .await;
    cell.work(json!({})).await;
    ran(&cell, 1).await;
    assert_eq!(
        cell.queue.job(&first).await.expect("an answer").expect("kept").deduplication_id.as_deref(),
        Some("same")
    );
    // Its end freed the id.
    let next = add(&cell, 3, &rule, 0).await;
    assert_ne!(next, first);
    ran(&cell, 2).await;
    let held = add(&cell, 4, &rule, 60_000).await;
    assert_eq!(cell.queue.deduplicated("same").await.expect("an answer").as_ref(), Some(&held));
    assert!(cell.queue.free_deduplicated("same").await.expect("an answer"));
    assert_ne!(add(&cell, 5, &rule, 60_000).await, held);
}

async fn throttle(cell: Cell) {
    cell.work(json!({})).await;
    let rule = json!({ "id": "same", "ttl": 500 });
    let first = add(&cell, 0, &rule, 0).await;
    cell.job_in(&first, State::Completed).await;
    assert_eq!(add(&cell, 1, &rule, 0).await, first, "its end does not free the id");
    let next = eventually("the time is over", || async {
        let id = add(&cell, 2, &rule, 0).await;
        (id != first).then_some(id)
    })
    .await;
    let added = [cell.job_in(&first, State::Completed).await, cell.job_in(&next, State::Completed).await];
    let gap = added[1].timestamp - added[0].timestamp;
    assert!(gap >= 495, "{gap} ms between two that were added");
    assert_eq!(cell.runs().await.len(), 2);
}

async fn extended(cell: Cell) {
    cell.work(json!({})).await;
    let rule = json!({ "id": "same", "ttl": 400, "extend": true });
    let first = add(&cell, 0, &rule, 0).await;
    let began = Instant::now();
    eventually("twice the time is over", || async {
        assert_eq!(add(&cell, 1, &rule, 0).await, first, "each one makes the time begin anew");
        (began.elapsed() > Duration::from_millis(900)).then_some(())
    })
    .await;
    ran(&cell, 1).await;
}

async fn debounce(cell: Cell) {
    cell.work(json!({})).await;
    let rule = json!({ "id": "same", "ttl": 300, "extend": true, "replace": true });
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(add(&cell, n, &rule, 300).await);
    }
    let last = ids.pop().expect("four");
    let job = cell.job_in(&last, State::Completed).await;
    assert_eq!(job.data["n"], 3);
    ran(&cell, 1).await;
    for id in ids {
        assert!(cell.queue.job(&id).await.expect("an answer").is_none(), "{id} was replaced");
    }
}

async fn keep_last(cell: Cell) {
    cell.work(json!({ "concurrency": 2 })).await;
    let opts = json!({ "deduplication": { "id": "same", "keepLastIfActive": true } });
    let first = cell.add("same", json!({ "n": 0, "sleep_ms": 600 }), opts.clone()).await;
    eventually("it runs", || async { (!cell.runs().await.is_empty()).then_some(()) }).await;
    for n in 1..4 {
        assert_eq!(cell.add("same", json!({ "n": n }), opts.clone()).await, first);
    }
    ran(&cell, 2).await;
    let last = cell.runs().await.pop().expect("two runs").0;
    assert_eq!(cell.job_in(&last, State::Completed).await.data["n"], 3);
}
