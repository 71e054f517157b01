//! The receiving end of an `http` audit device of OpenBao or Vault: one line is posted for each request and each response, and the
//! store goes on when it hears that the line is recorded.
//!
//! The store waits for the answer and asks once. So it is given within [`PATIENCE`], whatever happens: recorded, or refused.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use ops_contract::AuditSourceSpec;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::devices::{self, Rubbish};
use super::{Source, count};
use crate::App;
use crate::audit::Refused;

/// Longest wait for a place in the log.
const PATIENCE: Duration = Duration::from_millis(400);
/// Longest wait for the token to be read from its store.
const TOKEN_PATIENCE: Duration = Duration::from_millis(300);
/// For how long a token that was read is good; one that does not fit is read anew after a second.
const FRESH: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why a line was not recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    /// It is not a line of a device.
    #[error(transparent)]
    Rubbish(#[from] Rubbish),
    /// The log cannot be written.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Whether whoever posts may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Welcome {
    Yes,
    /// There is no such device.
    Unknown,
    /// The token is not its token.
    Wrong,
    /// The device's own token cannot be read now.
    Closed,
}

/// The tokens that are good, as they were last read.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Known>);

#[derive(Default)]
struct Known {
    read_at: Option<Instant>,
    good: Vec<SecretString>,
}

/// Whether `token` opens the device.
pub(crate) async fn welcome(app: &App, device: &str, token: Option<&str>) -> Welcome {
    let Some(source) = app.sources.by_name.get(device) else { return Welcome::Unknown };
    let AuditSourceSpec::VaultHttp { token_secret } = &source.spec else { return Welcome::Unknown };
    let Some(token) = token else { return Welcome::Wrong };
    let (fits, age) = source.tokens.look(token);
    let is_old = |limit: Duration| age.is_none_or(|it| it >= limit);
    if !is_old(if fits { FRESH } else { LOOK_AGAIN }) {
        return if fits { Welcome::Yes } else { Welcome::Wrong };
    }
    let read = tokio::time::timeout(TOKEN_PATIENCE, app.vault.good_now(token_secret)).await;
    match read {
        Ok(Ok(good)) => {
            source.tokens.keep(good);
            if source.tokens.look(token).0 { Welcome::Yes } else { Welcome::Wrong }
        }
        // What was good half a minute ago keeps the store going while its own store is away.
        _ if fits => Welcome::Yes,
        Ok(Err(error)) => {
            tracing::warn!(%error, device, "the token of an audit device cannot be read");
            Welcome::Closed
        }
        Err(_) => Welcome::Closed,
    }
}

/// Records a line of the device. When it returns well, the line is on the disk, or was a line that was recorded before.
pub(crate) async fn take(app: &App, device: &str, text: &[u8]) -> Result<(), NotTaken> {
    let Some(source) = app.sources.by_name.get(device) else { return Err(Rubbish.into()) };
    let result = record(app, source, device, text).await;
    match &result {
        Ok(()) => count(&source.counts.taken, 1),
        Err(NotTaken::Rubbish(_)) => count(&source.counts.rubbish, 1),
        Err(NotTaken::Refused(_)) => count(&source.counts.refused, 1),
    }
    result
}

async fn record(app: &App, source: &Source, device: &str, text: &[u8]) -> Result<(), NotTaken> {
    let told = devices::read(device, text, &app.sources.places)?;
    if told.in_clear {
        count(&source.counts.in_clear, 1);
    }
    app.audit.append_within(PATIENCE, told.drafts, None).await?;
    Ok(())
}

impl Tokens {
    /// Whether a token is one of the good ones, and how old these are.
    fn look(&self, token: &str) -> (bool, Option<Duration>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = known.good.iter().fold(false, |fits, it| fits | is_same(it.expose_secret(), token));
        (fits, known.read_at.map(|it| it.elapsed()))
    }

    fn keep(&self, good: Vec<SecretString>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Known { read_at: Some(Instant::now()), good };
    }
}

/// Compares in a time that tells nothing of where they differ.
fn is_same(one: &str, other: &str) -> bool {
    let key = rand::random::<[u8; 32]>();
    let sum = |text: &str| {
        let mut sum = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        sum.update(text.as_bytes());
        sum
    };
    sum(one).verify(&sum(other).finalize().into_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_is_the_same() {
        assert!(is_same("token", "token"));
        for other in ["", "toke", "tokem", "token ", "Token"] {
            assert!(!is_same("token", other), "{other:?}");
        }
    }
}
