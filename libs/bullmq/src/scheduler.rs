//! Job schedulers: factories that make the next job when the one before is taken.
//!
//! A scheduler is a hash and a place in the queue's `repeat` set. Its job of one iteration is named after the time of that
//! iteration, so no two workers make it twice. Old-style repeatable jobs of npm (`add` with `repeat`) are not made here.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    Error, Job, JobOptions, Queue,
    options::millis,
    queue::now_ms,
    schedule::{Schedule, next_time},
};

/// When a scheduler's jobs are due.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repeat {
    /// The rhythm.
    pub schedule: Schedule,
    /// The most jobs it makes.
    pub limit: Option<u32>,
    /// The first time, in ms since 1970.
    pub start: Option<i64>,
    /// The time after which it makes no more, in ms since 1970.
    pub end: Option<i64>,
}

/// A scheduler as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduler {
    /// The scheduler's id.
    pub id: String,
    /// The name of the jobs it makes.
    pub name: String,
    /// When the next job is due, in ms since 1970.
    pub next: i64,
    /// How many jobs it has made.
    pub made: u64,
    /// When its jobs are due.
    pub repeat: Repeat,
    /// The data of its jobs.
    pub data: Value,
}

impl Queue {
    /// Creates a scheduler, or changes the one of this id, and returns the id of its next job.
    pub async fn upsert_scheduler(
        &self,
        id: &str,
        repeat: &Repeat,
        name: &str,
        data: impl Serialize,
        template: JobOptions,
    ) -> Result<String, Error> {
        if id.is_empty() {
            return Err(Error::Schedule("the id is empty".to_owned()));
        }
        let template = template.or(self.defaults());
        template.check()?;
        let data = serde_json::to_string(&data).map_err(Error::Encode)?;
        let now = now_ms();
        let next = next_time(&repeat.schedule, now.max(repeat.start.unwrap_or(0)))?;
        let (every, pattern, zone) = repeat.schedule.parts();
        let mut call = self.script(&self.client().scripts().upsert_scheduler);
        call.arg(id)
            .arg(name)
            .arg(next.map(|at| at.to_string()).unwrap_or_default())
            .arg(every.map(|every| every.to_string()).unwrap_or_default())
            .arg(data)
            .arg(template_opts(&template))
            .arg(iteration_opts(&template, repeat, id, now))
            .arg("")
            .arg(repeat.start.map(|at| at.to_string()).unwrap_or_default())
            .arg(template.priority.unwrap_or(0))
            .arg(if template.lifo { "1" } else { "" });
        let further = [
            ("pattern", pattern.map(str::to_owned)),
            ("tz", zone.map(str::to_owned)),
            ("limit", repeat.limit.map(|limit| limit.to_string())),
            ("endDate", repeat.end.map(|at| at.to_string())),
        ];
        for (field, value) in further {
            if let Some(value) = value {
                call.arg(field).arg(value);
            }
        }
        match self.client().run(&call).await? {
            redis::Value::Int(_) => {
                Err(Error::Schedule("a job of the next iteration exists already".to_owned()))
            }
            answer => Ok(redis::from_redis_value(answer).map_err(redis::RedisError::from)?),
        }
    }

    /// Removes a scheduler and its next job. Tells whether there was one.
    pub async fn remove_scheduler(&self, id: &str) -> Result<bool, Error> {
        let mut call = self.script(&self.client().scripts().remove_scheduler);
        call.arg(id);
        self.client().run(&call).await
    }

    /// Every scheduler of the queue, the one that is due next first. At most a thousand.
    pub async fn schedulers(&self) -> Result<Vec<Scheduler>, Error> {
        let mut pipe = redis::pipe();
        pipe.zrange_withscores(self.key("repeat"), 0, 999);
        let (due,): (Vec<(String, f64)>,) = self.client().pipe(&pipe).await?;
        let mut pipe = redis::pipe();
        for (id, _) in &due {
            pipe.hgetall(self.key(&format!("repeat:{id}")));
        }
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let hashes: Vec<HashMap<String, String>> = self.client().pipe(&pipe).await?;
        let pairs = due.into_iter().zip(hashes).filter(|(_, hash)| !hash.is_empty());
        Ok(pairs.map(|((id, next), hash)| Scheduler::read(id, next as i64, &hash)).collect())
    }

