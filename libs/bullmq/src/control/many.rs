//! Acting on all jobs of a state, in bounded steps.

use std::time::Duration;

use redis::ScriptInvocation;

use super::STEP;
use crate::{Error, Queue, State, options::millis, queue::now_ms};

/// What became of a call that acts on many jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Swept {
    /// How many jobs were moved or removed.
    pub done: u64,
    /// How many jobs were in the state as the call began and were not acted on: kept for a reason, or beyond the limit.
    pub left: u64,
}

/// Which jobs a drain takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Those in line.
    Waiting,
    /// Those in line and those that are not due yet.
    WaitingAndDelayed,
}

impl Queue {
    /// Removes jobs that have not run: at most `limit` of those that stand there as the call begins.
    ///
    /// The next job of a scheduler stays; a parent in the same queue whose last child goes, goes with it.
    pub async fn drain(&self, which: Drained, limit: u64) -> Result<Swept, Error> {
        let mut states = vec![State::Waiting, State::Paused, State::Prioritized];
        if which == Drained::WaitingAndDelayed {
            states.push(State::Delayed);
        }
        let mut all = Swept::default();
        for state in states {
            let swept = self.sweep(state, None, limit - all.done).await?;
            all.done += swept.done;
            all.left += swept.left;
        }
        Ok(all)
    }

    /// Removes at most `limit` jobs of a state that have been there for longer than `grace`.
    ///
    /// Active jobs are removed only if nobody holds their lock. Jobs that wait for their children cannot be cleaned.
    pub async fn clean(&self, state: State, grace: Duration, limit: u64) -> Result<Swept, Error> {
        if state == State::WaitingChildren {
            return Err(Error::Option("jobs that wait for their children cannot be cleaned".to_owned()));
        }
        self.sweep(state, Some(grace), limit).await
    }

    /// Lets at most `limit` delayed jobs run now, the ones due first before the others.
    pub async fn promote_all(&self, limit: u64) -> Result<Swept, Error> {
        let total = self.size(State::Delayed).await?;
        let mut done = 0;
        while done < total.min(limit) {
            let mut call = self.script(&self.client().scripts().promote);
            call.arg(STEP.min(total.min(limit) - done));
            let moved: u64 = self.client().run(&call).await?;
            if moved == 0 {
                break;
            }
            done += moved;
        }
        Ok(Swept { done, left: total - done })
    }

    /// Puts at most `limit` failed jobs back in line, the ones that failed first before the others. What fails again meanwhile
    /// is not taken a second time.
    pub async fn retry_all(&self, limit: u64) -> Result<Swept, Error> {
        self.retry_until(now_ms(), limit).await
    }

    /// The same for jobs that had failed by `until`, in ms since 1970: a call that is made again leaves those alone that have
    /// failed since the first.
    pub async fn retry_until(&self, until: i64, limit: u64) -> Result<Swept, Error> {
        let total = self.size(State::Failed).await?;
        let (mut done, mut gone) = (0, 0);
        while done + gone < total.min(limit) {
            let mut call = self.script(&self.client().scripts().run_again);
            call.arg(State::Failed.key()).arg(STEP.min(total.min(limit) - done - gone)).arg(until);
            let (moved, missing): (u64, u64) = self.client().run(&call).await?;
            if moved + missing == 0 {
                break;
            }
            done += moved;
            gone += missing;
        }
        Ok(Swept { done, left: total.saturating_sub(done + gone) })
    }

    /// How many jobs are in a state.
    pub async fn size(&self, state: State) -> Result<u64, Error> {
        let mut pipe = redis::pipe();
        match state.shape() {
            "list" => pipe.llen(self.key(state.key())),
            _ => pipe.zcard(self.key(state.key())),
        };
        let (size,): (u64,) = self.client().pipe(&pipe).await?;
        Ok(size)
    }

    async fn sweep(&self, state: State, grace: Option<Duration>, limit: u64) -> Result<Swept, Error> {
        let total = self.size(state).await?;
        let (mut done, mut kept) = (0, 0);
        while done < limit && done + kept < total {
            let step = STEP.min(total - done - kept).min(limit - done);
            let mut call = self.script(&self.client().scripts().sweep);
            Self::sweeping(&mut call, state, kept, step, grace);
            let (removed, stayed): (u64, u64) = self.client().run(&call).await?;
            done += removed;
            kept += stayed;
            if removed + stayed == 0 {
                break;
            }
            let in_order_of_age = matches!(state, State::Completed | State::Failed);
            if in_order_of_age && stayed > 0 {
                // The rest is younger still.
                break;
            }
        }
        Ok(Swept { done, left: total.saturating_sub(done) })
    }

    fn sweeping(
        call: &mut ScriptInvocation<'_>,
        state: State,
        from: u64,
        step: u64,
        grace: Option<Duration>,
    ) {
        let finished = matches!(state, State::Completed | State::Failed);
        call.arg(state.key())
            .arg(state.shape())
            .arg(from)
            .arg(step)
            .arg(grace.map(|grace| millis(grace).to_string()).unwrap_or_default())
            .arg(if state == State::Active { "1" } else { "" })
            .arg(if finished { "1" } else { "" });
    }
}
