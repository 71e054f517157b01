//! A small BullMQ 5 client: producers, workers, schedulers and events, wire-compatible both ways with npm `bullmq` 5.
//!
//! A job that a Node program adds is run here and the other way round; both may work on one queue at once. What stands in the
//! server (keys, fields, events) is npm's; the Lua and the worker are our own. A worker holds no jobs in reserve: each of its
//! slots takes the next job in the same step that ends the last one, so no job waits behind another that was fetched early.
//!
//! Beyond adding and working: flows ([`FlowProducer`]), deduplication ([`Deduplication`]), schedulers, events, metrics, and what an
//! operator does to a queue (`pause`, `drain`, `retry_all`, `page` … on [`Queue`]), all in bounded steps.
//!
//! It never needs more than the server (Redis 6.2 or newer, or Valkey), and knows nothing of what the jobs are about.
//!
//! ```no_run
//! # async fn example() -> Result<(), ops_bullmq::Error> {
//! use std::time::Duration;
//! use ops_bullmq::{Backoff, Client, DEFAULT_PREFIX, Job, JobError, JobOptions, Queue, Worker};
//! use serde_json::json;
//!
//! let client = Client::connect("valkey://127.0.0.1:6379", DEFAULT_PREFIX).await?;
//! let queue = Queue::new(&client, "email")?;
//! let options = JobOptions {
//!     attempts: Some(3),
//!     backoff: Some(Backoff::exponential(Duration::from_secs(1))),
//!     ..JobOptions::default()
//! };
//! queue.add("welcome", json!({ "to": 7 }), options).await?;
//!
//! let worker = Worker::builder(&client, "email")
//!     .concurrency(20)
//!     .run(|job: Job| async move { Ok::<_, JobError>(json!({ "sent": job.id })) })?;
//! let unfinished = worker.close(Duration::from_secs(30)).await;
//! # drop(unfinished); Ok(()) }
//! ```
//!
//! To add an operation: a script under `src/lua/`, its name in `scripts.rs`, a method where its noun lives.

mod children;
mod client;
mod control;
mod error;
mod events;
mod flow;
mod job;
mod metrics;
mod options;
mod queue;
mod schedule;
mod scheduler;
mod scripts;
pub mod watch;
mod worker;

pub use children::Dependencies;
pub use client::{Client, DEFAULT_PREFIX};
pub use control::{Drained, Listed, Order, Page, State, Swept};
pub use error::{Error, JobError};
pub use events::{Event, QueueEvents};
pub use flow::{AddedFlow, Flow, FlowProducer, FlowTree};
pub use job::Job;
pub use metrics::Metrics;
pub use options::{
    Backoff, BackoffKind, Deduplication, JobOptions, Keep, LOWEST_PRIORITY, OnFailure, Parent,
};
pub use queue::{Counts, NewJob, Queue};
pub use schedule::Schedule;
pub use scheduler::{Repeat, Scheduler};
pub use worker::{Unfinished, Worker, WorkerBuilder, WorkerHandle};
