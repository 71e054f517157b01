//! Finds work for free slots.
//!
//! While there is work, slots bring their own next job. This loop fills slots that are free, one job at a time, and when
//! nothing is left it sleeps on the queue's marker, on a connection of its own, until work arrives or a delayed job is due.

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use redis::aio::MultiplexedConnection;
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

use super::{Shared, calls::Taken, slot, upkeep};
use crate::{Error, queue::now_ms};

/// How long a look at the marker lasts before the queue itself is looked at, whatever the marker says.
const BLOCK: Duration = Duration::from_secs(5);
/// Even when rate limited for longer, delayed jobs are promoted this often.
const LONGEST_LIMIT: i64 = 30_000;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The worker's main task: ends once the worker is closing and all its jobs have ended.
pub(super) async fn work(shared: Arc<Shared>) {
    let mut upkeep = JoinSet::new();
    upkeep.spawn(upkeep::renew_locks(shared.clone()));
    upkeep.spawn(upkeep::recover_stalled(shared.clone()));
    if let Err(error) = shared.queue.write_meta().await {
        shared.warn(&error, "the queue's server cannot be reached yet");
    }
    let free = Arc::new(Semaphore::new(shared.settings.concurrency));
    let mut slots = JoinSet::new();
    let mut fetch =
        Fetch { shared: shared.clone(), marker: None, connection: None, drained: false, unsure: None };
    loop {
        let permit = tokio::select! {
            biased;
            () = shared.closing.cancelled() => break,
            permit = free.clone().acquire_owned() => permit,
            // All slots are busy, and a look at the marker from before caught one that is for others.
            () = fetch.caught_marker() => {
                shared.rouse_others().await;
                continue;
            }
        };
        while slots.try_join_next().is_some() {}
        let (Ok(permit), Some(taken)) = (permit, fetch.next().await) else { break };
        let shared = shared.clone();
        slots.spawn(async move {
            slot::run(shared, taken).await;
            drop(permit);
        });
    }
    drop(fetch);
    while slots.join_next().await.is_some() {}
}

type Marker = Pin<Box<dyn Future<Output = Result<Look, Error>> + Send>>;

/// A look at the marker: the connection to use again, and the time in the marker if there was one.
struct Look {
    connection: MultiplexedConnection,
    at: Option<i64>,
}

struct Fetch {
    shared: Arc<Shared>,
    /// A look at the marker that is under way. It is never dropped halfway: it may have taken the marker away already.
    marker: Option<Marker>,
    connection: Option<MultiplexedConnection>,
    /// Whether the last look at the queue found nothing.
    drained: bool,
    /// The token of a call whose answer was lost: a job may have been handed over in it.
    unsure: Option<Arc<str>>,
}

impl Fetch {
    /// The next job; nothing once the worker is closing.
    async fn next(&mut self) -> Option<Box<Taken>> {
        let (mut pause, mut troubled) = (Duration::from_millis(100), false);
        while !self.shared.is_closing() {
            let limited = self.shared.limited_until.load(Ordering::Relaxed) - now_ms();
            if limited > 0 {
                self.shared.rest(Duration::from_millis(limited.min(LONGEST_LIMIT) as u64)).await;
                self.drained = false;
                continue;
            }
            let tried = if self.drained { self.wait().await.map(|()| None) } else { self.take().await };
            match tried {
                Ok(Some(taken)) => return Some(taken),
                Ok(None) => {
                    if troubled {
                        tracing::info!(queue.name = self.shared.queue.name(), "jobs can be taken again");
                    }
                    (troubled, pause) = (false, Duration::from_millis(100));
                }
                Err(error) => {
                    if !troubled {
                        self.shared.warn(&error, "no job could be taken, trying on");
                    }
                    troubled = true;
                    self.drained = false;
                    self.shared.rest(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        None
    }

    async fn take(&mut self) -> Result<Option<Box<Taken>>, Error> {
        if let Some(token) = &self.unsure {
            let handed_over = self.shared.reclaim(token).await?;
            self.unsure = None;
            if handed_over.is_some() {
                return Ok(handed_over);
            }
        }
        if self.connection.is_none() && self.marker.is_none() {
            // A worker that never has time to wait is counted by this connection, too.
            self.connection = Some(connect(&self.shared).await?);
        }
        let token = self.shared.new_token();
        let taken = self.shared.take(&token).await.inspect_err(|error| {
            self.unsure = error.is_connection().then_some(token);
        })?;
        self.drained = taken.is_none();
        Ok(taken)
    }

    /// Sleeps until there may be work.
    async fn wait(&mut self) -> Result<(), Error> {
        let shared = self.shared.clone();
        let due = shared.delayed_until.load(Ordering::Relaxed);
        let until_due =
            if due > 0 { Some(Duration::from_millis((due - now_ms()).max(0) as u64)) } else { None };
        tokio::select! {
            biased;
            () = shared.closing.cancelled() => {}
            () = sleep_or_never(until_due) => {
                shared.delayed_until.store(0, Ordering::Relaxed);
                self.drained = false;
            }
            look = self.look() => match look? {
                // The marker of a delayed job: it is ours to remember now.
                Some(at) if at > now_ms() => shared.note_delayed(at),
                _ => self.drained = false,
            },
            // A slot learnt of a rate limit or of a delayed job.
            () = shared.hint.notified() => {}
        }
        Ok(())
    }

    /// Waits for the marker, for a few seconds at most, and takes it away.
    async fn look(&mut self) -> Result<Option<i64>, Error> {
        let shared = self.shared.clone();
        let kept = &mut self.connection;
        let marker = self.marker.get_or_insert_with(|| Box::pin(look(shared, kept.take())));
        let looked = marker.await;
        self.marker = None;
        let Look { connection, at } = looked?;
        self.connection = Some(connection);
        Ok(at)
    }

    /// Ends when a look that is under way has caught a marker.
    async fn caught_marker(&mut self) {
        if self.marker.is_some() && matches!(self.look().await, Ok(Some(_))) {
            return;
        }
        pending().await
    }
}

async fn look(shared: Arc<Shared>, connection: Option<MultiplexedConnection>) -> Result<Look, Error> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => connect(&shared).await?,
    };
    let mut command = redis::cmd("BZPOPMIN");
    command.arg(shared.queue.key("marker")).arg(BLOCK.as_secs());
    let popped: Option<(String, String, f64)> = command.query_async(&mut connection).await?;
    Ok(Look { connection, at: popped.map(|(_, _, at)| at as i64) })
}

/// A connection to wait on, under the name by which npm's clients and control planes find a queue's workers.
async fn connect(shared: &Shared) -> Result<MultiplexedConnection, Error> {
    let client = shared.queue.client();
    let mut connection = client.blocking(BLOCK).await?;
    let mut name = format!("{}:{}", client.prefix(), STANDARD.encode(shared.queue.name()));
    let own = &shared.settings.name;
    // A client's name may hold no blanks.
    if !own.is_empty() && own.chars().all(|it| it.is_ascii_graphic()) {
        name.push_str(&format!(":w:{own}"));
    }
    let named = redis::cmd("CLIENT").arg("SETNAME").arg(name).query_async::<()>(&mut connection).await;
    if let Err(error) = named {
        // Some hosted servers do not let clients have names; jobs are run all the same.
        tracing::debug!(queue.name = shared.queue.name(), %error, "the connection has no name");
    }
    Ok(connection)
}

async fn sleep_or_never(duration: Option<Duration>) {
    match duration {
        Some(duration) => sleep(duration).await,
        None => pending().await,
    }
}
