//! A real npm `bullmq` in a Node process, driven line by line.

use std::{
    collections::HashMap,
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{Mutex as AsyncMutex, oneshot},
};

use super::{Server, eventually};

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

pub(crate) struct Npm {
    process: Child,
    input: AsyncMutex<ChildStdin>,
    waiting: Waiting,
    calls: AtomicU64,
}

impl Npm {
    pub(crate) async fn start(server: &Server) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/node");
        assert!(folder.join("node_modules/bullmq").is_dir(), "no npm packages: run `npm ci` in tests/node");
        let mut process = Command::new("node")
            .arg("bullmq.mjs")
            .arg(server.port.to_string())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is installed");
        let input = AsyncMutex::new(process.stdin.take().expect("it is piped"));
        let output = process.stdout.take().expect("it is piped");
        let waiting = Waiting::default();
        let answered = waiting.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer: Value = serde_json::from_str(&line).expect("bullmq.mjs answers json");
                let call = answer["call"].as_u64().expect("each answer names its call");
                if let Some(asker) = answered.lock().expect("not poisoned").remove(&call) {
                    let _ = asker.send(answer);
                }
            }
        });
        Self { process, input, waiting, calls: AtomicU64::new(0) }
    }

    /// Runs a command of `bullmq.mjs` and returns its value.
    pub(crate) async fn call(&self, what: &str, mut command: Value) -> Value {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        command["do"] = json!(what);
        command["call"] = json!(call);
        let (asker, answer) = oneshot::channel();
        self.waiting.lock().expect("not poisoned").insert(call, asker);
        self.input.lock().await.write_all(format!("{command}\n").as_bytes()).await.expect("node lives");
        let mut answer = tokio::time::timeout(std::time::Duration::from_secs(60), answer)
            .await
            .expect("npm answers in time")
            .expect("node lives");
        assert!(answer.get("error").is_none(), "{what}: {}", answer["error"]);
        answer["value"].take()
    }

    /// Adds jobs of the shape `{name, data, opts}` and returns their ids.
    pub(crate) async fn add(&self, queue: &str, jobs: Value) -> Vec<String> {
        let ids = self.call("add", json!({ "queue": queue, "jobs": jobs })).await;
        serde_json::from_value(ids).expect("ids")
    }

    pub(crate) async fn work(&self, queue: &str, options: Value) {
        self.call("work", json!({ "queue": queue, "options": options })).await;
    }

    pub(crate) async fn job(&self, queue: &str, id: &str) -> Value {
        self.call("job", json!({ "queue": queue, "id": id })).await
    }

    /// The job once it is in the state.
    pub(crate) async fn job_in(&self, queue: &str, id: &str, state: &str) -> Value {
        eventually(&format!("{queue} {id} is {state}"), || async {
            let job = self.job(queue, id).await;
            (job["state"] == state).then_some(job)
        })
        .await
    }

    pub(crate) async fn runs(&self) -> Vec<Value> {
        serde_json::from_value(self.call("runs", json!({})).await).expect("a list")
    }

    pub(crate) async fn runs_of(&self, id: &str) -> Vec<Value> {
        self.runs().await.into_iter().filter(|run| run["id"] == id).collect()
    }

    /// The names of the events seen of one job, in order.
    pub(crate) async fn seen(&self, id: &str) -> Vec<Value> {
        let seen: Vec<Value> = serde_json::from_value(self.call("seen", json!({})).await).expect("a list");
        seen.into_iter().filter(|event| event["jobId"] == id).collect()
    }

    /// Ends the process without a chance to say good-bye.
    pub(crate) async fn kill(&mut self) {
        let _ = self.process.kill().await;
    }
}
