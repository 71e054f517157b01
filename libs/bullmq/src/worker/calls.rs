//! What a worker asks of the server, and what it makes of the answers.

use std::{collections::HashMap, sync::Arc, sync::atomic::Ordering, time::Duration};

use redis::{FromRedisValue, ScriptInvocation, Value as Reply, from_redis_value};

use super::Shared;
use crate::{Error, Job, Keep, options::millis, queue::now_ms};

/// A job that this worker holds the lock of.
pub(super) struct Taken {
    pub(super) job: Job,
    pub(super) token: Arc<str>,
    /// Why it cannot be run.
    pub(super) fault: Option<&'static str>,
}

/// The answer of a step that ends a job: what follows, or the script's code for "not yours".
pub(super) enum Ended {
    Next(Option<Box<Taken>>),
    Refused(i64),
}

/// How a job ended.
pub(super) enum Ending<'a> {
    Completed {
        value: &'a str,
    },
    Failed {
        reason: &'a str,
        stack: &'a str,
    },
    Retry {
        reason: &'a str,
        stack: &'a str,
        wait: Duration,
    },
    /// Did not fail: its handler put it off.
    PutOff {
        wait: Duration,
    },
    /// Goes back in line, and nobody takes a job for so long.
    Limited {
        wait: Duration,
    },
    /// Runs again when its children have ended.
    WaitForChildren,
}

impl Shared {
    /// The next job, if there is one.
    pub(super) async fn take(&self, token: &Arc<str>) -> Result<Option<Box<Taken>>, Error> {
        let mut call = self.queue.script(&self.queue.client().scripts().take);
        self.taking(&mut call, token);
        let reply = self.queue.client().run(&call).await?;
        self.read_taken(reply, token)
    }

    /// The job that was taken by a call whose answer was lost, if there is one.
    pub(super) async fn reclaim(&self, token: &Arc<str>) -> Result<Option<Box<Taken>>, Error> {
        let mut call = self.queue.script(&self.queue.client().scripts().reclaim);
        call.arg(&**token);
        let reply = self.queue.client().run(&call).await?;
        self.read_taken(reply, token)
    }

    /// Ends an attempt and takes the next job in the same step, unless the worker is closing.
    pub(super) async fn end(
        &self,
        taken: &Taken,
        ending: &Ending<'_>,
        next: &Arc<str>,
    ) -> Result<Ended, Error> {
        let scripts = self.queue.client().scripts();
        let script = match ending {
            Ending::Completed { .. } | Ending::Failed { .. } => &scripts.finish,
            Ending::Retry { .. } | Ending::PutOff { .. } => &scripts.retry,
            Ending::WaitForChildren => &scripts.wait_for_children,
            Ending::Limited { wait } => return self.hold_back(taken, *wait).await,
        };
        let mut call = self.queue.script(script);
        call.arg(&taken.job.id).arg(&*taken.token);
        let opts = &taken.job.opts;
        let fetch = if self.is_closing() { "" } else { "1" };
        match ending {
            Ending::Retry { reason, stack, wait } => {
                call.arg(millis(*wait)).arg(reason).arg(stack).arg(if opts.lifo { "1" } else { "" });
            }
            Ending::PutOff { wait } => {
                call.arg(millis(*wait)).arg("").arg("").arg("");
            }
            Ending::WaitForChildren | Ending::Limited { .. } => {}
            Ending::Completed { value } => {
                let keep = opts.remove_on_complete.unwrap_or(self.settings.remove_on_complete);
                call.arg("completed").arg(value).arg("");
                self.keeping(&mut call, opts.attempts, keep);
            }
            Ending::Failed { reason, stack } => {
                let keep = opts.remove_on_fail.unwrap_or(self.settings.remove_on_fail);
                call.arg("failed").arg(reason).arg(stack);
                self.keeping(&mut call, opts.attempts, keep);
            }
        }
        call.arg(fetch);
        self.taking(&mut call, next);
        match self.queue.client().run(&call).await? {
            Reply::Int(code) if code < 0 => Ok(Ended::Refused(code)),
            reply @ Reply::Array(_) => Ok(Ended::Next(self.read_taken(reply, next)?)),
            _ => Ok(Ended::Next(None)),
        }
    }

