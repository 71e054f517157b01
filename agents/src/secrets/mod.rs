//! Values of secrets, as the server hands them out. They are in this process's memory and nowhere else: never in the stack,
//! in a file, in a log or on a command line.
//!
//! What a program is started with is asked for anew at each start ([`Secrets::for_start`]), so that each is recorded. The
//! password of a data store is asked for once and kept ([`Secrets::for_store`]), until the store takes it no more.

mod known;
mod passwords;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ops_contract::{ReplicaId, SecretPurpose, SecretsRequest};
use secrecy::{ExposeSecret, SecretString};
use tracing::{info, warn};

use crate::control::{Control, NoSecrets};
use crate::paths::Paths;
use known::Known;
use passwords::Passwords;

/// Most secrets that can be asked for at once.
const MOST_NAMES: usize = 100;
/// Most names in an error.
const MOST_TOLD: usize = 10;

/// What this process was given.
#[derive(Default)]
pub(crate) struct Secrets {
    passwords: Passwords,
    known: Mutex<Known>,
}

impl Secrets {
    /// What `generation` of a replica is started with: the values of `names`, and those that came along under names of
    /// their own. Or why they cannot be had, in words without a value.
    pub(crate) async fn for_start(
        &self,
        control: &Control,
        replica: &ReplicaId,
        generation: i64,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, SecretString>, String> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        if names.len() > MOST_NAMES {
            return Err(format!("it needs {} secrets, and may have {MOST_NAMES} at most", names.len()));
        }
        let purpose = SecretPurpose::Start { replica: replica.clone(), generation };
        let values = self.ask(control, names, purpose).await;
        values.map_err(|why| format!("{}: {why}", called(names)))
    }

    /// The password of a data store, or why there is none, in words without it.
    pub(crate) async fn for_store(
        &self,
        control: &Control,
        store: &str,
        name: &str,
    ) -> Result<SecretString, String> {
        self.passwords
            .get(store, name, || async {
                let purpose = SecretPurpose::Probe { store: store.to_owned() };
                let names = BTreeSet::from([name.to_owned()]);
                let mut values = self.ask(control, &names, purpose).await?;
                values.remove(name).ok_or(NoSecrets::Incomplete)
            })
            .await
            .map_err(|why| format!("secret {name}: {why}"))
    }

    /// As [`Self::for_store`], of a store that may need none.
    pub(crate) async fn password(
        &self,
        control: &Control,
        store: &str,
        name: Option<&str>,
    ) -> Result<Option<SecretString>, String> {
        match name {
            Some(name) => self.for_store(control, store, name).await.map(Some),
            None => Ok(None),
        }
    }

    /// A store did not take this password: it is asked for anew when it is wanted next.
    pub(crate) fn refused(&self, store: &str, name: Option<&str>, password: Option<&SecretString>) {
        if let (Some(name), Some(password)) = (name, password) {
            self.passwords.refused(store, name, password);
        }
    }

    /// The password that a store has now, if it is another than the one that it just `refused`.
    pub(crate) async fn renewed(
        &self,
        control: &Control,
        store: &str,
        name: Option<&str>,
        refused: Option<&SecretString>,
    ) -> Option<SecretString> {
        self.refused(store, name, refused);
        let (name, refused) = (name?, refused?);
        let now = self.for_store(control, store, name).await.ok()?;
        (now.expose_secret() != refused.expose_secret()).then_some(now)
    }

    /// The server was heard: what failed for want of it is asked for again at once.
    pub(crate) fn server_is_there(&self) {
        self.passwords.server_is_there();
    }

    /// Every value that this process holds or has lately handed out.
    pub(crate) fn known(&self) -> Vec<SecretString> {
        self.passwords.held().into_iter().chain(self.lock().all().cloned()).collect()
    }

