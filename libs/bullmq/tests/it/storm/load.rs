//! The mix of jobs of a storm, and what must become of them.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt};
use ops_bullmq::{Client, Flow, FlowProducer, JobOptions, Queue};
use rand::{RngExt, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};

use crate::{
    support::{Npm, job},
    table::read_options,
};

/// The children of each flow.
pub(super) const CHILDREN: usize = 3;
/// How many jobs are added in one call.
const AT_ONCE: usize = 200;

/// Jobs as npm writes them (`{name, data, opts}`), and how many flows.
pub(super) struct Load {
    jobs: Vec<Value>,
    flows: usize,
}

pub(super) struct Expected {
    /// About how many jobs there will be; a deduplicated one may or may not be one of its own.
    pub(super) jobs: usize,
    pub(super) children: usize,
    /// Attempts beyond the first of a job.
    pub(super) retries: usize,
}

/// The ids of what was added.
#[derive(Default)]
pub(super) struct Added {
    /// Those that must complete, flows' roots among them.
    pub(super) good: HashSet<String>,
    /// Those that must fail.
    pub(super) bad: HashSet<String>,
    pub(super) roots: Vec<String>,
}

impl Load {
    pub(super) fn mixed(jobs: usize, random: &mut StdRng) -> Self {
        let flows = jobs / 40;
        let mut all: Vec<Value> = (0..jobs - flows * (CHILDREN + 1))
            .map(|n| {
                let sleep = random.random_range(0..8);
                let (data, opts) = match n % 20 {
                    0..=6 => (json!({}), json!({})),
                    7..=9 => (json!({}), json!({ "delay": random.random_range(1..4000) })),
                    10..=12 => (json!({}), json!({ "priority": random.random_range(1..50) })),
                    13 => (json!({}), json!({ "lifo": true })),
                    14 => (
                        json!({}),
                        json!({ "deduplication": { "id": format!("{}", random.random_range(0..100)) } }),
                    ),
                    15 => (json!({}), json!({ "jobId": format!("mine-{n}") })),
                    16 => (json!({ "never": true }), json!({ "attempts": 3 })),
                    17 => (
                        json!({ "fail_times": 1 }),
                        json!({ "attempts": 3, "backoff": { "type": "exponential", "delay": 100 } }),
                    ),
                    18 => (
                        json!({ "fail_times": 2 }),
                        json!({ "attempts": 3, "backoff": { "type": "fixed", "delay": 50, "jitter": 0.5 } }),
                    ),
                    _ => (json!({ "fail_times": 1 }), json!({ "attempts": 2 })),
                };
                let mut data = data;
                data["sleep_ms"] = json!(sleep);
                json!({ "name": "storm", "data": data, "opts": opts })
            })
            .collect();
        all.shuffle(random);
        Self { jobs: all, flows }
    }

    pub(super) fn expected(&self) -> Expected {
        let retries = self.jobs.iter().filter_map(|job| job["data"]["fail_times"].as_u64()).sum::<u64>();
        let children = self.flows * CHILDREN;
        Expected { jobs: self.jobs.len() + self.flows + children, children, retries: retries as usize }
    }

    /// Adds everything, one half by npm and the other by us, both at the same time.
    pub(super) async fn add(self, client: &Client, npm: &Npm, queue: &str) -> Added {
        let (theirs, ours) = self.jobs.split_at(self.jobs.len() / 2);
        let flows = self.flows / 2;
        let by_npm = async {
            let mut added = Added::default();
            for (at, jobs) in theirs.chunks(AT_ONCE).enumerate() {
                added.note(jobs, npm.add(queue, json!(jobs)).await);
                for _ in share(flows, at, theirs.len()) {
                    let root = npm.call("flow", json!({ "flow": flow(queue) })).await;
                    added.root(root.as_str().expect("an id"));
                }
            }
            added
        };
        let by_us = async {
            let mut added = Added::default();
            let producer = FlowProducer::new(client);
            let line = Queue::new(client, queue).expect("a good name");
            for (at, jobs) in ours.chunks(AT_ONCE).enumerate() {
                let new =
                    jobs.iter().map(|row| job("storm", row["data"].clone(), read_options(&row["opts"])));
                added.note(jobs, line.add_bulk(new).await.expect("added"));
                let roots = futures::stream::iter(share(self.flows - flows, at, ours.len()))
                    .then(|_| producer.add(our_flow(queue)));
                for root in roots.try_collect::<Vec<_>>().await.expect("added") {
                    added.root(&root.id);
                }
            }
            added
        };
        let (mut added, more) = tokio::join!(by_npm, by_us);
        added.good.extend(more.good);
        added.bad.extend(more.bad);
        added.roots.extend(more.roots);
        added
    }
}

impl Added {
    fn note(&mut self, jobs: &[Value], ids: Vec<String>) {
        assert_eq!(jobs.len(), ids.len());
        for (job, id) in jobs.iter().zip(ids) {
            let _ = if job["data"]["never"] == true { self.bad.insert(id) } else { self.good.insert(id) };
        }
    }

    fn root(&mut self, id: &str) {
        self.good.insert(id.to_owned());
        self.roots.push(id.to_owned());
    }
}

/// The flows that go with one of the calls, so that they are spread over all.
fn share(flows: usize, call: usize, jobs: usize) -> std::ops::Range<usize> {
    let calls = jobs.div_ceil(AT_ONCE);
    flows * call / calls..flows * (call + 1) / calls
}

fn flow(queue: &str) -> Value {
    let child = json!({ "name": "child", "queueName": queue, "data": { "sleep_ms": 3 } });
    json!({ "name": "parent", "queueName": queue, "data": { "report": true }, "children": vec![child; CHILDREN] })
}

fn our_flow(queue: &str) -> Flow {
    let node =
        |name: &str, data: Value| Flow::new(queue, name, data, JobOptions::default()).expect("json is json");
    let children = std::iter::repeat_with(|| node("child", json!({ "sleep_ms": 3 }))).take(CHILDREN);
    Flow { children: children.collect(), ..node("parent", json!({ "report": true })) }
}
