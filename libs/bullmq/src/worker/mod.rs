//! A worker: takes jobs, runs a handler for each, and brings back those of workers that died.
//!
//! `fetch` finds work for free slots, `slot` runs jobs in one slot one after another, `calls` speaks to the server, `upkeep`
//! renews locks and looks for stalled jobs. An error of the server is logged and waited out; it never ends the worker.

mod calls;
mod fetch;
mod slot;
mod upkeep;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use serde_json::Value;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{Client, Error, Job, JobError, Keep, Queue};

type Handler = Box<dyn Fn(Job) -> BoxFuture<'static, Result<Value, JobError>> + Send + Sync>;

/// Runs a queue's jobs. Made by [`Worker::builder`].
#[derive(Debug, Clone, Copy)]
pub struct Worker;

/// How a worker works.
#[derive(Debug, Clone)]
#[must_use]
pub struct WorkerBuilder {
    client: Client,
    queue: String,
    settings: Settings,
}

#[derive(Debug, Clone)]
struct Settings {
    name: String,
    concurrency: usize,
    lock: Duration,
    stalled_interval: Duration,
    max_stalled: u32,
    limit: Option<(u32, Duration)>,
    remove_on_complete: Keep,
    remove_on_fail: Keep,
}

/// A running worker. Dropped without [`WorkerHandle::close`] it stops at once, as if it had crashed: its running jobs are
/// found stalled and run again by another worker.
#[derive(Debug)]
#[must_use]
pub struct WorkerHandle {
    shared: Arc<Shared>,
    main: JoinHandle<()>,
}

/// A job that was still running when the grace of a closing worker was over. It went back to the front of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
}

/// What the parts of one worker share.
struct Shared {
    queue: Queue,
    settings: Settings,
    handler: Handler,
    identity: String,
    tokens: AtomicU64,
    closing: CancellationToken,
    running: Mutex<HashMap<String, Running>>,
    /// Until when the rate limit holds, and when the next delayed job is due, in ms since 1970.
    limited_until: AtomicI64,
    delayed_until: AtomicI64,
    hint: Notify,
}

#[derive(Debug, Clone)]
struct Running {
    token: Arc<str>,
    name: String,
}

impl Worker {
    /// A worker for the queue of this name, with npm's defaults: one job at a time, locks of 30 s, a look for stalled jobs every 30 s.
    pub fn builder(client: &Client, queue: &str) -> WorkerBuilder {
        let settings = Settings {
            name: String::new(),
            concurrency: 1,
            lock: Duration::from_secs(30),
            stalled_interval: Duration::from_secs(30),
            max_stalled: 1,
            limit: None,
            remove_on_complete: Keep::All,
            remove_on_fail: Keep::All,
        };
        WorkerBuilder { client: client.clone(), queue: queue.to_owned(), settings }
    }
}

impl WorkerBuilder {
    /// The most jobs that run at the same time.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.settings.concurrency = jobs.max(1);
        self
    }

    /// The name that is written into each job it takes (`processedBy`).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// For how long a taken job stays taken when this worker dies. Renewed at half that time.
    pub fn lock_duration(mut self, duration: Duration) -> Self {
        self.settings.lock = duration.max(Duration::from_millis(100));
        self
    }

    /// How often to look for jobs whose worker died.
    pub fn stalled_interval(mut self, interval: Duration) -> Self {
        self.settings.stalled_interval = interval.max(Duration::from_millis(100));
        self
    }

    /// How often a job may stall before it fails for good.
    pub fn max_stalled(mut self, times: u32) -> Self {
        self.settings.max_stalled = times;
        self
    }

    /// At most so many jobs begin in each stretch of time, over all workers of the queue that set a limit.
    pub fn limit(mut self, jobs: u32, per: Duration) -> Self {
        self.settings.limit = Some((jobs.max(1), per));
        self
    }

    /// Which completed jobs are kept, unless the job says.
    pub fn remove_on_complete(mut self, keep: Keep) -> Self {
        self.settings.remove_on_complete = keep;
        self
    }

    /// Which failed jobs are kept, unless the job says.
    pub fn remove_on_fail(mut self, keep: Keep) -> Self {
        self.settings.remove_on_fail = keep;
        self
    }

    /// Starts to work. Needs a tokio runtime; waits for nothing, the server may be away.
    pub fn run<H, F>(self, handler: H) -> Result<WorkerHandle, Error>
    where
        H: Fn(Job) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value, JobError>> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            queue: Queue::new(&self.client, &self.queue)?,
            settings: self.settings,
            handler: Box::new(move |job| Box::pin(handler(job))),
            identity: uuid::Uuid::new_v4().to_string(),
            tokens: AtomicU64::new(0),
            closing: CancellationToken::new(),
            running: Mutex::default(),
            limited_until: AtomicI64::new(0),
            delayed_until: AtomicI64::new(0),
            hint: Notify::new(),
        });
        let main = tokio::spawn(fetch::work(shared.clone()));
        Ok(WorkerHandle { shared, main })
    }
}

impl WorkerHandle {
    /// How many jobs are running.
    pub fn running(&self) -> usize {
        self.shared.running().len()
    }

    /// Takes no more jobs, waits for the running ones for up to `grace`, then stops the rest and puts them back in line.
    pub async fn close(mut self, grace: Duration) -> Vec<Unfinished> {
        self.shared.closing.cancel();
        let mut unfinished = Vec::new();
        if tokio::time::timeout(grace, &mut self.main).await.is_err() {
            self.main.abort();
            let _ = (&mut self.main).await;
            let left: Vec<(String, Running)> = self.shared.running().drain().collect();
            for (id, Running { token, name }) in left {
                self.shared.give_back(&id, &token).await;
                unfinished.push(Unfinished { id, name });
            }
        }
        self.shared.rouse_others().await;
        unfinished
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.main.abort();
    }
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        // Nothing panics while it holds the map; were it to, the map would still be whole.
        self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn new_token(&self) -> Arc<str> {
        format!("{}:{}", self.identity, self.tokens.fetch_add(1, Ordering::Relaxed)).into()
    }

    /// Waits, but not longer than the worker works.
    async fn rest(&self, duration: Duration) {
        let _ = tokio::time::timeout(duration, self.closing.cancelled()).await;
    }

    fn warn(&self, error: &Error, message: &'static str) {
        let error = error as &dyn std::error::Error;
        tracing::warn!(queue.name = self.queue.name(), error, "{message}");
    }

    fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("queue", &self.queue).finish_non_exhaustive()
    }
}
