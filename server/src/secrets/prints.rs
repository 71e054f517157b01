//! Keyed fingerprints of values: they tell a renewal from the same value again, also after a restart, and never the value.
//! The key lies in the state folder, beside what the store must not know.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ops_contract::SecretSource;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;

use super::rotate::{self, ROTATED};
use crate::store::{self, secret_prints as table};
use crate::{App, audit, clock};

const FILE: &str = "secrets.prints.key";

/// Makes fingerprints.
pub(super) struct Printer {
    key: [u8; 32],
    id: String,
}

/// A fingerprint, and which key made it.
pub(crate) struct Print {
    pub(crate) key_id: String,
    pub(crate) print: String,
}

impl Printer {
    /// With the key in the folder; made when there is none. One that cannot be kept is good until the end of the process.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        let key = folder.and_then(|folder| match key_in(folder) {
            Ok(key) => Some(key),
            Err(error) => {
                tracing::warn!(%error, "what secrets were before is not known after the next start: no key in {FILE}");
                None
            }
        });
        let key = key.unwrap_or_else(rand::random);
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(key)).chars().take(12).collect();
        Self { key, id }
    }

    pub(super) fn print(&self, name: &str, value: &SecretString) -> Print {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        // By name: that two secrets have one value is nobody's business.
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(value.expose_secret().as_bytes());
        let print = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Print { key_id: self.id.clone(), print }
    }
}

fn key_in(folder: &Path) -> std::io::Result<[u8; 32]> {
    let path = folder.join(FILE);
    if !path.exists() {
        // Whole or not at all: two that start at once come to the same key.
        let new = folder.join(format!("{FILE}.{}", uuid::Uuid::now_v7()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).as_bytes())?;
        file.sync_all()?;
        let linked = std::fs::hard_link(&new, &path);
        std::fs::remove_file(&new)?;
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let text = std::fs::read_to_string(&path)?;
    let key = URL_SAFE_NO_PAD.decode(text.trim()).ok().and_then(|it| it.try_into().ok());
    key.ok_or_else(|| std::io::Error::other(format!("{} is no key", path.display())))
}

/// The fingerprint of the value as it is now, where it can be read without asking another system.
pub(crate) async fn now(app: &App, name: &str) -> Option<Print> {
    let spec = app.vault.spec(name)?;
    let value = match &spec.source {
        SecretSource::Env { .. } => app.vault.read(name, &spec.source, clock::now()).await.ok()?.value,
        // Reading what is to be generated would make it.
        SecretSource::Generated | SecretSource::EncryptedFile => {
            app.vault.file().await.ok()?.read(name).ok()?.value
        }
        SecretSource::Vault { .. } | SecretSource::AwsSecretsManager { .. } => return None,
    };
    Some(app.vault.printer.print(name, &value))
}

/// Puts down that a secret has this value, in the caller's transaction; false when that is known already.
pub(crate) async fn put(db: &mut AnyConnection, name: &str, print: &Print) -> store::Result<bool> {
    let known = table::get(db, name).await?;
    if known.is_some_and(|it| it.key_id == print.key_id && it.print == print.print) {
        return Ok(false);
    }
    table::put(db, name, &print.key_id, &print.print, clock::now()).await?;
    Ok(true)
}

/// Looks for values that changed without us: a line of `.env`, a variable at a new start. Gives how many did.
pub(crate) async fn watch(app: &App) -> anyhow::Result<u64> {
    let mut changed = 0;
    for (name, spec) in &app.stack.secrets {
        let Some(print) = now(app, name).await else { continue };
        let known = table::get(&mut *app.store.connection().await?, name).await?;
        if known.as_ref().is_some_and(|it| it.key_id == print.key_id && it.print == print.print) {
            continue;
        }
        let mut db = app.store.begin().await?;
        let open = store::secret_rotations::open_of(&mut db, name).await?;
        if open.is_some_and(|it| it.method != "manual") || !put(&mut db, name, &print).await? {
            continue;
        }
        // Seen for the first time, or with a key that knows nothing of before: no evidence of a renewal.
        if known.is_some_and(|it| it.key_id == print.key_id) {
            let evidence = match &spec.source {
                SecretSource::Env { variable } => format!("{variable} changed, seen at {}", clock::now()),
                _ => format!("its value changed in its store, seen at {}", clock::now()),
            };
            let closed = rotate::close(&mut db, name).await?.unwrap_or_default();
            let entry =
                audit::of_system(ROTATED, name).detail("evidence", evidence).detail("rotation", closed);
            let appended = audit::append_in(&mut db, &app.audit, vec![entry.draft()]).await?;
            db.commit().await?;
            app.audit.saw(&appended);
            changed += 1;
        } else {
            db.commit().await?;
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_tell_values_apart_and_outlive_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let (one, again) = (Printer::new(Some(folder.path())), Printer::new(Some(folder.path())));
        let print = |it: &Printer, name: &str, value: &str| it.print(name, &value.into()).print;
        assert_eq!(print(&one, "A", "value"), print(&again, "A", "value"));
        assert_ne!(print(&one, "A", "value"), print(&one, "A", "other"));
        assert_ne!(print(&one, "A", "value"), print(&one, "B", "value"));
        let elsewhere = Printer::new(None);
        assert_ne!(one.id, elsewhere.id);
        assert_ne!(print(&one, "A", "value"), print(&elsewhere, "A", "value"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
