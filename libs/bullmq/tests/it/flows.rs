//! What holds for flows beyond the table: all or nothing, their limits, and children that exist already.

use ops_bullmq::{Error, Flow, FlowProducer, JobOptions, Queue, State};
use serde_json::{Value, json};

use crate::support::{Npm, Server, client, eventually, obey, worker};

const PARENTS: &str = "parents";
const CHILDREN: &str = "children";

fn node(queue: &str, options: JobOptions) -> Flow {
    Flow::new(queue, "node", json!({}), options).expect("json is json")
}

fn named(id: &str) -> JobOptions {
    JobOptions { job_id: Some(id.to_owned()), ..JobOptions::default() }
}

#[tokio::test]
async fn a_flow_is_added_all_at_once_or_not_at_all() {
    let server = Server::start().await;
    let client = client(&server).await;
    let flows = FlowProducer::new(&client);
    let (parents, children) = (Queue::new(&client, PARENTS).unwrap(), Queue::new(&client, CHILDREN).unwrap());
    let first = node(PARENTS, JobOptions::default()).child(node(CHILDREN, named("shared")));
    let first = flows.add(first).await.expect("added");
    assert_eq!(first.children[0].id, "shared");
    // The child belongs to the first flow; the second one would wait for it for ever.
    let second = node(PARENTS, JobOptions::default())
        .child(node(CHILDREN, JobOptions::default()))
        .child(node(CHILDREN, named("shared")));
    assert!(matches!(flows.add(second).await, Err(Error::Refused { .. })));
    assert_eq!(parents.size(State::WaitingChildren).await.expect("an answer"), 1);
    assert_eq!(children.size(State::Waiting).await.expect("an answer"), 1, "nothing of it was added");
    let orphan = JobOptions { parent: Some(parents.parent("nobody")), ..JobOptions::default() };
    assert!(matches!(flows.add(node(CHILDREN, orphan.clone())).await, Err(Error::Refused { .. })));
    assert!(matches!(children.add("x", Value::Null, orphan).await, Err(Error::Refused { .. })));
    let many = |jobs: usize| Flow {
        children: vec![node(CHILDREN, JobOptions::default()); jobs],
        ..node(PARENTS, JobOptions::default())
    };
    assert!(matches!(flows.add(many(10_000)).await, Err(Error::Option(_))));
    let large = flows.add(many(9_999)).await.expect("added");
    assert_eq!(children.size(State::Waiting).await.expect("an answer"), 1 + 9_999);
    assert!(matches!(parents.remove(&large.id).await, Err(Error::Refused { .. })), "too many at once");
    let small = flows.add(many(900)).await.expect("added");
    assert!(parents.remove(&small.id).await.expect("removed, with its children"));
    assert_eq!(children.size(State::Waiting).await.expect("an answer"), 1 + 9_999);
}

#[tokio::test]
async fn a_child_that_has_ended_or_is_a_duplicate_holds_up_no_parent() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    let flows = FlowProducer::new(&client);
    let parents = Queue::new(&client, PARENTS).expect("a good name");
    let children = Queue::new(&client, CHILDREN).expect("a good name");
    children.add("early", json!({ "n": 5 }), named("early")).await.expect("added");
    npm.work(CHILDREN, json!({})).await;
    npm.job_in(CHILDREN, "early", "completed").await;
    let done = node(PARENTS, JobOptions::default()).child(node(CHILDREN, named("early")));
    let rule = Some(ops_bullmq::Deduplication::throttle("once", std::time::Duration::from_secs(600)));
    let once = JobOptions { deduplication: rule, ..JobOptions::default() };
    children.add("once", json!({}), once.clone()).await.expect("added");
    let duplicate = node(PARENTS, JobOptions::default()).child(node(CHILDREN, once));
    let (builder, runs) = worker(&client, PARENTS);
    let handle = builder.run(move |job| obey(runs.clone(), job)).expect("a good name");
    for flow in [done, duplicate] {
        let id = flows.add(flow).await.expect("added").id;
        eventually("the parent has run", || async {
            (parents.state(&id).await.expect("an answer") == Some(State::Completed)).then_some(())
        })
        .await;
    }
    drop(handle);
}

#[tokio::test]
async fn minutes_are_counted_as_npm_counts_them() {
    let server = Server::start().await;
    let npm = Npm::start(&server).await;
    let client = client(&server).await;
    npm.work("npm", json!({ "metrics": { "maxDataPoints": 10 } })).await;
    let (builder, runs) = worker(&client, "ours");
    let handle = builder.metrics(10).run(move |job| obey(runs.clone(), job)).expect("a good name");
    let mut seen = Vec::new();
    for name in ["npm", "ours"] {
        let queue = Queue::new(&client, name).expect("a good name");
        let run = async |jobs: u64, total: u64| {
            for _ in 0..jobs {
                queue.add("x", json!({}), JobOptions::default()).await.expect("added");
            }
            eventually("they are counted", || async {
                let metrics = queue.metrics(State::Completed, 100).await.expect("an answer");
                (metrics.total == total).then_some(metrics)
            })
            .await
        };
        // Time goes by when the clock in the server says so.
        let go_back = async |minutes: i64| {
            let then = jiff::Timestamp::now().as_millisecond() - minutes * 60_000;
            let key = format!("bull:{name}:metrics:completed");
            server.command(&["HSET", &key, "prevTS", &then.to_string()]).await;
        };
        run(5, 5).await;
        go_back(1).await;
        let one = run(2, 7).await.minutes;
        go_back(3).await;
        let four = run(3, 10).await.minutes;
        go_back(500).await;
        let all = run(1, 11).await.minutes;
        assert_eq!(
            npm.call("metrics", json!({ "queue": name, "type": "completed" })).await["count"],
            all.len()
        );
        seen.push((one, four, all));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1].0, [5]);
    drop(handle);
}
