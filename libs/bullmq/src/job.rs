//! A job as it stands in its queue, and what its handler can do with it while it runs.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Error, JobOptions, Parent, Queue, options::millis};

/// A job as it stood when it was read.
#[derive(Clone)]
#[non_exhaustive]
pub struct Job {
    /// The id within its queue.
    pub id: String,
    /// The name, which says what kind of job it is.
    pub name: String,
    /// The name of its queue.
    pub queue: String,
    /// What the producer handed over.
    pub data: Value,
    /// How the job is treated.
    pub opts: JobOptions,
    /// How many attempts have ended.
    pub attempts_made: u32,
    /// How many attempts have begun, this one included.
    pub attempts_started: u32,
    /// How often a worker died with it.
    pub stalled: u32,
    /// When it was added, in ms since 1970.
    pub timestamp: i64,
    /// The wait it is in or came from; zero once it is due.
    pub delay: Duration,
    /// 0 goes first, then 1 and so on.
    pub priority: u32,
    /// What its handler last told of its progress.
    pub progress: Value,
    /// When the last attempt began, in ms since 1970.
    pub processed_on: Option<i64>,
    /// When it completed or failed for good, in ms since 1970.
    pub finished_on: Option<i64>,
    /// The name of the worker that ran it last.
    pub processed_by: Option<String>,
    /// What its handler returned.
    pub return_value: Option<Value>,
    /// Why the last attempt failed.
    pub failed_reason: Option<String>,
    /// One text a failed attempt, the newest last.
    pub stack_trace: Vec<String>,
    /// The trace context that came with it (`opts.tm`).
    pub telemetry: Option<String>,
    /// The job that waits for this one.
    pub parent: Option<Parent>,
    /// The deduplication id it was added with.
    pub deduplication_id: Option<String>,
    /// The scheduler that made it.
    pub scheduler: Option<String>,
    /// Why it must fail without being run: its worker died too often, or a child failed.
    pub(crate) deferred_failure: Option<String>,
    pub(crate) raw_opts: Map<String, Value>,
    pub(crate) link: Queue,
    pub(crate) token: Option<Arc<str>>,
}

impl Job {
    /// The data as a type.
    pub fn data_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.data).map_err(Error::Decode)
    }

    /// Tells how far the job is; every listener of the queue's events hears of it.
    pub async fn update_progress(&self, progress: impl Into<Value>) -> Result<(), Error> {
        self.set("progress", &progress.into()).await
    }

    /// Replaces the data, for the next attempt to find.
    pub async fn update_data(&self, data: impl Into<Value>) -> Result<(), Error> {
        self.set("data", &data.into()).await
    }

    /// Appends one line to the job's log.
    pub async fn log(&self, line: &str) -> Result<(), Error> {
        let keep = self.opts.keep_logs.map(|keep| keep.to_string()).unwrap_or_default();
        let mut call = self.link.script(&self.link.client().scripts().log);
        call.arg(&self.id).arg(line).arg(keep);
        self.found(self.link.client().run(&call).await?)
    }

    /// Keeps the job for this worker for so long from now. The worker renews by itself; this is for a handler that blocks its thread.
    pub async fn extend_lock(&self, duration: Duration) -> Result<(), Error> {
        let lost = || Error::LockLost(self.id.clone());
        let token = self.token.as_deref().ok_or_else(lost)?;
        let mut call = self.link.script(&self.link.client().scripts().extend);
        call.arg(millis(duration)).arg(&self.id).arg(token);
        let gone: Vec<String> = self.link.client().run(&call).await?;
        if gone.is_empty() { Ok(()) } else { Err(lost()) }
    }

    async fn set(&self, field: &str, value: &Value) -> Result<(), Error> {
        let mut call = self.link.script(&self.link.client().scripts().update);
        call.arg(&self.id).arg(field).arg(value.to_string());
        self.found(self.link.client().run(&call).await?)
    }

    fn found(&self, code: i64) -> Result<(), Error> {
        if code < 0 { Err(Error::Missing(self.id.clone())) } else { Ok(()) }
    }

    /// Reads a job's hash. What cannot be read is left out; the second value says why the job cannot be run, if so.
    pub(crate) fn read(
        link: &Queue,
        id: String,
        mut fields: HashMap<String, Vec<u8>>,
    ) -> (Self, Option<&'static str>) {
        let mut fault = None;
        let mut text = |name: &str| fields.remove(name).map(|raw| String::from_utf8_lossy(&raw).into_owned());
        let opts = text("opts").unwrap_or_default();
        let raw_opts: Map<String, Value> = serde_json::from_str(or_object(&opts)).unwrap_or_else(|_| {
            fault = Some("the job's options are not a json object");
            Map::new()
        });
        let data = text("data").unwrap_or_default();
        let data = serde_json::from_str(or_object(&data)).unwrap_or_else(|_| {
            fault = Some("the job's data is not json");
            Value::Null
        });
        let opts = JobOptions::from_json(&raw_opts);
        let job = Self {
            name: text("name").unwrap_or_default(),
            queue: link.name().to_owned(),
            data,
            attempts_made: number(text("atm").or_else(|| text("attemptsMade"))).unwrap_or(0),
            attempts_started: number(text("ats")).unwrap_or(0),
            stalled: number(text("stc")).unwrap_or(0),
            timestamp: number(text("timestamp")).unwrap_or(0),
            delay: Duration::from_millis(number(text("delay")).unwrap_or(0)),
            priority: number(text("priority")).unwrap_or(0),
            progress: json(text("progress")).unwrap_or(Value::from(0)),
            processed_on: number(text("processedOn")),
            finished_on: number(text("finishedOn")),
            processed_by: text("pb"),
            return_value: text("returnvalue")
                .map(|raw| serde_json::from_str(&raw).unwrap_or(Value::String(raw))),
            failed_reason: text("failedReason"),
            stack_trace: json(text("stacktrace"))
                .and_then(|value| serde_json::from_value(value).ok())
                .unwrap_or_default(),
            telemetry: opts.telemetry.clone(),
            parent: json(text("parent")).as_ref().and_then(Parent::from_json),
            deduplication_id: text("deid"),
            scheduler: text("rjk"),
            deferred_failure: text("defa").filter(|reason| !reason.is_empty()),
            id,
            opts,
            raw_opts,
            link: link.clone(),
            token: None,
        };
        (job, fault)
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The data is a customer's and stays out of logs.
        f.debug_struct("Job")
            .field("queue", &self.queue)
            .field("id", &self.id)
            .field("name", &self.name)
            .field("attempts_made", &self.attempts_made)
            .finish_non_exhaustive()
    }
}

fn or_object(raw: &str) -> &str {
    if raw.is_empty() { "{}" } else { raw }
}

fn number<T: std::str::FromStr>(raw: Option<String>) -> Option<T> {
    raw?.parse().ok()
}

fn json(raw: Option<String>) -> Option<Value> {
    serde_json::from_str(&raw?).ok()
}
