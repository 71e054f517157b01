//! The options of a job, as npm `bullmq` writes and reads them.
//!
//! Reading never fails: an option of the wrong shape counts as absent, because a job must not wedge its queue.

mod backoff;
mod deduplication;
mod keep;
mod parent;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Error;

pub use backoff::{Backoff, BackoffKind};
pub use deduplication::Deduplication;
pub use keep::Keep;
pub use parent::{OnFailure, Parent};

/// The lowest of all priorities; 0 (the default) goes before every other, 1 is the highest of the others.
pub const LOWEST_PRIORITY: u32 = 2_097_151;

/// How a job is treated. What is absent comes from the queue's defaults, then from the worker's, then from npm's defaults.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobOptions {
    /// An id of one's own: a second job of the same id is not added. Not a number, and without colons.
    pub job_id: Option<String>,
    /// How long to wait before the job may run.
    pub delay: Option<Duration>,
    /// 1 (first) to [`LOWEST_PRIORITY`]; jobs without a priority go before all of them.
    pub priority: Option<u32>,
    /// How often the job is tried in all, 1 if absent.
    pub attempts: Option<u32>,
    /// The wait between two attempts, none if absent.
    pub backoff: Option<Backoff>,
    /// Whether the job goes to the front of the line.
    pub lifo: bool,
    /// What happens to the job once it is completed.
    pub remove_on_complete: Option<Keep>,
    /// What happens to the job once it has failed for good.
    pub remove_on_fail: Option<Keep>,
    /// How many stack traces are kept, all if absent.
    pub stack_trace_limit: Option<u32>,
    /// How many log lines are kept, all if absent.
    pub keep_logs: Option<u32>,
    /// The trace context that travels with the job (`opts.tm`): the JSON text of a carrier, `{"traceparent":"…"}`, as `bullmq-otel` writes it.
    pub telemetry: Option<String>,
    /// When the job was made, in ms since 1970; the clock if absent.
    pub timestamp: Option<i64>,
    /// Which other jobs it must not be added beside.
    pub deduplication: Option<Deduplication>,
    /// The job that waits for this one; it must exist.
    pub parent: Option<Parent>,
    /// What becomes of the parent when this job fails for good.
    pub on_failure: Option<OnFailure>,
}

impl JobOptions {
    /// These options, with what is absent taken from `defaults`. What names a job, an id, a parent or a
    /// deduplication, is never taken.
    #[must_use]
    pub fn or(mut self, defaults: &JobOptions) -> Self {
        self.delay = self.delay.or(defaults.delay);
        self.priority = self.priority.or(defaults.priority);
        self.attempts = self.attempts.or(defaults.attempts);
        self.backoff = self.backoff.or_else(|| defaults.backoff.clone());
        self.lifo |= defaults.lifo;
        self.remove_on_complete = self.remove_on_complete.or(defaults.remove_on_complete);
        self.remove_on_fail = self.remove_on_fail.or(defaults.remove_on_fail);
        self.stack_trace_limit = self.stack_trace_limit.or(defaults.stack_trace_limit);
        self.keep_logs = self.keep_logs.or(defaults.keep_logs);
        self.telemetry = self.telemetry.or_else(|| defaults.telemetry.clone());
        self.on_failure = self.on_failure.or(defaults.on_failure);
        self
    }

    /// Refuses what npm `bullmq` refuses.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |why: &str| Err(Error::Option(why.to_owned()));
        if let Some(id) = &self.job_id {
            if id.is_empty() || id.parse::<i64>().is_ok_and(|n| n.to_string() == *id) {
                return refuse("a job id of one's own must not be a number");
            }
            if id.contains(':') {
                return refuse("a job id of one's own must not contain a colon");
            }
        }
        if self.priority.is_some_and(|priority| priority > LOWEST_PRIORITY) {
            return refuse("the priority is greater than 2097151");
        }
        if self.deduplication.as_ref().is_some_and(|rule| rule.id.is_empty()) {
            return refuse("the deduplication id is empty");
        }
        if self.backoff.as_ref().is_some_and(|backoff| !(0.0..=1.0).contains(&backoff.jitter)) {
            return refuse("the jitter is not between 0 and 1");
        }
        Ok(())
    }

    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut opts = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                opts.insert(name.to_owned(), value);
            }
        };
        put("attempts", Some(json!(self.attempts.unwrap_or(0))));
        put("backoff", self.backoff.as_ref().map(Backoff::to_json));
        put("delay", self.delay.map(|delay| json!(millis(delay))));
        put("priority", self.priority.map(|priority| json!(priority)));
        put("lifo", self.lifo.then_some(Value::Bool(true)));
        put("jobId", self.job_id.as_ref().map(|id| json!(id)));
        put("removeOnComplete", self.remove_on_complete.map(Keep::to_json));
        put("removeOnFail", self.remove_on_fail.map(Keep::to_json));
        put("stackTraceLimit", self.stack_trace_limit.map(|limit| json!(limit)));
        put("kl", self.keep_logs.map(|limit| json!(limit)));
        put("tm", self.telemetry.as_ref().map(|context| json!(context)));
        put("timestamp", self.timestamp.map(|at| json!(at)));
        put("de", self.deduplication.as_ref().map(Deduplication::to_json));
        put("parent", self.parent.as_ref().map(Parent::to_json));
        if let Some(way) = self.on_failure {
            way.write(&mut opts);
        }
        opts
    }

    pub(crate) fn from_json(opts: &Map<String, Value>) -> Self {
        let number =
            |name: &str| opts.get(name).and_then(Value::as_f64).filter(|n| *n >= 0.0).map(|n| n as u32);
        let text = |name: &str| opts.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            job_id: text("jobId"),
            delay: opts.get("delay").and_then(duration).filter(|delay| !delay.is_zero()),
            priority: number("priority").filter(|priority| *priority > 0),
            attempts: number("attempts").filter(|attempts| *attempts > 0),
            backoff: opts.get("backoff").and_then(Backoff::from_json),
            lifo: opts.get("lifo").and_then(Value::as_bool).unwrap_or(false),
            remove_on_complete: opts.get("removeOnComplete").and_then(Keep::from_json),
            remove_on_fail: opts.get("removeOnFail").and_then(Keep::from_json),
            stack_trace_limit: number("stackTraceLimit"),
            keep_logs: number("kl"),
            telemetry: text("tm"),
            timestamp: opts.get("timestamp").and_then(Value::as_i64),
            deduplication: opts.get("de").and_then(Deduplication::from_json),
            parent: opts.get("parent").and_then(Parent::from_json),
            on_failure: OnFailure::read(opts),
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    duration.as_millis().min(1_000_000_000_000) as u64
}

fn duration(value: &Value) -> Option<Duration> {
    let millis = value.as_f64().filter(|millis| millis.is_finite() && *millis >= 0.0)?;
    Some(Duration::from_millis(millis.min(1e12) as u64))
}
