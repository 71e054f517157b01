//! Parents that run after their children, and what a child's failure does to them.

use futures::FutureExt;
use ops_bullmq::{Dependencies, FlowProducer, Job, Queue, State};
use serde_json::{Value, json};

use super::{Row, cell::Cell};
use crate::support::eventually;

pub(super) const ROWS: &[Row] = &[
    ("flow, three generations", |cell| generations(cell).boxed()),
    ("flow, delayed and prioritized parent", |cell| late_parent(cell).boxed()),
    ("flow, child fails: parent fails", |cell| fails(cell).boxed()),
    ("flow, child fails: parent goes on at once", |cell| goes_on(cell).boxed()),
    ("flow, child fails: parent ignores it", |cell| ignores(cell).boxed()),
    ("flow, child fails: parent forgets it", |cell| forgets(cell).boxed()),
    ("flow, failed child removed at once", |cell| removed(cell).boxed()),
    ("flow, failed child tried again by hand", |cell| tried_again(cell).boxed()),
    ("handler adds a child and waits for it", |cell| late_child(cell).boxed()),
];

fn children_of(cell: &Cell) -> String {
    format!("{}-children", cell.name())
}

/// A parent that reports, with the children given.
async fn add(cell: &Cell, children: Value) -> String {
    let parent = json!({ "name": "parent", "queueName": cell.name(), "data": { "report": true }, "children": children });
    let id = cell.flow(parent).await;
    assert_eq!(cell.queue.state(&id).await.expect("an answer"), Some(State::WaitingChildren));
    id
}

fn child(cell: &Cell, n: u32, data: Value, opts: Value) -> Value {
    let mut data = data;
    data["n"] = json!(n);
    json!({ "name": format!("child {n}"), "queueName": children_of(cell), "data": data, "opts": opts })
}

async fn work(cell: &Cell) {
    cell.work_on(&children_of(cell), json!({ "concurrency": 3 })).await;
    cell.work(json!({})).await;
}

fn reported(job: &Job) -> (Value, Value) {
    let report = job.return_value.as_ref().expect("it completed");
    (report["children"].clone(), report["failures"].clone())
}

async fn generations(cell: Cell) {
    let grandchild = json!({ "name": "grandchild", "queueName": children_of(&cell), "data": { "n": 9 } });
    let mut middle = child(&cell, 2, json!({}), json!({}));
    middle["children"] = json!([grandchild]);
    let id = add(&cell, json!([child(&cell, 1, json!({}), json!({})), middle])).await;
    let theirs = cell.npm.call("tree", json!({ "queue": cell.name(), "id": id })).await;
    let ours = FlowProducer::new(&cell.client).get(cell.name(), &id, 10, 20).await.expect("an answer");
    let ours = ours.expect("it is there");
    for children in [theirs["children"].as_array().expect("a list").len(), ours.children.len()] {
        assert_eq!(children, 2);
    }
    assert_eq!(ours.children.iter().map(|child| child.children.len()).sum::<usize>(), 1);
    assert_eq!(ours.children[0].job.parent.as_ref().map(|parent| parent.id.clone()), Some(id.clone()));
    work(&cell).await;
    let job = cell.job_in(&id, State::Completed).await;
    assert_eq!(reported(&job), (json!([1, 2]), json!([])));
    assert_eq!(
        job.dependencies().await.expect("an answer"),
        Dependencies { completed: 2, ..Dependencies::default() }
    );
    let theirs = cell.npm.call("dependencies", json!({ "queue": cell.name(), "id": id })).await;
    assert_eq!((&theirs["processed"], &theirs["unprocessed"]), (&json!(2), &json!(0)));
}

async fn late_parent(cell: Cell) {
    for opts in [json!({ "delay": 200 }), json!({ "priority": 7 })] {
        let parent = json!({ "name": "parent", "queueName": cell.name(), "data": { "report": true }, "opts": opts,
            "children": [child(&cell, 1, json!({}), json!({}))] });
        let id = cell.flow(parent).await;
        if cell.runs().await.is_empty() {
            work(&cell).await;
        }
        assert_eq!(reported(&cell.job_in(&id, State::Completed).await).0, json!([1]));
    }
}

