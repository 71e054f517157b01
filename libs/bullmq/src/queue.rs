//! A queue: adding jobs and looking at them.
//!
//! Never runs a job; that is [`Worker`](crate::Worker)'s. Schedulers have their own file.

use std::{collections::HashMap, sync::Arc, time::Duration};

use redis::{Script, ScriptInvocation};
use serde::Serialize;
use serde_json::Value;

use crate::{Client, Error, Job, JobOptions, flow::refusal, options::millis};

/// The most jobs that one step inside the server adds, so that it stays short for everybody else.
const AT_ONCE: usize = 500;

/// What the queue's `meta` hash says about who wrote it. Other clients read the number for the features they may expect.
const VERSION: &str = "bullmq:5.81.5";

/// A queue by its name. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    name: String,
    base: String,
    defaults: JobOptions,
}

/// A job that is about to be added.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The name, which says what kind of job it is.
    pub name: String,
    /// What its handler gets.
    pub data: Value,
    /// How it is treated.
    pub options: JobOptions,
}

/// How many jobs are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// In line.
    pub waiting: u64,
    /// In line, while the queue is paused.
    pub paused: u64,
    /// In line by priority.
    pub prioritized: u64,
    /// Not due yet.
    pub delayed: u64,
    /// Being worked on.
    pub active: u64,
    /// Completed and kept. Kept sets are often capped: this is not a count of all that was done.
    pub completed: u64,
    /// Failed and kept.
    pub failed: u64,
    /// Waiting for the children of their flow.
    pub waiting_children: u64,
}

impl NewJob {
    /// A job with options. Fails only if the data cannot be written as JSON.
    pub fn new(name: impl Into<String>, data: impl Serialize, options: JobOptions) -> Result<Self, Error> {
        Ok(Self { name: name.into(), data: serde_json::to_value(data).map_err(Error::Encode)?, options })
    }

    /// The arguments of the scripts that add jobs.
    pub(crate) fn write(&self, call: &mut ScriptInvocation<'_>, id: &str, now: i64, has_children: bool) {
        let options = &self.options;
        let flags = [
            options.lifo.then_some("f"),
            options.deduplication.as_ref().map(|_| "d"),
            has_children.then_some("c"),
        ];
        call.arg(id)
            .arg(&self.name)
            .arg(options.timestamp.unwrap_or(now))
            .arg(self.data.to_string())
            .arg(Value::Object(options.to_json()).to_string())
            .arg(options.delay.map_or(0, millis))
            .arg(options.priority.unwrap_or(0))
            .arg(flags.into_iter().flatten().collect::<String>())
            .arg(
                options.parent.as_ref().map(|parent| parent.to_link(options.on_failure)).unwrap_or_default(),
            );
    }
}

impl Queue {
    /// The queue of this name. Nothing is asked of the server yet.
    pub fn new(client: &Client, name: &str) -> Result<Self, Error> {
        Self::with_defaults(client, name, JobOptions::default())
    }

    /// The queue of this name; its jobs take from `defaults` what they leave out.
    pub fn with_defaults(client: &Client, name: &str, defaults: JobOptions) -> Result<Self, Error> {
        if name.is_empty() || name.contains(':') {
            return Err(Error::QueueName);
        }
        defaults.check()?;
        let base = format!("{}:{name}:", client.prefix());
        Ok(Self { inner: Arc::new(Inner { client: client.clone(), name: name.to_owned(), base, defaults }) })
    }

    /// The queue's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Adds one job and returns its id. Nothing is added when an id of one's own, or the deduplication
    /// id, is taken already.
    pub async fn add(&self, name: &str, data: impl Serialize, options: JobOptions) -> Result<String, Error> {
        let ids = self.add_bulk([NewJob::new(name, data, options)?]).await?;
        ids.into_iter().next().ok_or_else(|| Error::Option("no job to add".to_owned()))
    }

