//! A read-only view of all queues of one server, for whoever looks after them.
//!
//! A [`Watch`] is asked to [`look`](Watch::look) now and then, through a connection that the caller keeps. One look is one round trip
//! (more only when events came in a burst): a script reads what stands in each queue, `XREAD` what happened since the last look,
//! and a step of `SCAN` finds new queues. What a look costs the server follows from the number of queues, never from the
//! number of jobs. Between two looks [`arrival`](Watch::arrival) waits for work to come to a queue that had none.
//!
//! It never writes, never uses `KEYS`, and forgets nothing when the connection breaks: counters go on where they were.
//!
//! `find` finds queues, `read.lua` and `reading` read them, `stream` and `ledger` count events, `queue` puts it together.

mod age;
mod clients;
mod due;
mod find;
mod ledger;
mod queue;
mod reading;
mod recent;
mod round;
mod sample;
mod stream;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use redis::{Value, aio::ConnectionLike};

pub use self::sample::{Due, Look, RateLimit, Sample, Spread, Totals};
use self::{clients::Clients, find::Finder, queue::Queue, round::Round};
use crate::Error;

/// The most queues that are read.
pub const MOST_QUEUES: usize = 1_000;

/// Looks after which a queue of which nothing is left is forgotten.
const GONE_LOOKS: u32 = 30;
/// Connections by which the next look at them comes one look later, and the latest that it comes: listing them costs the server
/// about a microsecond each.
const CLIENTS_A_LOOK: usize = 200;
const CLIENTS_PAUSE: u32 = 15;
/// Looks between two questions for the memory policy.
const POLICY_PAUSE: u32 = 15;
/// Queues that are tried at each look because somebody works on them.
const CANDIDATES: usize = 50;
/// Forgotten queues whose counters are kept, so that they do not fall should one come back.
const RETIRED: usize = 10_000;

/// What is known of all queues of one server under one prefix.
#[derive(Debug)]
pub struct Watch {
    prefix: String,
    named: BTreeSet<String>,
    queues: BTreeMap<String, Queue>,
    retired: BTreeMap<String, Totals>,
    finder: Finder,
    script: redis::Script,
    epoch: String,
    policy: Option<String>,
    policy_pause: u32,
    clients_pause: u32,
    looks: usize,
    /// Whether the last round trip went well; if not, the server may be another.
    is_sure: bool,
}

impl Watch {
    /// A watch that has seen nothing yet. The queues in `named` are read from the start, even while they do not exist.
    pub fn new(prefix: &str, named: impl IntoIterator<Item = String>) -> Self {
        let named: BTreeSet<String> = named
            .into_iter()
            .filter(|name| !name.is_empty() && !name.contains(':'))
            .take(MOST_QUEUES)
            .collect();
        Self {
            prefix: prefix.to_owned(),
            queues: named.iter().map(|name| (name.clone(), Queue::from_now(Totals::default()))).collect(),
            named,
            retired: BTreeMap::new(),
            finder: Finder::new(prefix),
            script: redis::Script::new(reading::SCRIPT),
            epoch: uuid::Uuid::new_v4().to_string(),
            policy: None,
            policy_pause: 0,
            clients_pause: 0,
            looks: 0,
            is_sure: false,
        }
    }

    /// The name of the time since which the totals count.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Looks at every known queue, and for others. After an error the watch goes on where it was, through any connection.
    pub async fn look<C: ConnectionLike + Send>(&mut self, connection: &mut C) -> Result<Look, Error> {
        let mut names: Vec<String> = self.queues.keys().cloned().collect();
        self.looks = self.looks.wrapping_add(1);
        let round = self.round(connection, &names, true).await?;
        self.policy = round.memory.as_deref().map_or(self.policy.take(), policy);
        let all_were_known = self.finder.walked;
        let found = round.scan.clone().map(|answer| self.finder.found(answer)).unwrap_or_default();
        let clients = round.clients.as_deref().map(|list| clients::parse(list, &self.prefix));
        self.take(round);
        for queue in self.queues.values_mut() {
            queue.muted = false;
        }
        let new = self.add(found, clients.as_ref(), all_were_known);
        if !new.is_empty() {
            let round = self.round(connection, &new, false).await?;
            self.take(round);
            // Its keys may have gone in between, or somebody works on a queue that nobody has made yet.
            self.queues.retain(|name, queue| {
                queue.gone_for == 0 || self.named.contains(name) || new.binary_search(name).is_err()
            });
            names.extend(new);
        }
        if let Some(clients) = clients {
            self.clients_pause = ((clients.connections / CLIENTS_A_LOOK) as u32).min(CLIENTS_PAUSE);
            for (name, queue) in &mut self.queues {
                queue.sample.workers = clients.workers.get(name).copied().unwrap_or(0);
            }
        }
        self.forget();
        Ok(self.seen())
    }

