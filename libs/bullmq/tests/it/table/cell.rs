//! One cell of the table: a queue, who adds to it and who works on it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ops_bullmq::{Client, Flow, FlowProducer, Job, Queue, State, Worker, WorkerHandle};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::options::read;
use crate::support::{Npm, Runs, eventually, job, obey};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Npm,
    Ours,
}

pub(super) struct Cell {
    pub(super) queue: Queue,
    pub(super) client: Client,
    pub(super) npm: Arc<Npm>,
    producer: Kind,
    /// Whether npm works, whether we do.
    workers: [bool; 2],
    runs: Runs,
    handles: Mutex<HashMap<String, WorkerHandle>>,
}

impl Cell {
    pub(super) fn new(
        name: String,
        client: &Client,
        npm: &Arc<Npm>,
        producer: Kind,
        workers: [bool; 2],
    ) -> Self {
        Self {
            queue: Queue::new(client, &name).expect("a good name"),
            client: client.clone(),
            npm: npm.clone(),
            producer,
            workers,
            runs: Runs::default(),
            handles: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.queue.name()
    }

    /// Whether only one kind of worker is there, so that the order of jobs can be told.
    pub(super) fn is_single(&self) -> bool {
        self.workers != [true, true]
    }

    pub(super) async fn add(&self, name: &str, data: Value, opts: Value) -> String {
        self.add_all(json!([{ "name": name, "data": data, "opts": opts }])).await.remove(0)
    }

    /// Adds jobs of the shape `{name, data, opts}` and returns their ids.
    pub(super) async fn add_all(&self, jobs: Value) -> Vec<String> {
        if self.producer == Kind::Npm {
            return self.npm.add(self.name(), jobs).await;
        }
        let jobs =
            jobs.as_array().expect("a list").iter().map(|row| {
                job(row["name"].as_str().expect("a name"), row["data"].clone(), read(&row["opts"]))
            });
        self.queue.add_bulk(jobs).await.expect("added")
    }

    /// Adds a flow as npm writes it and returns the root's id.
    pub(super) async fn flow(&self, flow: Value) -> String {
        if self.producer == Kind::Npm {
            let id = self.npm.call("flow", json!({ "flow": flow })).await;
            return id.as_str().expect("an id").to_owned();
        }
        FlowProducer::new(&self.client).add(tree(&flow)).await.expect("added").id
    }

    /// Starts the cell's workers on its queue.
    pub(super) async fn work(&self, options: Value) {
        self.work_on(self.name(), options).await;
    }

    pub(super) async fn work_on(&self, queue: &str, options: Value) {
        let [npm, ours] = self.workers;
        if npm {
            self.npm.work(queue, options.clone()).await;
        }
        if ours {
            let mut builder = Worker::builder(&self.client, queue)
                .concurrency(options["concurrency"].as_u64().unwrap_or(1) as usize)
                .backoff(|attempt, kind, _, _| {
                    (kind == "thrice").then(|| Duration::from_millis(50 * 3u64.pow(attempt - 1)))
                });
            if let Some(max) = options["limiter"]["max"].as_u64() {
                let per = options["limiter"]["duration"].as_u64().expect("ms");
                builder = builder.limit(max as u32, Duration::from_millis(per));
            }
            if let Some(points) = options["metrics"]["maxDataPoints"].as_u64() {
                builder = builder.metrics(points as u32);
            }
            let runs = self.runs.clone();
            let handle = builder.run(move |job| obey(runs.clone(), job)).expect("a good name");
            self.handles.lock().await.insert(queue.to_owned(), handle);
        }
    }

    /// The job once it is in the state.
    pub(super) async fn job_in(&self, id: &str, state: State) -> Job {
        self.job_of(&self.queue, id, state).await
    }

    pub(super) async fn job_of(&self, queue: &Queue, id: &str, state: State) -> Job {
        eventually(&format!("{} {id} is {state:?}", queue.name()), || async {
            let now = queue.state(id).await.expect("an answer");
            let job = queue.job(id).await.expect("an answer");
            job.filter(|_| now == Some(state))
        })
        .await
    }

    /// When each attempt of a job began, in ms, whoever ran it.
    pub(super) async fn runs_of(&self, id: &str) -> Vec<i64> {
        let mut at: Vec<i64> =
            self.runs().await.into_iter().filter(|run| run.0 == id).map(|run| run.2).collect();
        at.sort_unstable();
        at
    }

    /// Every run on the cell's queue: id, name, when.
    pub(super) async fn runs(&self) -> Vec<(String, String, i64)> {
        let ours = self.runs.lock().expect("not poisoned").clone();
        let ours = ours.into_iter().filter(|run| run.queue == self.name());
        let mut runs: Vec<_> = ours.map(|run| (run.id, run.name, run.at)).collect();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let theirs = self.npm.runs().await.into_iter().filter(|run| run["queue"] == self.name());
        runs.extend(
            theirs.map(|run| (text(&run["id"]), text(&run["name"]), run["at"].as_i64().expect("ms"))),
        );
        runs.sort_by_key(|run| run.2);
        runs
    }

    /// The events of the queue that npm has heard, of one job.
    pub(super) async fn heard(&self, id: &str) -> Vec<Value> {
        let seen = self.npm.seen(id).await;
        seen.into_iter().filter(|event| event["queue"] == self.name()).collect()
    }
}

fn tree(flow: &Value) -> Flow {
    let text = |name: &str| flow[name].as_str().expect("a text").to_owned();
    let node = Flow::new(text("queueName"), text("name"), flow["data"].clone(), read(&flow["opts"]));
    let children = flow["children"].as_array().into_iter().flatten().map(tree);
    Flow { children: children.collect(), ..node.expect("json is json") }
}
