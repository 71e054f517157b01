//! Chooses where a read goes, so that everybody reads what they wrote.
//!
//! A write leaves its position in the log under the writer's name in Valkey, where every replica of the API finds it, and in the
//! answer's `x-read-after` header for clients that want to hand it on. A read goes to the replica only when that has replayed at
//! least so far; in every doubt (Valkey away, replica away or behind) it goes to the primary.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use sqlx::PgPool;
use tracing::{debug, warn};
use uuid::Uuid;

/// For how long a position is remembered. A replica that is further behind than this is unhealthy, and someone else's concern.
const REMEMBERED_S: u64 = 300;

const DEADLINE: Duration = Duration::from_millis(250);

/// A position in PostgreSQL's write-ahead log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(pub(crate) u64);

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (high, low) = text.trim().split_once('/').ok_or(())?;
        let part = |text: &str| u32::from_str_radix(text, 16).map_err(drop);
        Ok(Self(u64::from(part(high)?) << 32 | u64::from(part(low)?)))
    }
}

/// Chooses where a read goes.
pub(crate) struct Reads {
    primary: PgPool,
    replica: Option<Replica>,
    valkey: ConnectionManager,
}

struct Replica {
    pool: PgPool,
    /// How far the replica was when last asked. It only ever advances, so an old answer is a safe one.
    replayed: AtomicU64,
}

impl Reads {
    pub(crate) fn new(primary: PgPool, replica: Option<PgPool>, valkey: ConnectionManager) -> Self {
        let replica = replica.map(|pool| Replica { pool, replayed: AtomicU64::new(0) });
        Self { primary, replica, valkey }
    }

    /// Remembers what `user` wrote. Without a replica there is nothing to remember.
    pub(crate) async fn wrote(&self, user: Uuid, position: &str) {
        if self.replica.is_none() {
            return;
        }
        let mut valkey = self.valkey.clone();
        let set = valkey.set_ex::<_, _, ()>(key(user), position, REMEMBERED_S);
        // While Valkey is away nobody finds a position, and every read goes to the primary.
        match tokio::time::timeout(DEADLINE, set).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                warn!(error = &error as &dyn std::error::Error, "could not remember a write position")
            }
            Err(_) => warn!("could not remember a write position in time"),
        }
    }

    /// The pool that `user` reads from, and whether it is the replica's.
    pub(crate) async fn pool(&self, user: Uuid, after: Option<Position>) -> (&PgPool, bool) {
        match &self.replica {
            Some(replica) if self.may_read(replica, user, after).await => (&replica.pool, true),
            _ => (&self.primary, false),
        }
    }

    /// Where to read when the replica failed in the middle.
    pub(crate) fn primary(&self) -> &PgPool {
        &self.primary
    }

    async fn may_read(&self, replica: &Replica, user: Uuid, after: Option<Position>) -> bool {
        let mut valkey = self.valkey.clone();
        let get = valkey.get::<_, Option<String>>(key(user));
        let Ok(Ok(remembered)) = tokio::time::timeout(DEADLINE, get).await else { return false };
        let remembered = match remembered.map(|text| text.parse::<Position>()) {
            Some(Err(())) => return false,
            Some(Ok(position)) => Some(position),
            None => None,
        };
        let Some(needed) = remembered.max(after) else { return true };
        needed.0 <= replica.replayed.load(Ordering::Acquire)
            || replica.catch_up().await.is_some_and(|at| at >= needed)
    }
}

impl Replica {
    async fn catch_up(&self) -> Option<Position> {
        let ask = sqlx::query_scalar::<_, Option<String>>("SELECT pg_last_wal_replay_lsn()::text")
            .fetch_one(&self.pool);
        let answer = match tokio::time::timeout(DEADLINE, ask).await {
            Ok(Ok(answer)) => answer?,
            Ok(Err(error)) => {
                debug!(error = &error as &dyn std::error::Error, "the replica did not say how far it is");
                return None;
            }
            Err(_) => return None,
        };
        let position: Position = answer.parse().ok()?;
        self.replayed.fetch_max(position.0, Ordering::AcqRel);
        Some(position)
    }
}

fn key(user: Uuid) -> String {
    format!("insightdesk:read-after:{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_ordered_as_the_log_is() {
        let at = |text: &str| text.parse::<Position>();
        assert!(at("0/FFFFFFFF").unwrap() < at("1/0").unwrap());
        assert!(at("0/9").unwrap() < at("0/10").unwrap());
        for rubbish in ["", "/", "x/1", "1", "1/2/3", "123456789/0"] {
            assert!(at(rubbish).is_err(), "{rubbish}");
        }
    }
}
