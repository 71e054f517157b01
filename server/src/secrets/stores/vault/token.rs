//! The token: from a file, or by logging in; renewed at two thirds of its life; had anew when it is refused.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ops_contract::VaultAuth;
use reqwest::Method;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Vault, call};
use crate::secrets::stores::StoreError;

/// Longest file with a token, bytes.
const LONGEST: u64 = 64 << 10;
/// Shortest pause before a renewal that failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// How the server gets in, and what it got.
#[derive(Debug)]
pub(super) struct Login {
    auth: VaultAuth,
    held: Mutex<Option<Held>>,
    /// What the store calls us.
    names: std::sync::Mutex<BTreeSet<String>>,
}

/// A token as it is sent.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) secret: SecretString,
}

#[derive(Debug)]
struct Held {
    token: Arc<Token>,
    /// When it is to be renewed; `None`: never, it does not end.
    due: Option<Due>,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    life: Duration,
    renew_at: Instant,
    ends_at: Instant,
    is_renewable: bool,
}

/// What a login or a renewal gives.
#[derive(Deserialize)]
struct Auth {
    client_token: SecretString,
    lease_duration: u64,
    renewable: bool,
    #[serde(flatten)]
    who: Who,
}

/// Who a token stands for, as the store says it. Names that all tokens and all roles share name nobody.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Who {
    display_name: Option<String>,
    entity_id: Option<String>,
    #[serde(alias = "meta")]
    metadata: serde_json::Value,
}

/// What a token is told of itself.
#[derive(Deserialize)]
struct Myself {
    ttl: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(flatten)]
    who: Who,
}

impl Who {
    fn names(self) -> impl Iterator<Item = String> {
        let of = |key| self.metadata.get(key).and_then(|it| it.as_str()).map(str::to_owned);
        let metadata = ["role_name", "username", "role"].map(of);
        let names = metadata.into_iter().chain([self.display_name, self.entity_id]).flatten();
        names.filter(|it| !it.is_empty() && it != "approle" && it != "root")
    }
}

impl Login {
    pub(super) fn new(auth: VaultAuth) -> Self {
        Self { auth, held: Mutex::new(None), names: std::sync::Mutex::default() }
    }

    /// What the store calls us, as far as we have logged in.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, who: Who) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).extend(who.names());
    }

    /// A token that is good as far as we know. Who comes while one is had waits for that.
    pub(super) async fn token(&self, vault: &Vault) -> Result<Arc<Token>, StoreError> {
        let mut held = self.held.lock().await;
        // Whoever writes the file means it to be used from now on.
        if let VaultAuth::Token { file } = &self.auth {
            let now = read("token", file).await?;
            if held.as_ref().is_none_or(|it| !is_same(&it.token.secret, &now)) {
                *held = Some(look_up(vault, now).await?);
            }
        }
        if let Some(it) = held.take_if(|it| it.due.is_some_and(|due| due.is_due())) {
            *held = self.renewed(vault, it).await?;
        }
        if let Some(it) = held.as_ref() {
            return Ok(Arc::clone(&it.token));
        }
        let new = held.insert(self.log_in(vault).await?);
        Ok(Arc::clone(&new.token))
    }

    /// What to hold instead of a token that is two thirds through its life; `None`: nothing, it is over.
    async fn renewed(&self, vault: &Vault, held: Held) -> Result<Option<Held>, StoreError> {
        let Some(due) = held.due.filter(|it| !it.is_over()) else { return Ok(None) };
        let new = if due.is_renewable { renew(vault, &held.token).await } else { Err(not_renewable()) };
        let is_from_file = matches!(self.auth, VaultAuth::Token { .. });
        let new = match new {
            // The store lets no token live longer than it was told to, however often it is renewed.
            Ok(new) if is_from_file || new.due.is_none_or(|it| it.life * 2 > due.life) => Ok(new),
            Ok(_) | Err(StoreError::Refused(_)) if !is_from_file => self.log_in(vault).await,
            other => other,
        };
        // The old one is good for a third of its life yet.
        Ok(Some(new.unwrap_or(Held { due: Some(due.later()), ..held })))
    }

    /// Another token than `refused`; `None` when there is none to be had.
    pub(super) async fn again(
        &self,
        vault: &Vault,
        refused: &Arc<Token>,
    ) -> Result<Option<Arc<Token>>, StoreError> {
        {
            let mut held = self.held.lock().await;
            // Somebody else may have had one meanwhile.
            if let Some(it) = held.as_ref()
                && !Arc::ptr_eq(&it.token, refused)
            {
                return Ok(Some(Arc::clone(&it.token)));
            }
            *held = None;
        }
        let token = self.token(vault).await?;
        Ok((!is_same(&token.secret, &refused.secret)).then_some(token))
    }

    /// In how long the token is to be renewed.
    pub(super) async fn due_in(&self) -> Option<Duration> {
        let held = self.held.lock().await;
        held.as_ref()?.due.map(|it| it.renew_at.saturating_duration_since(Instant::now()))
    }

    async fn log_in(&self, vault: &Vault) -> Result<Held, StoreError> {
        let (mount, body) = match &self.auth {
            VaultAuth::Token { file } => return look_up(vault, read("token", file).await?).await,
            VaultAuth::AppRole { role_id, secret_id_file, mount } => {
                let secret_id = read("secret id", secret_id_file).await?;
                (mount, call::object(&[("role_id", role_id), ("secret_id", secret_id.expose_secret())]))
            }
            VaultAuth::Kubernetes { role, token_file, mount } => {
                let jwt = read("token", token_file).await?;
                (mount, call::object(&[("role", role), ("jwt", jwt.expose_secret())]))
            }
        };
        let words = format!("the login at auth/{mount} of the vault");
        let path: Vec<&str> = std::iter::once("auth").chain(mount.split('/')).chain(["login"]).collect();
        let answer = vault.once(Method::POST, &path, None, Some(&body), None, &words).await?;
        if matches!(answer.status, 400 | 401 | 403) {
            return Err(StoreError::Refused(format!(
                "{words} was refused: see the role, and what lies in the file for it"
            )));
        }
        let mut auth: Auth = answer.checked(&words)?.auth(&words)?;
        self.note(std::mem::take(&mut auth.who));
        Ok(Held::new(auth))
    }
}