    /// Puts a job back in line that this worker will not finish.
    pub(super) async fn give_back(&self, id: &str, token: &str) {
        let mut call = self.queue.script(&self.queue.client().scripts().give_back);
        call.arg(id).arg(token).arg("");
        if let Err(error) = self.queue.client().run::<i64>(&call).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                queue.name = self.queue.name(),
                job.id = id,
                error,
                "a job could not be put back in line"
            );
        }
    }

    async fn hold_back(&self, taken: &Taken, wait: Duration) -> Result<Ended, Error> {
        let mut call = self.queue.script(&self.queue.client().scripts().give_back);
        let held = if wait.is_zero() { String::new() } else { millis(wait).to_string() };
        call.arg(&taken.job.id).arg(&*taken.token).arg(held);
        let answer: i64 = self.queue.client().run(&call).await?;
        if answer < 0 {
            return Ok(Ended::Refused(answer));
        }
        self.note_limit(answer);
        Ok(Ended::Next(None))
    }

    fn note_limit(&self, wait_ms: i64) {
        if wait_ms > 0 {
            self.limited_until.store(now_ms() + wait_ms, Ordering::Relaxed);
            self.hint.notify_one();
        }
    }

    /// Wakes another worker if there is work: this one may have swallowed the marker that says so.
    pub(super) async fn rouse_others(&self) {
        if let Err(error) = self.queue.rouse().await {
            self.warn(&error, "other workers could not be woken");
        }
    }

    /// Remembers when the next delayed job is due, and tells the fetching loop.
    pub(super) fn note_delayed(&self, at: i64) {
        // Only ever earlier: an answer may be older than a marker that was seen since. Too early costs one look at the queue.
        let known = self.delayed_until.load(Ordering::Relaxed);
        if at > 0 && (known == 0 || at < known) {
            self.delayed_until.store(at, Ordering::Relaxed);
            self.hint.notify_one();
        }
    }

    /// The arguments that every step that takes a job ends with.
    fn taking(&self, call: &mut ScriptInvocation<'_>, token: &Arc<str>) {
        let (max, per) = match self.settings.limit {
            Some((max, per)) => (max.to_string(), millis(per).to_string()),
            None => (String::new(), String::new()),
        };
        call.arg(&**token).arg(millis(self.settings.lock)).arg(max).arg(per).arg(&self.settings.name);
    }

    fn keeping(&self, call: &mut ScriptInvocation<'_>, attempts: Option<u32>, keep: Keep) {
        let (count, age) = keep.arguments();
        call.arg(attempts.unwrap_or(0)).arg(count).arg(age).arg(1000);
        call.arg(self.settings.metrics.map(|minutes| minutes.to_string()).unwrap_or_default());
    }

    fn read_taken(&self, reply: Reply, token: &Arc<str>) -> Result<Option<Box<Taken>>, Error> {
        let (fields, id, limited, delayed): (Reply, Reply, i64, i64) = read(reply)?;
        self.note_limit(limited);
        if !matches!(fields, Reply::Array(_)) {
            self.note_delayed(delayed);
            return Ok(None);
        }
        let fields: HashMap<String, Vec<u8>> = read(fields)?;
        let (mut job, fault) = Job::read(&self.queue, read(id)?, fields);
        job.token = Some(token.clone());
        Ok(Some(Box::new(Taken { job, token: token.clone(), fault })))
    }
}

fn read<T: FromRedisValue>(reply: Reply) -> Result<T, Error> {
    from_redis_value(reply).map_err(|error| Error::Server(error.into()))
}
