//! The server's own store: one file, each value encrypted with a key of its own, those keys with the master key.
//!
//! It keeps the current version of each secret and the one before. Names, versions and times are readable; values are not.
//! Several processes may have it open: writers wait for each other, and readers see each write when it is whole. A file that
//! is damaged, or that was put there from elsewhere, is refused and never written over.

mod disk;
mod format;
mod seal;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ops_contract::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::master_key::{Header, MasterKey};
use super::{Facts, StoreError, Value};
use format::{Contents, Entry, FORMAT, Record};

/// Longest value, bytes.
pub(crate) const LONGEST_VALUE: usize = 64 << 10;
/// Longest file, bytes.
pub(crate) const LONGEST_FILE: u64 = 16 << 20;
/// Longest name of a secret, bytes.
const LONGEST_NAME: usize = 256;

/// The open file.
#[derive(Debug)]
pub(crate) struct EncryptedFile {
    path: PathBuf,
    state: Mutex<State>,
    /// Writers of this process wait here, in the order in which they came.
    turn: tokio::sync::Mutex<()>,
}

/// The file as it was last seen.
#[derive(Debug)]
struct State {
    key: Arc<MasterKey>,
    seen: Option<(disk::Print, Arc<Contents>)>,
}

impl EncryptedFile {
    /// Opens the file; makes an empty one when there is none.
    pub(crate) async fn open(path: impl Into<PathBuf>, key: MasterKey) -> Result<Self, StoreError> {
        let state = State { key: Arc::new(key), seen: None };
        let file = Self { path: path.into(), state: Mutex::new(state), turn: tokio::sync::Mutex::new(()) };
        if disk::print(&file.path)?.is_none() {
            // Written at once, so that whoever comes with another key learns it before anything is lost.
            file.change(|_, _| Ok(Change::Write(()))).await?;
        }
        file.contents()?;
        Ok(file)
    }

    /// The value of a secret.
    pub(crate) fn read(&self, name: &str) -> Result<Value, StoreError> {
        let contents = self.contents()?;
        let entry = contents.secrets.get(name).ok_or_else(|| self.missing(name))?;
        self.value(name, &entry.current)
    }

    /// What it was before; `None` when it had only one value so far.
    pub(crate) fn read_previous(&self, name: &str) -> Result<Option<Value>, StoreError> {
        let contents = self.contents()?;
        let entry = contents.secrets.get(name).ok_or_else(|| self.missing(name))?;
        entry.previous.as_ref().map(|it| self.value(name, it)).transpose()
    }

    /// What is known of a secret without decrypting it.
    pub(crate) fn facts(&self, name: &str) -> Result<Facts, StoreError> {
        let contents = self.contents()?;
        contents.secrets.get(name).map(|it| it.current.facts()).ok_or_else(|| self.missing(name))
    }