fn not_renewable() -> StoreError {
    StoreError::Refused("the token for the vault cannot be renewed".to_owned())
}

/// How long a token from a file is good.
async fn look_up(vault: &Vault, secret: SecretString) -> Result<Held, StoreError> {
    const WORDS: &str = "the token for the vault";
    let path = ["auth", "token", "lookup-self"];
    let answer = vault.once(Method::GET, &path, None, None, Some(&secret), WORDS).await?;
    if answer.status == 403 {
        return Err(StoreError::Refused(format!(
            "{WORDS} is not good, or not any more: put a new one into its file"
        )));
    }
    let myself: Myself = answer.checked(WORDS)?.data(WORDS)?;
    let due = Due::new(myself.ttl, myself.renewable);
    vault.login.note(myself.who);
    Ok(Held { token: Arc::new(Token { secret }), due })
}

async fn renew(vault: &Vault, token: &Token) -> Result<Held, StoreError> {
    const WORDS: &str = "the renewal of the token for the vault";
    let path = ["auth", "token", "renew-self"];
    let answer = vault.once(Method::POST, &path, None, None, Some(&token.secret), WORDS).await?;
    Ok(Held::new(answer.checked(WORDS)?.auth(WORDS)?))
}

async fn read(what: &str, file: &str) -> Result<SecretString, StoreError> {
    let cannot = |error: std::io::Error| {
        StoreError::Refused(format!("could not read the vault's {what} from {file}: {error}"))
    };
    let opened = tokio::fs::File::open(Path::new(file)).await.map_err(cannot)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(4_096));
    opened.take(LONGEST + 1).read_to_end(&mut bytes).await.map_err(cannot)?;
    let text = std::str::from_utf8(&bytes).ok().map(str::trim).filter(|it| !it.is_empty());
    match text {
        Some(text) if bytes.len() as u64 <= LONGEST => Ok(SecretString::from(text)),
        _ => Err(StoreError::Unsound(format!("{file} holds no {what} for the vault"))),
    }
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

impl Held {
    fn new(auth: Auth) -> Self {
        let due = Due::new(auth.lease_duration, auth.renewable);
        Self { token: Arc::new(Token { secret: auth.client_token }), due }
    }
}

impl Due {
    /// `None` for a token that does not end.
    fn new(seconds: u64, is_renewable: bool) -> Option<Self> {
        // What a vault says is not trusted to be a time that can be added.
        let life = Duration::from_secs(seconds.min(10 * 365 * 86_400));
        let now = Instant::now();
        (seconds > 0).then(|| Self { life, renew_at: now + life * 2 / 3, ends_at: now + life, is_renewable })
    }

    fn is_due(&self) -> bool {
        Instant::now() >= self.renew_at
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.ends_at
    }

    /// Once more, before it ends.
    fn later(self) -> Self {
        let left = self.ends_at.saturating_duration_since(Instant::now());
        Self { renew_at: Instant::now() + (left / 2).max(PAUSE), ..self }
    }
}