    /// Adds many jobs in one round trip and returns their ids in the same order.
    pub async fn add_bulk(&self, jobs: impl IntoIterator<Item = NewJob>) -> Result<Vec<String>, Error> {
        let now = now_ms();
        let mut calls = Vec::new();
        for (place, job) in jobs.into_iter().enumerate() {
            if place % AT_ONCE == 0 {
                calls.push(self.script(&self.client().scripts().add));
            }
            let job = NewJob { options: job.options.or(&self.inner.defaults), ..job };
            job.options.check()?;
            let Some(call) = calls.last_mut() else { continue };
            job.write(call, job.options.job_id.as_deref().unwrap_or_default(), now, false);
        }
        // The calls share one connection and go out together.
        let answers =
            futures::future::join_all(calls.iter().map(|call| self.client().run::<Vec<String>>(call))).await;
        let ids = answers.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        ids.iter().try_for_each(|id| refusal(id, &self.inner.name))?;
        Ok(ids)
    }

    /// The job of this id as it stands, if it exists.
    pub async fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        let mut pipe = redis::pipe();
        pipe.hgetall(self.key(id));
        let (fields,): (HashMap<String, Vec<u8>>,) = self.client().pipe(&pipe).await?;
        Ok((!fields.is_empty()).then(|| Job::read(self, id.to_owned(), fields).0))
    }

    /// The job that holds a deduplication id, if it is taken.
    pub async fn deduplicated(&self, deduplication_id: &str) -> Result<Option<String>, Error> {
        let mut pipe = redis::pipe();
        pipe.get(self.key(&format!("de:{deduplication_id}")));
        let (holder,): (Option<String>,) = self.client().pipe(&pipe).await?;
        Ok(holder)
    }

    /// Frees a deduplication id before its time. Tells whether it was taken.
    pub async fn free_deduplicated(&self, deduplication_id: &str) -> Result<bool, Error> {
        let mut pipe = redis::pipe();
        pipe.del(self.key(&format!("de:{deduplication_id}")));
        let (freed,): (bool,) = self.client().pipe(&pipe).await?;
        Ok(freed)
    }

    /// How many jobs are in each state, in one round trip.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let mut pipe = redis::pipe();
        for list in ["wait", "paused", "active"] {
            pipe.llen(self.key(list));
        }
        for set in ["prioritized", "delayed", "completed", "failed", "waiting-children"] {
            pipe.zcard(self.key(set));
        }
        let [waiting, paused, active, prioritized, delayed, completed, failed, waiting_children]: [u64; 8] =
            self.client().pipe(&pipe).await?;
        Ok(Counts { waiting, paused, prioritized, delayed, active, completed, failed, waiting_children })
    }

    /// For how long the job at the head of the line could have been taken already; nothing when none waits.
    pub async fn oldest_wait(&self) -> Result<Option<Duration>, Error> {
        let since: String = self.client().run(&self.script(&self.client().scripts().oldest)).await?;
        let since: Option<i64> = since.parse().ok();
        Ok(since.map(|since| Duration::from_millis(now_ms().saturating_sub(since).max(0) as u64)))
    }

    /// Writes what npm's clients expect to find in the queue's `meta` hash. A worker does so as it starts.
    pub async fn write_meta(&self) -> Result<(), Error> {
        let mut pipe = redis::pipe();
        pipe.hset_nx(self.key("meta"), "opts.maxLenEvents", 10_000).ignore();
        pipe.hset_nx(self.key("meta"), "version", VERSION).ignore();
        self.client().pipe(&pipe).await
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }

    pub(crate) fn defaults(&self) -> &JobOptions {
        &self.inner.defaults
    }

    pub(crate) fn key(&self, part: &str) -> String {
        format!("{}{part}", self.inner.base)
    }

    /// A call of a script with what every script expects first.
    pub(crate) fn script<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        call.key(self.key("meta")).arg(&self.inner.base).arg(now_ms());
        call
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