    async fn ask(
        &self,
        control: &Control,
        names: &BTreeSet<String>,
        purpose: SecretPurpose,
    ) -> Result<BTreeMap<String, SecretString>, NoSecrets> {
        let request = SecretsRequest { names: names.iter().cloned().collect(), purpose };
        let answer = control.secrets(&request).await?;
        let mut values: BTreeMap<String, SecretString> =
            answer.values.into_iter().map(|(name, value)| (name, SecretString::from(value.0))).collect();
        // What nobody asked for is no reason to fail: it is left out when no program could be given it.
        values.retain(|name, value| names.contains(name) || (is_variable(name) && is_text(value)));
        let mut known = self.lock();
        for value in values.values() {
            known.add(value);
        }
        drop(known);
        match names.iter().all(|name| values.get(name).is_some_and(is_text)) {
            true => Ok(values),
            false => Err(NoSecrets::Incomplete),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes what an earlier agent kept in clear. It is not overwritten first: modern disks and file systems write elsewhere,
/// so that it would only look as if the old blocks were gone.
pub(crate) fn delete_old(paths: &Paths) {
    for path in paths.old_secrets() {
        match std::fs::remove_file(&path) {
            Ok(()) => {
                info!(path = %path.display(), "deleted a file that held secrets in clear; the server keeps them now")
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                warn!(path = %path.display(), %error, "cannot delete a file that holds secrets in clear: delete it by hand");
            }
        }
    }
}

/// Whether a program can be given a value: not if it is empty, which is none, or holds what no variable can.
fn is_text(value: &SecretString) -> bool {
    let value = value.expose_secret();
    !value.is_empty() && !value.contains('\0')
}

/// Whether a variable can have this name.
fn is_variable(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(allowed) && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// `secret A`, `secrets A, B`.
fn called(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(MOST_TOLD).map(String::as_str).collect();
    let more = match names.len().saturating_sub(MOST_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} {}{more}", if names.len() == 1 { "secret" } else { "secrets" }, shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_secrets_and_stays_short() {
        let names = |count: usize| (0..count).map(|n| format!("S{n:02}")).collect::<BTreeSet<_>>();
        assert_eq!(called(&names(1)), "secret S00");
        assert_eq!(called(&names(2)), "secrets S00, S01");
        assert!(called(&names(100)).ends_with("S08, S09 and 90 more"));
    }

    #[test]
    fn names_that_no_variable_can_have_are_told_from_others() {
        for name in ["A", "_a1", "JWT_ACCESS_SECRET_PREVIOUS"] {
            assert!(is_variable(name), "{name}");
        }
        for name in ["", "1A", "A=B", "A B", "A-B", "Ä", "A\0"] {
            assert!(!is_variable(name), "{name}");
        }
    }

    #[tokio::test]
    async fn without_the_server_nobody_has_secrets_and_it_is_asked_again_once_it_is_heard() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A port that was free a moment ago.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let control = Control::new(&format!("http://{address}"), "token".into()).unwrap();
        let secrets = Secrets::default();
        let replica = ReplicaId { service: "app".into(), slot: 0 };
        let names = ["A", "B"].map(str::to_owned).into();
        let error = secrets.for_start(&control, &replica, 1, &names).await.unwrap_err();
        assert_eq!(error, "secrets A, B: the server cannot be reached, and it alone hands out secrets");
        let error = secrets.for_store(&control, "valkey.main", "A").await.unwrap_err();
        assert!(error.starts_with("secret A: the server cannot be reached"), "{error}");
        let many = (0..=MOST_NAMES).map(|n| n.to_string()).collect();
        let error = secrets.for_start(&control, &replica, 1, &many).await.unwrap_err();
        assert!(error.contains("at most"), "{error}");

        let again = || secrets.passwords.get("valkey.main", "A", || async { Ok("value".into()) });
        assert!(again().await.is_err(), "not before a pause");
        secrets.server_is_there();
        assert!(again().await.is_ok());
        assert_eq!(secrets.known().len(), 1);
    }
}