    /// Waits until something happens in a queue in which nobody had anything to do, and names those queues; nothing when
    /// nothing happens for so long. The connection is not free for others meanwhile.
    pub async fn arrival<C: ConnectionLike + Send>(
        &self,
        connection: &mut C,
        at_most: Duration,
    ) -> Result<Vec<String>, Error> {
        let idle = |queue: &Queue| {
            queue.is_readable() && !queue.muted && queue.sample.claimable() + queue.sample.active == 0
        };
        let idle: Vec<_> = self.queues.iter().filter(|(_, queue)| idle(queue)).collect();
        if idle.is_empty() {
            tokio::time::sleep(at_most).await;
            return Ok(Vec::new());
        }
        let mut wait = redis::cmd("XREAD");
        wait.arg("COUNT").arg(1).arg("BLOCK").arg(at_most.as_millis().max(1) as u64).arg("STREAMS");
        for (name, _) in &idle {
            wait.arg(self.key(name, "events"));
        }
        for (_, queue) in &idle {
            wait.arg(&queue.cursor);
        }
        let answer: Value = wait.query_async(connection).await?;
        Ok(stream::streams(answer).iter().filter_map(|(key, _)| self.name_of_events(key)).collect())
    }

    /// Looks only at these queues. Everything that is known when work stands in one of them; otherwise somebody took it
    /// already, and they do not end an [`arrival`](Watch::arrival) again before the next [`look`](Watch::look).
    pub async fn glance<C: ConnectionLike + Send>(
        &mut self,
        connection: &mut C,
        names: &[String],
    ) -> Result<Option<Look>, Error> {
        let round = self.round(connection, names, false).await?;
        self.take(round);
        let mut stands = false;
        for name in names {
            if let Some(queue) = self.queues.get_mut(name) {
                queue.muted = queue.sample.claimable() == 0;
                stands |= !queue.muted;
            }
        }
        Ok(stands.then(|| self.seen()))
    }

    /// Begins to know queues that were found, and returns their names in order. Where all were known, they have just been made.
    fn add(&mut self, found: Vec<String>, clients: Option<&Clients>, all_were_known: bool) -> Vec<String> {
        let worked_on = clients.into_iter().flat_map(|clients| clients.workers.keys());
        let worked_on = worked_on.filter(|name| !self.queues.contains_key(*name)).take(CANDIDATES).cloned();
        let mut candidates: BTreeSet<String> = worked_on.chain(found).collect();
        let unread = std::mem::take(&mut self.finder.unread);
        candidates.extend(unread.iter().cloned());
        candidates.retain(|name| !self.queues.contains_key(name));
        let mut new = Vec::new();
        for name in candidates {
            if self.queues.len() >= MOST_QUEUES {
                self.finder.leave_unread(name);
                continue;
            }
            let queue = match self.retired.remove(&name) {
                None if all_were_known && !unread.contains(&name) => Queue::new_one(),
                totals => Queue::from_now(totals.unwrap_or_default()),
            };
            self.queues.insert(name.clone(), queue);
            new.push(name);
        }
        new
    }

    /// Takes in what one round trip brought.
    fn take(&mut self, round: Round) {
        let most = round::remembered(self.queues.len());
        for (name, reading) in round.readings {
            if let Some(queue) = self.queues.get_mut(&name) {
                queue.take(reading, round.now_ms, most);
            }
        }
    }

    fn forget(&mut self) {
        let gone = |name: &String, queue: &Queue| {
            queue.gone_for > GONE_LOOKS && !queue.misses_schedulers() && !self.named.contains(name)
        };
        let gone: Vec<String> = self
            .queues
            .iter()
            .filter(|(name, queue)| gone(name, queue))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            if let Some(queue) = self.queues.remove(&name) {
                self.retired.insert(name, queue.totals());
            }
        }
        if self.retired.len() > RETIRED {
            self.retired.clear();
            self.epoch = uuid::Uuid::new_v4().to_string();
        }
    }

    fn seen(&self) -> Look {
        let sample = |(name, queue): (&String, &Queue)| (name.clone(), queue.sample.clone());
        Look {
            queues: self.queues.iter().map(sample).collect(),
            unread: self.finder.unread.len() as u32,
            maxmemory_policy: self.policy.clone(),
        }
    }

    fn key(&self, name: &str, part: &str) -> String {
        format!("{}:{name}:{part}", self.prefix)
    }

    fn name_of_events(&self, key: &[u8]) -> Option<String> {
        let key = std::str::from_utf8(key).ok()?;
        Some(key.strip_prefix(&*self.prefix)?.strip_prefix(':')?.strip_suffix(":events")?.to_owned())
    }
}

/// The policy as `INFO memory` tells it.
fn policy(memory: &str) -> Option<String> {
    memory.lines().find_map(|line| line.trim().strip_prefix("maxmemory_policy:")).map(str::to_owned)
}