    /// Makes the job that follows the one just taken, as every worker does before it runs a scheduler's job.
    pub(crate) async fn make_next_iteration(&self, job: &Job) -> Result<(), Error> {
        let (Some(scheduler), Some(Value::Object(repeat))) = (&job.scheduler, job.raw_opts.get("repeat"))
        else {
            return Ok(());
        };
        let now = now_ms();
        let number = |name: &str| repeat.get(name).and_then(Value::as_f64);
        let count = number("count").unwrap_or(0.0) + 1.0;
        if number("limit").is_some_and(|limit| count > limit)
            || number("endDate").is_some_and(|end| now as f64 > end)
        {
            return Ok(());
        }
        let previous = job.raw_opts.get("prevMillis").and_then(Value::as_i64).unwrap_or(0);
        let start = number("startDate").map_or(0, |start| start as i64);
        let next = next_time(&Schedule::from_repeat(repeat)?, now.max(previous).max(start))?;
        let mut opts = job.raw_opts.clone();
        for known_later in ["delay", "jobId", "prevMillis"] {
            opts.remove(known_later);
        }
        let mut repeat = repeat.clone();
        repeat.insert("count".to_owned(), json!(count as u64));
        opts.insert("repeat".to_owned(), Value::Object(repeat));
        opts.insert("repeatJobKey".to_owned(), json!(scheduler));
        opts.insert("timestamp".to_owned(), json!(now));
        let mut call = self.script(&self.client().scripts().next_iteration);
        call.arg(scheduler)
            .arg(&job.id)
            .arg(next.map(|at| at.to_string()).unwrap_or_default())
            .arg(Value::Object(opts).to_string())
            .arg(job.data.to_string())
            .arg(job.opts.priority.unwrap_or(0))
            .arg(if job.opts.lifo { "1" } else { "" });
        self.client().run::<String>(&call).await.map(drop)
    }
}

/// What the scheduler's hash keeps of the options.
fn template_opts(template: &JobOptions) -> String {
    let mut opts = JobOptions { delay: None, job_id: None, ..template.clone() }.to_json();
    if template.attempts.is_none() {
        opts.remove("attempts");
    }
    Value::Object(opts).to_string()
}

/// The options of the first job, but for what only the script knows.
fn iteration_opts(template: &JobOptions, repeat: &Repeat, scheduler: &str, now: i64) -> String {
    let own = JobOptions { delay: None, job_id: None, timestamp: Some(now), ..template.clone() };
    let mut opts = own.to_json();
    opts.insert("repeat".to_owned(), Value::Object(repeat.to_json(1)));
    opts.insert("repeatJobKey".to_owned(), json!(scheduler));
    Value::Object(opts).to_string()
}

impl Repeat {
    fn to_json(&self, count: u32) -> Map<String, Value> {
        let (every, pattern, zone) = self.schedule.parts();
        let parts = [
            ("every", every.map(|every| json!(every))),
            ("pattern", pattern.map(|pattern| json!(pattern))),
            ("tz", zone.map(|zone| json!(zone))),
            ("limit", self.limit.map(|limit| json!(limit))),
            ("startDate", self.start.map(|at| json!(at))),
            ("endDate", self.end.map(|at| json!(at))),
            ("count", Some(json!(count))),
        ];
        parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl Scheduler {
    fn read(id: String, next: i64, hash: &HashMap<String, String>) -> Self {
        let text = |name: &str| hash.get(name).cloned();
        let number = |name: &str| hash.get(name).and_then(|raw| raw.parse::<i64>().ok());
        let schedule = match (number("every"), text("pattern")) {
            (Some(every), _) => Schedule::Every(std::time::Duration::from_millis(every.max(0) as u64)),
            (None, pattern) => Schedule::Cron { pattern: pattern.unwrap_or_default(), time_zone: text("tz") },
        };
        let repeat = Repeat {
            schedule,
            limit: number("limit").map(|limit| limit.max(0) as u32),
            start: number("startDate"),
            end: number("endDate"),
        };
        Self {
            name: text("name").unwrap_or_default(),
            made: number("ic").unwrap_or(0).max(0) as u64,
            data: text("data").and_then(|raw| serde_json::from_str(&raw).ok()).unwrap_or_else(|| json!({})),
            id,
            next,
            repeat,
        }
    }
}

impl Schedule {
    /// Every so many ms, the pattern, the time zone.
    fn parts(&self) -> (Option<u64>, Option<&str>, Option<&str>) {
        match self {
            Self::Every(every) => (Some(millis(*every)), None, None),
            Self::Cron { pattern, time_zone } => (None, Some(pattern), time_zone.as_deref()),
        }
    }
}
