use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

use crate::control::NoSecrets;

/// Pause between two requests for the same password, after the first that gave nothing new and at most.
const PAUSE: Duration = Duration::from_secs(3);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A store and the name of its secret.
type Key = (String, String);

/// Passwords of data stores, kept for the life of the process.
#[derive(Default)]
pub(super) struct Passwords {
    all: Mutex<BTreeMap<Key, Password>>,
    /// A request has ended.
    asked: Notify,
}

impl Passwords {
    /// The password, asked for when it is not known or was refused. Those who come meanwhile wait for the same answer.
    pub(super) async fn get<F, R>(&self, store: &str, name: &str, ask: F) -> Result<SecretString, String>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<SecretString, NoSecrets>>,
    {
        let key = (store.to_owned(), name.to_owned());
        loop {
            let asked = self.asked.notified();
            let next = self.lock().entry(key.clone()).or_default().next(Instant::now());
            match next {
                Next::Have(value) => return Ok(value),
                Next::Failed(why) => return Err(why),
                Next::Wait => asked.await,
                Next::Ask => break,
            }
        }
        let asking = Asking { passwords: self, key };
        let answer = ask().await;
        asking.end(answer)
    }

    /// The store did not take this password.
    pub(super) fn refused(&self, store: &str, name: &str, value: &SecretString) {
        let mut all = self.lock();
        if let Some(password) = all.get_mut(&(store.to_owned(), name.to_owned())) {
            // It may have been renewed since it was tried.
            password.refused = password.is(value);
        }
    }

    /// The server was heard: who could not reach it may ask again at once.
    pub(super) fn server_is_there(&self) {
        for password in self.lock().values_mut().filter(|password| password.unreachable) {
            (password.again_at, password.futile) = (None, 0);
        }
    }

    /// Every password that is kept.
    pub(super) fn held(&self) -> Vec<SecretString> {
        self.lock().values().filter_map(|password| password.value.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Password>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. When it is given up, somebody else may begin one.
struct Asking<'a> {
    passwords: &'a Passwords,
    key: Key,
}

impl Asking<'_> {
    fn end(self, answer: Result<SecretString, NoSecrets>) -> Result<SecretString, String> {
        let (value, error) = {
            let mut all = self.passwords.lock();
            let password = all.entry(self.key.clone()).or_default();
            password.take(answer, Instant::now());
            (password.value.clone(), password.error.clone())
        };
        let Some(value) = value else { return Err(error.unwrap_or_default()) };
        if let Some(why) = error {
            let (store, name) = &self.key;
            warn!(store, secret = name, "{store} refuses its password, and no other can be had: {why}");
        }
        Ok(value)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(password) = self.passwords.lock().get_mut(&self.key) {
            password.asking = false;
        }
        self.passwords.asked.notify_waiters();
    }
}

/// What is known of one password.
#[derive(Default)]
struct Password {
    value: Option<SecretString>,
    /// The store did not take the value.
    refused: bool,
    asking: bool,
    /// Why the last request gave none.
    error: Option<String>,
    /// Whether that was because the server could not be reached.
    unreachable: bool,
    /// Requests in a row that gave nothing new, and when the next may be made; at once after one that did.
    futile: u32,
    again_at: Option<Instant>,
}

/// What somebody who wants the password does.
enum Next {
    Have(SecretString),
    Failed(String),
    Wait,
    Ask,
}

impl Password {
    fn next(&mut self, now: Instant) -> Next {
        if let (Some(value), false) = (&self.value, self.refused) {
            return Next::Have(value.clone());
        }
        if self.asking {
            return Next::Wait;
        }
        if self.again_at.is_some_and(|again_at| now < again_at) {
            // One that was refused is as good as none, but the store itself says so best.
            match (&self.value, &self.error) {
                (Some(value), _) => return Next::Have(value.clone()),
                (None, Some(error)) => return Next::Failed(error.clone()),
                (None, None) => {}
            }
        }
        self.asking = true;
        Next::Ask
    }

