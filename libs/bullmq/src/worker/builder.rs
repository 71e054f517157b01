//! How a worker works, and its start.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Shared, WorkerHandle, fetch};
use crate::{Client, Error, Job, JobError, Keep, Queue};

/// How a worker works.
#[derive(Debug, Clone)]
#[must_use]
pub struct WorkerBuilder {
    client: Client,
    queue: String,
    settings: Settings,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) concurrency: usize,
    pub(super) lock: Duration,
    pub(super) stalled_interval: Duration,
    pub(super) max_stalled: u32,
    pub(super) limit: Option<(u32, Duration)>,
    pub(super) remove_on_complete: Keep,
    pub(super) remove_on_fail: Keep,
    pub(super) metrics: Option<u32>,
    pub(super) strategy: Option<Strategy>,
}

/// The wait that a program of one's own chooses; see [`WorkerBuilder::backoff`].
#[derive(Clone)]
pub(super) struct Strategy(Arc<Choice>);

type Choice = dyn Fn(u32, &str, &JobError, &Job) -> Option<Duration> + Send + Sync;

impl WorkerBuilder {
    pub(super) fn new(client: &Client, queue: &str) -> Self {
        let settings = Settings {
            name: String::new(),
            concurrency: 1,
            lock: Duration::from_secs(30),
            stalled_interval: Duration::from_secs(30),
            max_stalled: 1,
            limit: None,
            remove_on_complete: Keep::All,
            remove_on_fail: Keep::All,
            metrics: None,
            strategy: None,
        };
        Self { client: client.clone(), queue: queue.to_owned(), settings }
    }

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

    /// Counts ended jobs a minute, for the newest so many minutes; read with [`Queue::metrics`].
    pub fn metrics(mut self, minutes: u32) -> Self {
        self.settings.metrics = (minutes > 0).then_some(minutes);
        self
    }

    /// The wait of jobs whose back-off names a strategy that is neither fixed nor exponential: from the attempt that failed
    /// (the first is 1), the strategy's name, the failure and the job. Nothing for no further attempt.
    pub fn backoff<S>(mut self, strategy: S) -> Self
    where
        S: Fn(u32, &str, &JobError, &Job) -> Option<Duration> + Send + Sync + 'static,
    {
        self.settings.strategy = Some(Strategy(Arc::new(strategy)));
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

impl Strategy {
    pub(super) fn wait(&self, attempt: u32, name: &str, error: &JobError, job: &Job) -> Option<Duration> {
        self.0(attempt, name, error, job)
    }
}

impl std::fmt::Debug for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Strategy")
    }
}
