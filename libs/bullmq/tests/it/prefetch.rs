//! A worker holds no job in reserve: none ever waits behind another that was fetched with it.

use std::time::Duration;

use ops_bullmq::{JobOptions, Queue};
use serde_json::json;

use crate::support::{Server, client, eventually, job, obey, of, worker};

const QUEUE: &str = "prefetch";

#[tokio::test]
async fn one_slow_job_holds_up_no_other_whenever_they_come() {
    // Before the slow one in line, after it, while it runs; a burst; by priority; delayed.
    let check = async |name: &str, before: usize, after: usize, later: usize, options: JobOptions| {
        let server = Server::start().await;
        let client = client(&server).await;
        let queue = Queue::new(&client, QUEUE).expect("a good name");
        let quick =
            |jobs: usize| (0..jobs).map(|_| job("quick", json!({}), options.clone())).collect::<Vec<_>>();
        let slow = job("slow", json!({ "sleep_ms": 60_000 }), options.clone());
        let line = [quick(before), vec![slow], quick(after)].concat();
        let slow = queue.add_bulk(line).await.expect("added")[before].clone();
        let (builder, runs) = worker(&client, QUEUE);
        let kept = runs.clone();
        let handle = builder.concurrency(2).run(move |job| obey(kept.clone(), job)).expect("a good name");
        eventually("the slow one runs", || async { (!of(&runs, &slow).is_empty()).then_some(()) }).await;
        for _ in 0..later {
            queue.add_bulk(quick(1)).await.expect("added");
        }
        let all = (before + after + later) as u64;
        eventually(&format!("{name}: all the quick ones are done"), || async {
            (queue.counts().await.expect("an answer").completed == all).then_some(())
        })
        .await;
        assert_eq!(handle.running(), 1, "{name}: the slow one still runs");
        drop(handle);
    };
    let plain = JobOptions::default;
    check("before", 50, 0, 0, plain()).await;
    check("after", 0, 50, 0, plain()).await;
    check("both", 50, 50, 0, plain()).await;
    check("later", 0, 0, 50, plain()).await;
    check("priority", 5, 50, 20, JobOptions { priority: Some(3), ..plain() }).await;
    check("lifo", 5, 50, 20, JobOptions { lifo: true, ..plain() }).await;
    check("delayed", 20, 50, 20, JobOptions { delay: Some(Duration::from_millis(200)), ..plain() }).await;
}