    /// The names of all secrets in it.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.contents()?.secrets.keys().cloned().collect())
    }

    /// Gives a secret a new value; the one that it had becomes the previous one.
    pub(crate) async fn write(
        &self,
        name: &str,
        value: SecretString,
        now: Timestamp,
    ) -> Result<Facts, StoreError> {
        self.fits(name, &value)?;
        self.change(|contents, key| {
            let facts = put(contents, key, name, &value, now);
            Ok(Change::Write(facts))
        })
        .await
    }

    /// The value of a secret; 32 random bytes, base64url, when it has none yet. All who ask at once get the same.
    pub(crate) async fn generate(&self, name: &str, now: Timestamp) -> Result<Value, StoreError> {
        match self.read(name) {
            Err(StoreError::Missing(_)) => {}
            found => return found,
        }
        let value = random_value();
        self.fits(name, &value)?;
        self.change(|contents, key| {
            if contents.secrets.contains_key(name) {
                return Ok(Change::Keep(()));
            }
            put(contents, key, name, &value, now);
            Ok(Change::Write(()))
        })
        .await?;
        self.read(name)
    }

    /// Keeps a value that must not change any more: where there is one already, that one stays.
    pub(crate) async fn keep(
        &self,
        name: &str,
        value: &SecretString,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.fits(name, value)?;
        self.change(|contents, key| {
            if contents.secrets.contains_key(name) {
                return Ok(Change::Keep(()));
            }
            put(contents, key, name, value, now);
            Ok(Change::Write(()))
        })
        .await
    }

    /// Forgets these, if they are there.
    pub(crate) async fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        self.change(|contents, _| {
            let before = contents.secrets.len();
            contents.secrets.retain(|name, _| !names.contains(name));
            Ok(if contents.secrets.len() < before { Change::Write(()) } else { Change::Keep(()) })
        })
        .await
    }

    /// Forgets what a secret was before, if it is there.
    pub(crate) async fn forget_previous(&self, name: &str) -> Result<(), StoreError> {
        self.change(|contents, _| {
            let previous = contents.secrets.get_mut(name).and_then(|it| it.previous.take());
            Ok(if previous.is_some() { Change::Write(()) } else { Change::Keep(()) })
        })
        .await
    }

    /// Wraps all keys with another master key. Other processes that have the file open must be started anew with it.
    #[cfg_attr(not(test), expect(dead_code, reason = "there is no command yet that changes the master key"))]
    pub(crate) async fn rewrap(&self, new: MasterKey) -> Result<(), StoreError> {
        let new = Arc::new(new);
        let _turn = self.turn.lock().await;
        let _lock = disk::lock(&self.path).await?;
        let old = Arc::clone(&self.state().key);
        let mut contents = Contents::clone(&*self.contents()?);
        for (name, entry) in &mut contents.secrets {
            for record in std::iter::once(&mut entry.current).chain(&mut entry.previous) {
                seal::rewrap(old.key(), new.key(), name, record).map_err(|_| self.damaged())?;
            }
        }
        contents.key = new.header().clone();
        let print = self.save(&mut contents, &new)?;
        *self.state() = State { key: new, seen: Some((print, Arc::new(contents))) };
        Ok(())
    }

    /// Changes the file under the lock, from what is in it now.
    async fn change<T>(
        &self,
        change: impl FnOnce(&mut Contents, &MasterKey) -> Result<Change<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let _turn = self.turn.lock().await;
        let _lock = disk::lock(&self.path).await?;
        let key = Arc::clone(&self.state().key);
        let is_new = self.state().seen.is_none() && disk::print(&self.path)?.is_none();
        let mut contents =
            if is_new { Contents::new(key.header().clone()) } else { Contents::clone(&*self.contents()?) };
        match change(&mut contents, &key)? {
            Change::Keep(answer) => Ok(answer),
            Change::Write(answer) => {
                let print = self.save(&mut contents, &key)?;
                self.state().seen = Some((print, Arc::new(contents)));
                Ok(answer)
            }
        }
    }

    /// A few milliseconds of a disk; small, and rare enough not to be worth another thread.
    fn save(&self, contents: &mut Contents, key: &MasterKey) -> Result<disk::Print, StoreError> {
        let unsound = |error| StoreError::Unsound(format!("could not write the secrets as JSON: {error}"));
        contents.seal(key.key()).map_err(unsound)?;
        let bytes = serde_json::to_vec_pretty(contents).map_err(unsound)?;
        if bytes.len() as u64 > LONGEST_FILE {
            return Err(StoreError::Refused(format!(
                "{} would become longer than {} MiB: put large secrets into another store",
                self.path.display(),
                LONGEST_FILE >> 20
            )));
        }
        disk::replace(&self.path, &bytes)
    }

    /// What is in the file now; read anew when it changed.
    fn contents(&self) -> Result<Arc<Contents>, StoreError> {
        let mut state = self.state();
        if let (Some((print, contents)), Some(now)) = (&state.seen, disk::print(&self.path)?)
            && *print == now
        {
            return Ok(Arc::clone(contents));
        }
        let (print, bytes) = disk::read(&self.path)?.ok_or_else(|| {
            StoreError::Unsound(format!(
                "{} is gone: put it back, or start the server anew to begin without secrets",
                self.path.display()
            ))
        })?;
        let contents = self.parse(&bytes, &state.key)?;
        if let Some((_, seen)) = &state.seen
            && contents.generation < seen.generation
        {
            return Err(StoreError::Unsound(format!(
                "{} is older than what this server has seen of it: if you put a copy back, start the server anew",
                self.path.display()
            )));
        }
        let contents = Arc::new(contents);
        state.seen = Some((print, Arc::clone(&contents)));
        Ok(contents)
    }

    fn parse(&self, bytes: &[u8], key: &MasterKey) -> Result<Contents, StoreError> {
        let contents: Contents = serde_json::from_slice(bytes).map_err(|_| self.damaged())?;
        if contents.format != FORMAT {
            return Err(StoreError::Unsound(format!(
                "{} has format {}, and this server reads format {FORMAT}: run the server that wrote it",
                self.path.display(),
                contents.format
            )));
        }
        if contents.key != *key.header() {
            return Err(StoreError::Unsound(format!(
                "{} is encrypted with the {}, and the server has the {}: give it the right one",
                self.path.display(),
                contents.key,
                key.header()
            )));
        }
        contents.check(key.key()).map_err(|_| self.damaged())?;
        Ok(contents)
    }

    fn value(&self, name: &str, record: &Record) -> Result<Value, StoreError> {
        let key = Arc::clone(&self.state().key);
        let value = seal::open(key.key(), name, record).map_err(|_| self.damaged())?;
        Ok(Value { value, facts: record.facts() })
    }

    fn fits(&self, name: &str, value: &SecretString) -> Result<(), StoreError> {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(StoreError::Refused(format!(
                "a secret's name has 1 to {LONGEST_NAME} bytes, this has {}",
                name.len()
            )));
        }
        let length = value.expose_secret().len();
        if length > LONGEST_VALUE {
            return Err(StoreError::Refused(format!(
                "the value of {name} has {length} bytes, and {} takes at most {LONGEST_VALUE}",
                self.path.display()
            )));
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing(&self, name: &str) -> StoreError {
        StoreError::Missing(format!(
            "{} has no secret {name}: put it there with `insightdesk secrets set {name}`",
            self.path.display()
        ))
    }

    fn damaged(&self) -> StoreError {
        StoreError::Unsound(format!(
            "{} is damaged or was edited: put back a copy of it from before",
            self.path.display()
        ))
    }
}