    fn take(&mut self, answer: Result<SecretString, NoSecrets>, now: Instant) {
        self.unreachable = matches!(answer, Err(NoSecrets::Unreachable(_)));
        self.futile = match &answer {
            Ok(value) if !self.is(value) => 0,
            Ok(_) | Err(_) => self.futile.saturating_add(1),
        };
        match answer {
            Ok(value) => (self.value, self.refused, self.error) = (Some(value), false, None),
            Err(why) => self.error = Some(why.to_string()),
        }
        self.again_at = self.futile.checked_sub(1).map(|before| {
            let doubled = PAUSE.saturating_mul(2_u32.saturating_pow(before));
            now + doubled.min(LONGEST_PAUSE)
        });
    }

    fn is(&self, value: &SecretString) -> bool {
        self.value.as_ref().is_some_and(|known| known.expose_secret() == value.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(password: &mut Password, now: Instant) -> bool {
        let asks = matches!(password.next(now), Next::Ask);
        password.asking = false;
        asks
    }

    fn failed() -> Result<SecretString, NoSecrets> {
        Err(NoSecrets::Refused { detail: "no".to_owned() })
    }

    #[test]
    fn a_password_is_asked_for_once_and_anew_when_it_is_refused() {
        let (now, mut password) = (Instant::now(), Password::default());
        assert!(asks(&mut password, now));
        password.take(Ok("one".into()), now);
        assert!(matches!(password.next(now + LONGEST_PAUSE * 100), Next::Have(_)));
        password.refused = true;
        assert!(asks(&mut password, now));
        password.take(Ok("two".into()), now);
        assert!(matches!(password.next(now), Next::Have(value) if value.expose_secret() == "two"));
    }

    #[test]
    fn whoever_comes_while_it_is_asked_for_waits() {
        let (now, mut password) = (Instant::now(), Password::default());
        assert!(matches!(password.next(now), Next::Ask));
        assert!(matches!(password.next(now), Next::Wait));
    }

    #[test]
    fn a_wrong_password_is_asked_for_ever_more_rarely() {
        let (mut now, mut password) = (Instant::now(), Password::default());
        password.take(Ok("wrong".into()), now);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            password.refused = true;
            let began = now;
            while !asks(&mut password, now) {
                now += Duration::from_secs(1);
            }
            password.take(Ok("wrong".into()), now);
            pauses.push((now - began).as_secs());
        }
        assert_eq!(pauses, [0, 3, 6, 12, 24, 30, 30]);
        password.refused = true;
        password.take(Ok("right".into()), now);
        password.refused = true;
        assert!(asks(&mut password, now), "what is new may be asked for anew");
    }

    #[test]
    fn one_that_cannot_be_had_is_said_to_be_so_until_it_is_asked_for_again() {
        let (now, mut password) = (Instant::now(), Password::default());
        password.take(failed(), now);
        assert!(matches!(password.next(now), Next::Failed(why) if why == "no"));
        assert!(asks(&mut password, now + PAUSE));
        // One that was refused stays in use until there is another: the store itself says best what is wrong.
        password.take(Ok("old".into()), now);
        password.refused = true;
        password.take(failed(), now);
        assert!(matches!(password.next(now), Next::Have(_)));
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_keeps_nobody_waiting() {
        let passwords = Passwords::default();
        let never = passwords.get("valkey.main", "A", std::future::pending);
        assert!(tokio::time::timeout(Duration::ZERO, never).await.is_err());
        let got = passwords.get("valkey.main", "A", || async { Ok("value".into()) }).await;
        assert_eq!(got.unwrap().expose_secret(), "value");
        let kept = passwords.get("valkey.main", "A", || async { failed() }).await;
        assert_eq!(kept.unwrap().expose_secret(), "value");
        assert!(passwords.get("valkey.other", "A", || async { failed() }).await.is_err(), "by store");
    }

    #[tokio::test]
    async fn those_who_ask_at_once_share_one_answer() {
        let (passwords, asked) = (Passwords::default(), std::cell::Cell::new(0));
        let get = || {
            passwords.get("valkey.main", "A", || async {
                asked.set(asked.get() + 1);
                tokio::task::yield_now().await;
                Ok("value".into())
            })
        };
        let (one, two, three) = tokio::join!(get(), get(), get());
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert_eq!(asked.get(), 1);
    }
}
