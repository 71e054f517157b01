//! Who is online: one sorted set an organisation in Valkey, scored by when each entry runs out.
//!
//! An entry is a user on a replica. A replica renews its own and takes them back; those of one that died run out by themselves.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ops_program::valkey;
use ops_tasks::Task;
use redis::aio::ConnectionManager;
use serde::Serialize;
use tracing::warn;
use uuid::Uuid;

use crate::app::App;

/// How often entries are renewed.
pub(crate) const REFRESHED: Duration = Duration::from_secs(30);

/// When an entry runs out: after two missed renewals and a bit.
const TTL_MS: i64 = 75_000;

/// A user of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Person {
    pub(crate) organisation: Uuid,
    pub(crate) user: Uuid,
}

/// Who is online.
pub(crate) struct Presence {
    valkey: ConnectionManager,
    replica: Uuid,
    /// How many sockets each person has here.
    here: Mutex<HashMap<Person, usize>>,
}

impl Presence {
    pub(crate) fn new(valkey: ConnectionManager) -> Self {
        Self { valkey, replica: Uuid::new_v4(), here: Mutex::default() }
    }

    /// Counts a socket in. Tells whether it is the person's first on this replica.
    pub(crate) async fn join(&self, person: Person) -> bool {
        let first = {
            let mut here = self.here();
            let sockets = here.entry(person).or_insert(0);
            *sockets += 1;
            *sockets == 1
        };
        self.renew(&[person]).await;
        first
    }

    /// Counts a socket out.
    pub(crate) async fn leave(&self, person: Person) {
        let gone = {
            let mut here = self.here();
            let left = here.get_mut(&person).map(|sockets| {
                *sockets = sockets.saturating_sub(1);
                *sockets
            });
            left == Some(0) && here.remove(&person).is_some()
        };
        if gone {
            let mut remove = redis::pipe();
            remove.zrem(key(person.organisation), self.member(person)).ignore();
            self.send(remove).await;
        }
    }

    /// Takes back every entry of this replica.
    pub(crate) async fn leave_all(&self) {
        let people: Vec<Person> = self.here().drain().map(|(person, _)| person).collect();
        let mut remove = redis::pipe();
        for person in &people {
            remove.zrem(key(person.organisation), self.member(*person)).ignore();
        }
        if !people.is_empty() {
            self.send(remove).await;
        }
    }

    /// Renews the entries of these people.
    pub(crate) async fn renew(&self, people: &[Person]) {
        let now = jiff::Timestamp::now().as_millisecond();
        let mut renew = redis::pipe();
        for person in people {
            let key = key(person.organisation);
            renew.zadd(&key, self.member(*person), now + TTL_MS).ignore();
            renew.zrembyscore(&key, "-inf", now).ignore();
            renew.pexpire(&key, TTL_MS).ignore();
        }
        if !people.is_empty() {
            self.send(renew).await;
        }
    }

    /// Who of an organisation is online, at most a thousand; nobody while Valkey is away.
    pub(crate) async fn online(&self, organisation: Uuid) -> BTreeSet<String> {
        let mut valkey = self.valkey.clone();
        let now = jiff::Timestamp::now().as_millisecond();
        let mut range = redis::cmd("ZRANGEBYSCORE");
        range.arg(key(organisation)).arg(now).arg("+inf").arg("LIMIT").arg(0).arg(1000);
        let read =
            tokio::time::timeout(valkey::DEADLINE, range.query_async::<Vec<String>>(&mut valkey)).await;
        let members = read.ok().and_then(Result::ok).unwrap_or_default();
        members.iter().filter_map(|member| Some(member.split_once('@')?.0.to_owned())).collect()
    }

    fn member(&self, person: Person) -> String {
        format!("{}@{}", person.user, self.replica)
    }

    async fn send(&self, pipe: redis::Pipeline) {
        let mut valkey = self.valkey.clone();
        let sent = tokio::time::timeout(valkey::DEADLINE, pipe.query_async::<()>(&mut valkey)).await;
        if !matches!(sent, Ok(Ok(()))) {
            warn!("presence was not written: valkey is away");
        }
    }

    fn here(&self) -> MutexGuard<'_, HashMap<Person, usize>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(organisation: Uuid) -> String {
    format!("insightdesk:presence:{organisation}")
}

/// Renews the entries of this replica.
pub(crate) struct Refresh {
    app: Arc<App>,
}

#[derive(Serialize)]
pub(crate) struct Refreshed {
    people: usize,
}

impl Refresh {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

impl Task for Refresh {
    const NAME: &'static str = "presence";
    type Report = Refreshed;

    async fn run(&mut self) -> anyhow::Result<Refreshed> {
        let people: Vec<Person> = self.app.presence.here().keys().copied().collect();
        for some in people.chunks(500) {
            self.app.presence.renew(some).await;
        }
        Ok(Refreshed { people: people.len() })
    }
}