/// What the key of the file at `path` is, as the file says; `None` when there is no file.
pub(super) fn header(path: &Path) -> Result<Option<Header>, StoreError> {
    let Some((_, bytes)) = disk::read(path)? else { return Ok(None) };
    let contents: Contents = serde_json::from_slice(&bytes).map_err(|_| {
        StoreError::Unsound(format!("{} is damaged: put back a copy of it from before", path.display()))
    })?;
    Ok(Some(contents.key))
}

pub(super) use disk::sync_folder;

/// Whether a change is written.
enum Change<T> {
    Write(T),
    Keep(T),
}

fn put(contents: &mut Contents, key: &MasterKey, name: &str, value: &SecretString, now: Timestamp) -> Facts {
    let previous = contents.secrets.remove(name).map(|it| it.current);
    let version = previous.as_ref().map_or(0, |it| it.version) + 1;
    let current = seal::record(key.key(), name, version, value, now);
    let facts = current.facts();
    contents.secrets.insert(name.to_owned(), Entry { current, previous });
    facts
}

fn random_value() -> SecretString {
    let bytes = Zeroizing::new(rand::random::<[u8; 32]>());
    SecretString::from(URL_SAFE_NO_PAD.encode(*bytes))
}

impl Record {
    fn facts(&self) -> Facts {
        Facts {
            version: Some(self.version.to_string()),
            changed_at: Some(self.changed_at),
            pending_since: None,
        }
    }
}
