//! The file on the disk: replaced whole or not at all, by one process at a time.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::time::Instant;

use super::LONGEST_FILE;
use crate::secrets::stores::StoreError;

/// Longest wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two tries to be the one that writes.
const PAUSE: Duration = Duration::from_millis(5);

/// Tells one state of a file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    device: u64,
    inode: u64,
    changed_ns: i128,
    length: u64,
}

/// Nobody else writes while this is held.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the kernel unlocks when it is closed")] File);

/// How the file is now; `None` when there is none.
pub(super) fn print(path: &Path) -> Result<Option<Print>, StoreError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(Print::of(&metadata))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("look at", path, &error)),
    }
}

/// All of the file; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<(Print, Vec<u8>)>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot("open", path, &error)),
    };
    let metadata = file.metadata().map_err(|error| cannot("look at", path, &error))?;
    if !metadata.is_file() {
        return Err(StoreError::Unsound(format!("{} is not a file", path.display())));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| cannot("read", path, &error))?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(StoreError::Unsound(format!(
            "{} is longer than {} MiB, which no file of secrets is: put the right one there",
            path.display(),
            LONGEST_FILE >> 20
        )));
    }
    Ok(Some((Print::of(&metadata), bytes)))
}

/// Puts `bytes` in the file's place. After a power cut there is the old file or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<Print, StoreError> {
    let part = beside(path, "part");
    let write = || -> std::io::Result<Print> {
        // What a process left that was killed while it wrote; nobody else writes now.
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let print = Print::of(&file.metadata()?);
        std::fs::rename(&part, path)?;
        sync_folder(path)?;
        Ok(print)
    };
    write().map_err(|error| cannot("write", path, &error))
}

/// Makes the names in the file's folder last.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()
}

/// Waits until nobody else writes. The lock is on a file of its own, because the file itself is replaced.
pub(super) async fn lock(path: &Path) -> Result<Lock, StoreError> {
    let beside = beside(path, "lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let file = options.open(&beside).map_err(|error| cannot("open", &beside, &error))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock(file)),
            Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) if Instant::now() < deadline => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(StoreError::Unreachable(format!(
                    "another process has held {} for more than {} s: see which one with lslocks",
                    beside.display(),
                    PATIENCE.as_secs()
                )));
            }
            Err(error) => return Err(cannot("lock", &beside, &error.into())),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The path with another word after it: `secrets.enc.lock`.
fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    name.into()
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    let text = format!("could not {what} {}: {error}", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied => StoreError::Refused(text),
        ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly(text),
        _ => StoreError::Unreachable(text),
    }
}

impl Print {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
            length: metadata.len(),
        }
    }
}
