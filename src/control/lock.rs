//! One `up`, one server, one agent per state folder: each holds a file lock for as long as it lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::Identity;

/// Who holds a lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Holder {
    /// The process.
    pub(crate) process: Identity,
    /// What it is, for people.
    pub(crate) what: String,
}

/// A lock that is held until it is dropped, or this process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "dropping the file releases the lock")] File);

impl Lock {
    /// Takes the lock; `Err` names the holder, as far as it is known.
    pub(crate) fn take(path: &Path, what: &str) -> anyhow::Result<Result<Self, Option<Holder>>> {
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Err(read(&mut file))),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("could not lock {}", path.display()));
            }
        }
        let holder = Holder { process: Identity::own(), what: what.to_owned() };
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec(&holder)?)
            .with_context(|| format!("could not write {}", path.display()))?;
        Ok(Ok(Self(file)))
    }
}

/// Who holds the lock now. Looks without taking it.
pub(crate) fn holder(path: &Path) -> Option<Holder> {
    let holder = read(&mut File::open(path).ok()?)?;
    holder.process.is_alive().then_some(holder)
}

fn open(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).with_context(|| format!("could not open {}", path.display()))
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(64 << 10).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("up.lock");
        let lock = Lock::take(&path, "insightdesk up").unwrap().unwrap();
        let refused = Lock::take(&path, "another").unwrap().unwrap_err().unwrap();
        assert_eq!((refused.process.pid, refused.what.as_str()), (std::process::id(), "insightdesk up"));
        assert!(holder(&path).is_some());
        drop(lock);
        assert!(Lock::take(&path, "another").unwrap().is_ok());
    }
}