async fn fails(cell: Cell) {
    let failing = child(&cell, 1, json!({ "fail_times": 9 }), json!({ "failParentOnFailure": true }));
    let id = add(&cell, json!([failing, child(&cell, 2, json!({ "sleep_ms": 100 }), json!({}))])).await;
    work(&cell).await;
    let job = cell.job_in(&id, State::Failed).await;
    let reason = job.failed_reason.expect("a reason");
    assert!(reason.starts_with("child bull:") && reason.ends_with(" failed"), "{reason}");
    assert!(cell.runs_of(&id).await.is_empty(), "its handler was not called");
}

async fn goes_on(cell: Cell) {
    let failing = child(&cell, 1, json!({ "fail_times": 9 }), json!({ "continueParentOnFailure": true }));
    // The other child is held back, so that the parent cannot wait for it.
    let other = child(&cell, 2, json!({}), json!({ "delay": 60_000 }));
    let id = add(&cell, json!([failing, other])).await;
    work(&cell).await;
    eventually("the parent has run", || async { (!cell.runs_of(&id).await.is_empty()).then_some(()) }).await;
    let job = cell.job_in(&id, State::Failed).await;
    let reason = job.failed_reason.clone().expect("a reason");
    assert!(reason.contains("pending"), "it cannot complete with a child pending: {reason}");
    assert_eq!(dependencies(&job).await, (1, 1));
}

async fn ignores(cell: Cell) {
    let failing = child(&cell, 1, json!({ "fail_times": 9 }), json!({ "ignoreDependencyOnFailure": true }));
    let id = add(&cell, json!([failing, child(&cell, 2, json!({ "sleep_ms": 100 }), json!({}))])).await;
    work(&cell).await;
    let job = cell.job_in(&id, State::Completed).await;
    assert_eq!(reported(&job), (json!([2]), json!(["told to fail 0"])));
}

async fn forgets(cell: Cell) {
    let failing = child(&cell, 1, json!({ "fail_times": 9 }), json!({ "removeDependencyOnFailure": true }));
    let id = add(&cell, json!([failing, child(&cell, 2, json!({ "sleep_ms": 100 }), json!({}))])).await;
    work(&cell).await;
    let job = cell.job_in(&id, State::Completed).await;
    assert_eq!(reported(&job), (json!([2]), json!([])));
}

async fn removed(cell: Cell) {
    let failing = child(&cell, 1, json!({ "fail_times": 9 }), json!({ "removeOnFail": true }));
    let id = add(&cell, json!([failing])).await;
    work(&cell).await;
    assert_eq!(reported(&cell.job_in(&id, State::Completed).await), (json!([]), json!([])));
}

async fn tried_again(cell: Cell) {
    let failing = child(&cell, 1, json!({ "fail_times": 1 }), json!({}));
    let id = add(&cell, json!([failing])).await;
    work(&cell).await;
    let queue = Queue::new(&cell.client, &children_of(&cell)).expect("a good name");
    eventually("the child has failed", || async {
        (queue.size(State::Failed).await.expect("an answer") == 1).then_some(())
    })
    .await;
    assert_eq!(cell.queue.state(&id).await.expect("an answer"), Some(State::WaitingChildren));
    assert_eq!(queue.retry_all(10).await.expect("in line").done, 1);
    assert_eq!(reported(&cell.job_in(&id, State::Completed).await), (json!([1]), json!([])));
}

async fn late_child(cell: Cell) {
    work(&cell).await;
    let id = cell.add("parent", json!({ "late_child": children_of(&cell), "report": true }), json!({})).await;
    let job = cell.job_in(&id, State::Completed).await;
    assert_eq!((job.attempts_started, dependencies(&job).await), (2, (0, 1)));
}

/// How many children are pending, and how many have ended either way.
async fn dependencies(job: &Job) -> (u64, u64) {
    let found = job.dependencies().await.expect("an answer");
    (found.pending, found.completed + found.ignored + found.failed)
}
