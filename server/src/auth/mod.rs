//! Who asks, and how that is known: tokens, sessions, one-time links, and the brake on guessing.
//!
//! Knows no HTTP. Tokens and codes are random and 256 bits long; the store has only what cannot be turned back.
//!
//! To add a way to sign in: a function here that ends in an [`Identity`] or a session.

mod brake;
mod token;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ops_contract::{AgentName, Operator, Timestamp};

pub(crate) use brake::{Brake, Door};
pub(crate) use token::{fingerprint, hash, lookup_id, random, random_token, verify};

use crate::store::{self, Store};

/// How long a session lasts.
pub(crate) const SESSION: Duration = Duration::from_secs(12 * 3_600);
/// How long a one-time link can be used.
pub(crate) const LINK: Duration = Duration::from_secs(15 * 60);
/// For how long the store need not be asked again about a known token or session.
const FRESH: Duration = Duration::from_secs(15);
/// Most tokens and sessions remembered.
const MOST_KNOWN: usize = 1_000;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Operator(Operator),
    Agent(AgentName),
}

/// What memory knows of credentials, by their fingerprint. While the store is away, it is believed.
#[derive(Default)]
pub(crate) struct Auth {
    known: Mutex<HashMap<String, Known>>,
    pub(crate) brake: Brake,
}

#[derive(Clone)]
struct Known {
    identity: Identity,
    /// The token's hash in the store; empty for a session.
    hash: String,
    checked_at: Timestamp,
    /// For a session: when it ends.
    until: Option<Timestamp>,
}

impl Auth {
    /// Whether the credential was found good before.
    pub(crate) fn is_known(&self, credential: &str) -> bool {
        self.lock().contains_key(&fingerprint(credential))
    }

    /// Whose token it is. `away`: the store is known not to answer, so what is known is not asked for again.
    pub(crate) async fn by_token(
        &self,
        store: &Store,
        token: &str,
        away: bool,
        now: Timestamp,
    ) -> store::Result<Option<Identity>> {
        let key = fingerprint(token);
        // The key of a session is good in its cookie alone.
        let known = self.lock().get(&key).filter(|known| known.until.is_none()).cloned();
        if let Some(known) = &known
            && (away || now.since(known.checked_at) < FRESH)
        {
            return Ok(Some(known.identity.clone()));
        }
        let row = match token_row(store, &lookup_id(token)).await {
            Ok(row) => row,
            Err(error) => return known.map_or(Err(error), |known| Ok(Some(known.identity))),
        };
        let Some((identity, hash)) = row else {
            self.lock().remove(&key);
            return Ok(None);
        };
        // Argon2 is run once for each token and not for each request.
        let good = known.is_some_and(|known| known.hash == hash) || verify(token, &hash).await;
        if !good {
            self.lock().remove(&key);
            return Ok(None);
        }
        self.keep(key, Known { identity: identity.clone(), hash, checked_at: now, until: None });
        Ok(Some(identity))
    }

    /// Whose session it is.
    pub(crate) async fn by_session(
        &self,
        store: &Store,
        id: &str,
        away: bool,
        now: Timestamp,
    ) -> store::Result<Option<Operator>> {
        let key = fingerprint(id);
        let known = self.lock().get(&key).cloned();
        let alive = known.filter(|known| known.until.is_some_and(|until| until > now));
        let operator = |known: Known| match known.identity {
            Identity::Operator(operator) => Some(operator),
            Identity::Agent(_) => None,
        };
        if let Some(known) = alive.clone().filter(|known| away || now.since(known.checked_at) < FRESH) {
            return Ok(operator(known));
        }
        match session_row(store, &key, now).await {
            Ok(Some((found, until))) => {
                let identity = Identity::Operator(found.clone());
                self.keep(key, Known { identity, hash: String::new(), checked_at: now, until: Some(until) });
                Ok(Some(found))
            }
            Ok(None) => {
                self.lock().remove(&key);
                Ok(None)
            }
            Err(error) => alive.map_or(Err(error), |known| Ok(operator(known))),
        }
    }

    /// Forgets a session that was ended.
    pub(crate) fn forget(&self, credential: &str) {
        self.lock().remove(&fingerprint(credential));
    }

    fn keep(&self, key: String, known: Known) {
        let mut all = self.lock();
        if all.len() >= MOST_KNOWN {
            all.retain(|_, other| known.checked_at.since(other.checked_at) < FRESH);
        }
        if all.len() < MOST_KNOWN {
            all.insert(key, known);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn token_row(store: &Store, id: &str) -> store::Result<Option<(Identity, String)>> {
    let mut db = store.connection().await?;
    if let Some((operator, hash)) = store::operators::by_token_id(&mut db, id).await? {
        return Ok(Some((Identity::Operator(operator), hash)));
    }
    let agent = store::agents::by_token_id(&mut db, id).await?;
    Ok(agent.map(|(name, hash)| (Identity::Agent(name), hash)))
}

async fn session_row(
    store: &Store,
    id_hash: &str,
    now: Timestamp,
) -> store::Result<Option<(Operator, Timestamp)>> {
    let mut db = store.connection().await?;
    let Some((name, until)) = store::sessions::operator(&mut db, id_hash, now).await? else {
        return Ok(None);
    };
    let operator = store::operators::by_name(&mut db, &name).await?;
    Ok(operator.map(|operator| (operator, until)))
}
