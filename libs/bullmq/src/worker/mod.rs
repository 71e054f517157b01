//! A worker: takes jobs, runs a handler for each, and brings back those of workers that died.
//!
//! `builder` holds its settings, `fetch` finds work for free slots, `slot` runs jobs in one slot one after another, `calls` speaks to the server, `upkeep`
//! renews locks and looks for stalled jobs. An error of the server is logged and waited out; it never ends the worker.

mod builder;
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

use self::builder::Settings;
use crate::{Client, Error, Job, JobError, Queue};

pub use builder::WorkerBuilder;

type Handler = Box<dyn Fn(Job) -> BoxFuture<'static, Result<Value, JobError>> + Send + Sync>;

/// Runs a queue's jobs. Made by [`Worker::builder`].
#[derive(Debug, Clone, Copy)]
pub struct Worker;

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
        WorkerBuilder::new(client, queue)
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
