use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info_span, warn};

use crate::service::ServiceLoop;
use crate::task::TaskLoop;
use crate::{Activator, Backoff, ServiceHandle, Task, TaskKind, TaskStatus};

/// How long dropped work may take to let go of what it holds.
const DROP_GRACE: Duration = Duration::from_secs(1);

/// Runs tasks and services until told to stop. Cheap to clone; clones share the work.
#[derive(Clone, Debug)]
pub struct Supervisor {
    shutdown: CancellationToken,
    /// Cancelled when the grace period is over: what still runs is dropped.
    abandon: CancellationToken,
    tracker: TaskTracker,
    statuses: Statuses,
}

/// How a shutdown ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "says whether the work ended"]
pub struct Stopped {
    /// Names of what did not end within the grace period and was dropped.
    pub left: Vec<String>,
}

impl Stopped {
    /// Whether everything ended by itself.
    pub fn all_ended(&self) -> bool {
        self.left.is_empty()
    }
}

impl Supervisor {
    /// A supervisor without work; it stops when `shutdown` is cancelled.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self {
            shutdown,
            abandon: CancellationToken::new(),
            tracker: TaskTracker::new(),
            statuses: Statuses::default(),
        }
    }

    /// Starts `task` and keeps it running: at once, each `period`, and when activated.
    ///
    /// # Panics
    ///
    /// When two tasks share a name, or `period` is zero.
    pub fn spawn<T: Task>(&self, task: T, period: Duration, activator: &Activator) {
        let (entry, status) = self.statuses.open(T::NAME, TaskKind::Periodic);
        let task_loop = TaskLoop { task, period, activator: activator.clone(), status };
        let (shutdown, abandon) = (self.shutdown.clone(), self.abandon.clone());
        let work = async move {
            if abandon.run_until_cancelled(task_loop.run(shutdown)).await.is_some() {
                entry.ended();
            }
        };
        self.tracker.spawn(work.instrument(info_span!("task", task.name = T::NAME)));
    }

    /// Starts one long-running future and starts it again, with back-off, when it fails or panics.
    ///
    /// `start` makes the future; the token it is given says when to return. `Ok(())` ends the service for good.
    ///
    /// # Panics
    ///
    /// When the name is taken.
    pub fn spawn_service<F, R>(&self, name: impl Into<String>, backoff: Backoff, start: F) -> ServiceHandle
    where
        F: FnMut(CancellationToken) -> R + Send + 'static,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let name = name.into();
        let (entry, status) = self.statuses.open(&name, TaskKind::Service);
        let span = info_span!("task", task.name = name);
        let stop = self.shutdown.child_token();
        let ended = CancellationToken::new();
        let handle = ServiceHandle { stop: stop.clone(), ended: ended.clone() };

        let service_loop = ServiceLoop { name, backoff, start, status };
        let abandon = self.abandon.clone();
        let shutdown = self.shutdown.clone();
        let work = async move {
            let _ended = ended.drop_guard();
            if abandon.run_until_cancelled(service_loop.run(stop.clone())).await.is_some() {
                entry.ended();
                // Stopped on purpose: the name is free again. Ended by itself: operators still see how.
                if stop.is_cancelled() && !shutdown.is_cancelled() {
                    entry.forget();
                }
            }
        };
        self.tracker.spawn(work.instrument(span));
        handle
    }

    /// What every task and service did last.
    pub fn statuses(&self) -> BTreeMap<String, TaskStatus> {
        let statuses = self.statuses.lock();
        statuses.iter().map(|(name, row)| (name.clone(), row.status.borrow().clone())).collect()
    }

    /// Asks everything to stop, lets current runs finish for at most `grace`, then drops what is left.
    pub async fn shut_down(&self, grace: Duration) -> Stopped {
        self.shutdown.cancel();
        self.tracker.close();
        if tokio::time::timeout(grace, self.tracker.wait()).await.is_ok() {
            return Stopped { left: Vec::new() };
        }
        let statuses = self.statuses.lock().clone();
        let left: Vec<String> =
            statuses.into_iter().filter(|(_, row)| !row.ended).map(|(name, _)| name).collect();
        warn!(left = left.join(", "), "background work still running after {grace:?}, dropping it");
        self.abandon.cancel();
        let _ = tokio::time::timeout(DROP_GRACE, self.tracker.wait()).await;
        Stopped { left }
    }
}

#[derive(Clone, Debug, Default)]
struct Statuses(Arc<Mutex<BTreeMap<String, Row>>>);

#[derive(Clone, Debug)]
struct Row {
    status: watch::Receiver<TaskStatus>,
    ended: bool,
}

/// The running work's hold on its row.
struct Entry {
    name: String,
    statuses: Statuses,
}

impl Statuses {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, name: &str, kind: TaskKind) -> (Entry, watch::Sender<TaskStatus>) {
        let (sender, status) = watch::channel(TaskStatus::new(kind));
        let mut rows = self.lock();
        let free = rows.get(name).is_none_or(|row| row.ended);
        if free {
            rows.insert(name.to_owned(), Row { status, ended: false });
        }
        drop(rows);
        assert!(free, "two tasks are named {name}");
        (Entry { name: name.to_owned(), statuses: self.clone() }, sender)
    }
}

impl Entry {
    fn ended(&self) {
        if let Some(row) = self.statuses.lock().get_mut(&self.name) {
            row.ended = true;
        }
    }

    fn forget(&self) {
        self.statuses.lock().remove(&self.name);
    }
}
