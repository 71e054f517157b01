//! The log: every definition and sample, in the order in which they came, before it is acknowledged.
//!
//! A file begins with the definitions of all series there are, so that it can be read without those before it. A new one is
//! begun at each start and with each segment; one whose samples are all in segments is removed.

pub(crate) mod record;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use record::Writer;

/// At the start of each file.
pub(crate) const MAGIC: [u8; 8] = *b"OPSLOG1\n";

/// A disk that refuses is asked again after this time.
const RETRY_MS: i64 = 5_000;

/// The log of an open store.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    file: Arc<File>,
    number: u64,
    bytes: u64,
    dirty: bool,
    newest_ms: i64,
    pub(crate) writer: Writer,
    /// Files that are no longer written, their newest sample and size, by number.
    past: BTreeMap<u64, (i64, u64)>,
    /// Whether a write failed, since when a new file is needed.
    broken: bool,
    /// When a new file was last begun because of that, by the caller's clock.
    tried_ms: i64,
}

impl Log {
    /// Begins a file after those that are there.
    pub(crate) fn begin(folder: &Path, past: BTreeMap<u64, (i64, u64)>) -> io::Result<Self> {
        let number = past.keys().next_back().map_or(1, |last| last + 1);
        let (file, bytes) = create(folder, number)?;
        Ok(Self {
            folder: folder.to_owned(),
            file,
            number,
            bytes,
            dirty: true,
            newest_ms: i64::MIN,
            writer: Writer::default(),
            past,
            broken: false,
            tried_ms: i64::MIN,
        })
    }

    /// Hands what the writer holds to the system.
    pub(crate) fn write(&mut self, newest_ms: i64) -> io::Result<()> {
        self.newest_ms = self.newest_ms.max(newest_ms);
        let bytes = self.writer.finish();
        let length = bytes.len() as u64;
        let written = (&*self.file).write_all(bytes);
        self.writer.clear();
        self.dirty = true;
        self.bytes += length;
        self.broken |= written.is_err();
        written
    }

    /// The file, if it has what the disk may not have yet. Whoever takes it syncs it, without the log's lock: appends do
    /// not wait for the disk.
    pub(crate) fn unsynced(&mut self) -> Option<Arc<File>> {
        std::mem::take(&mut self.dirty).then(|| self.file.clone())
    }

    /// The disk did not take it: another try is due.
    pub(crate) fn still_unsynced(&mut self) {
        self.dirty = true;
    }

    /// Whether a write failed, so that a record may be torn, and it is time to go on in a new file.
    pub(crate) fn is_due_again(&mut self, now_ms: i64) -> bool {
        let due = self.broken && now_ms.saturating_sub(self.tried_ms) >= RETRY_MS;
        if due {
            self.tried_ms = now_ms;
        }
        due
    }

    /// Notes the time of a sample that the writer holds.
    pub(crate) fn note(&mut self, newest_ms: i64) {
        self.newest_ms = self.newest_ms.max(newest_ms);
    }

    /// Has the next write fail.
    #[cfg(test)]
    pub(crate) fn lose(&mut self, file: Arc<File>) {
        self.file = file;
    }

    /// Goes on in a new file; the caller writes the definitions first.
    pub(crate) fn rotate(&mut self) -> io::Result<()> {
        let (file, bytes) = create(&self.folder, self.number + 1)?;
        self.past.insert(self.number, (self.newest_ms, self.bytes));
        self.file = file;
        self.number += 1;
        self.bytes = bytes;
        self.newest_ms = i64::MIN;
        self.dirty = true;
        self.broken = false;
        Ok(())
    }

    /// Removes files whose samples are all older than `sealed_ms`.
    pub(crate) fn forget(&mut self, sealed_ms: i64) -> io::Result<()> {
        let over: Vec<u64> = self.past.iter().filter(|it| it.1.0 < sealed_ms).map(|it| *it.0).collect();
        for number in over {
            match std::fs::remove_file(self.folder.join(name(number))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.past.remove(&number),
            };
        }
        Ok(())
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes + self.past.values().map(|it| it.1).sum::<u64>()
    }
}

fn create(folder: &Path, number: u64) -> io::Result<(Arc<File>, u64)> {
    let path = folder.join(name(number));
    let mut file = OpenOptions::new().create_new(true).append(true).open(path)?;
    file.write_all(&MAGIC)?;
    File::open(folder)?.sync_all()?;
    Ok((Arc::new(file), MAGIC.len() as u64))
}

fn name(number: u64) -> String {
    format!("{number:010}.log")
}

/// Files of a folder, by number.
pub(crate) fn files(folder: &Path) -> io::Result<BTreeMap<u64, PathBuf>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|it| it.to_str()).and_then(|it| it.strip_suffix(".log"));
        if let Some(number) = number.and_then(|it| it.parse().ok()) {
            files.insert(number, path);
        }
    }
    Ok(files)
}
