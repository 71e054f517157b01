//! Changes a queue. Harmless when it is done again: a pause is one; a retry takes what had failed and a drain what stood there
//! when it was asked for (by the clocks of those who added it); a promotion goes by a limit, of which the server takes off
//! what was told to be done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ops_bullmq::{Error, Queue, State};
use ops_contract::{QueueOutcome, Timestamp};
use tokio::time::Instant;

use crate::clock;

/// Jobs between two looks at the time.
const BATCH: u64 = 2_000;
/// Longest work on one command; what is left is said, and may be asked for again.
const DEADLINE: Duration = Duration::from_secs(60);

pub(super) async fn pause(queue: &Queue) -> Result<QueueOutcome, Error> {
    let was = queue.is_paused().await?;
    queue.pause().await?;
    Ok(outcome(u64::from(!was), false))
}

pub(super) async fn resume(queue: &Queue) -> Result<QueueOutcome, Error> {
    let was = queue.is_paused().await?;
    queue.resume().await?;
    Ok(outcome(u64::from(was), false))
}

pub(super) async fn retry(
    queue: &Queue,
    limit: u64,
    asked: Timestamp,
    done: &AtomicU64,
) -> Result<QueueOutcome, Error> {
    // Rounded up: what failed in the millisecond of the asking was seen by who asked.
    let until = asked.0.div_euclid(1_000) + 1;
    let (time, mut moved, mut left) = (Instant::now(), 0, queue.size(State::Failed).await?);
    while moved < limit && time.elapsed() < DEADLINE {
        let swept = queue.retry_until(until, BATCH.min(limit - moved)).await?;
        moved += swept.done;
        left = swept.left;
        done.store(moved, Ordering::Relaxed);
        if swept.done == 0 || left == 0 {
            break;
        }
    }
    Ok(outcome(moved, left > 0))
}

pub(super) async fn drain(
    queue: &Queue,
    delayed: bool,
    asked: Timestamp,
    done: &AtomicU64,
) -> Result<QueueOutcome, Error> {
    let mut states = vec![State::Waiting, State::Paused, State::Prioritized];
    states.extend(delayed.then_some(State::Delayed));
    let (time, mut removed) = (Instant::now(), 0);
    for state in states {
        loop {
            // What came since is not what was seen.
            let swept = queue.clean(state, clock::now().since(asked), BATCH).await?;
            removed += swept.done;
            done.store(removed, Ordering::Relaxed);
            if swept.done < BATCH {
                break;
            }
            if time.elapsed() >= DEADLINE {
                return Ok(outcome(removed, true));
            }
        }
    }
    Ok(outcome(removed, false))
}

pub(super) async fn promote(queue: &Queue, limit: u64, done: &AtomicU64) -> Result<QueueOutcome, Error> {
    // What is delayed anew meanwhile is not what was seen.
    let there = queue.size(State::Delayed).await?;
    let goal = there.min(limit);
    let (time, mut moved) = (Instant::now(), 0);
    while moved < goal && time.elapsed() < DEADLINE {
        let swept = queue.promote_all(BATCH.min(goal - moved)).await?;
        moved += swept.done;
        done.store(moved, Ordering::Relaxed);
        if swept.done == 0 {
            break;
        }
    }
    Ok(outcome(moved, moved < there))
}

fn outcome(done: u64, more: bool) -> QueueOutcome {
    QueueOutcome { done, jobs: Vec::new(), more }
}
