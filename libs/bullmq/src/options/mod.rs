//! The options of a job, as npm `bullmq` writes and reads them.
//!
//! Reading never fails: an option of the wrong shape counts as absent, because a job must not wedge its queue.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Error;

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
}

/// The wait between two attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// How the wait grows.
    pub kind: BackoffKind,
    /// The wait, or the first of the waits.
    pub delay: Duration,
    /// 0 for exact waits, up to 1 for waits anywhere between nothing and the full wait.
    pub jitter: f64,
}

/// How the wait between two attempts grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackoffKind {
    /// The same wait each time.
    Fixed,
    /// Twice as long each time.
    Exponential,
    /// A strategy that an npm program named and only it knows; here it is the fixed one.
    Custom(String),
}

/// Which finished jobs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of them.
    All,
    /// None: the job is removed as it finishes.
    Nothing,
    /// The newest ones.
    Last(u32),
    /// The ones not older than `age`, and not more than `count`.
    For {
        /// The greatest age.
        age: Duration,
        /// The greatest number.
        count: Option<u32>,
    },
}

impl Backoff {
    /// The same wait each time.
    pub fn fixed(delay: Duration) -> Self {
        Self { kind: BackoffKind::Fixed, delay, jitter: 0.0 }
    }

    /// `delay`, then twice as long each time.
    pub fn exponential(delay: Duration) -> Self {
        Self { kind: BackoffKind::Exponential, delay, jitter: 0.0 }
    }

    /// The wait after the given attempt (the first is 1). `random` is in 0..1.
    pub fn wait(&self, attempt: u32, random: f64) -> Duration {
        let base = self.delay.as_millis() as f64;
        let full = match self.kind {
            BackoffKind::Exponential => base * 2f64.powi(attempt.saturating_sub(1).min(1000) as i32),
            BackoffKind::Fixed | BackoffKind::Custom(_) => base,
        };
        let jitter = self.jitter.clamp(0.0, 1.0);
        let wait = if jitter > 0.0 { full * (1.0 - jitter) + random * full * jitter } else { full };
        // A wait beyond any calendar would overflow the delayed set's score.
        Duration::from_millis(wait.clamp(0.0, 1e12) as u64)
    }

    fn to_json(&self) -> Value {
        let kind = match &self.kind {
            BackoffKind::Fixed => "fixed",
            BackoffKind::Exponential => "exponential",
            BackoffKind::Custom(name) => name,
        };
        let mut backoff = json!({ "type": kind, "delay": millis(self.delay) });
        if self.jitter > 0.0 {
            backoff["jitter"] = json!(self.jitter);
        }
        backoff
    }

    fn from_json(value: &Value) -> Option<Self> {
        if let Some(delay) = duration(value) {
            return Some(Self::fixed(delay));
        }
        let kind = match value.get("type")?.as_str()? {
            "fixed" => BackoffKind::Fixed,
            "exponential" => BackoffKind::Exponential,
            other => BackoffKind::Custom(other.to_owned()),
        };
        let delay = value.get("delay").and_then(duration).unwrap_or_default();
        Some(Self { kind, delay, jitter: value.get("jitter").and_then(Value::as_f64).unwrap_or(0.0) })
    }
}

impl Keep {
    fn to_json(self) -> Value {
        match self {
            Self::All => json!(false),
            Self::Nothing => json!(true),
            Self::Last(count) => json!(count),
            Self::For { age, count: None } => json!({ "age": age.as_secs() }),
            Self::For { age, count: Some(count) } => json!({ "age": age.as_secs(), "count": count }),
        }
    }

    fn from_json(value: &Value) -> Option<Self> {
        let count =
            |value: &Value| value.as_f64().map(|n| if n < 0.0 { Self::All } else { Self::Last(n as u32) });
        match value {
            Value::Bool(true) => Some(Self::Nothing),
            Value::Bool(false) => Some(Self::All),
            Value::Number(_) => {
                count(value).map(|keep| if keep == Self::Last(0) { Self::Nothing } else { keep })
            }
            Value::Object(fields) => match (fields.get("age").and_then(Value::as_f64), fields.get("count")) {
                (Some(age), limit) => Some(Self::For {
                    age: Duration::from_secs(age.max(0.0) as u64),
                    count: limit.and_then(Value::as_u64).map(|n| n.min(u64::from(u32::MAX)) as u32),
                }),
                (None, Some(limit)) => count(limit),
                (None, None) => Some(Self::All),
            },
            _ => None,
        }
    }

    /// The script's arguments: count (-1 all), age in seconds.
    pub(crate) fn arguments(self) -> (String, String) {
        match self {
            Self::All => ("-1".into(), String::new()),
            Self::Nothing => ("0".into(), String::new()),
            Self::Last(count) => (count.to_string(), String::new()),
            Self::For { age, count } => {
                (count.map(|n| n.to_string()).unwrap_or_default(), age.as_secs().to_string())
            }
        }
    }
}

impl JobOptions {
    /// These options, with what is absent taken from `defaults`. An id is never taken.
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
