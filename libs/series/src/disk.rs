//! A store's folder: the log, the segments, and the lock that keeps other processes out.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use ops_samples::Labels;

use crate::Stats;
use crate::log::Log;
use crate::segment::Segment;

/// What a store has on disk.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) folder: PathBuf,
    log: Mutex<Log>,
    /// Oldest first.
    segments: RwLock<Vec<Arc<Segment>>>,
    /// When it was last looked whether a segment is due.
    pub(crate) looked_ms: Mutex<i64>,
    _lock: File,
}

impl Disk {
    pub(crate) fn new(folder: &Path, log: Log, segments: Vec<Arc<Segment>>, lock: File) -> Self {
        Self {
            folder: folder.to_owned(),
            log: Mutex::new(log),
            segments: RwLock::new(segments),
            looked_ms: Mutex::new(i64::MIN),
            _lock: lock,
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down a new series. Should that fail, the next file begins with it.
    pub(crate) fn define(&self, number: u32, labels: &Labels) {
        let mut log = self.log();
        log.writer.define(number, labels);
        let _ = log.write(i64::MIN);
    }

    /// Has the disk hold all that was written, without keeping anybody from writing more.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let file = self.log().unsynced();
        let Some(file) = file else { return Ok(()) };
        file.sync_data().inspect_err(|_| self.log().still_unsynced())
    }

    /// The segments, oldest first. While they are held, nothing moves from memory to a segment.
    pub(crate) fn segments(&self) -> RwLockReadGuard<'_, Vec<Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a segment, and has memory forget what is in it before anybody reads either.
    pub(crate) fn publish(&self, segment: Segment, forget: impl FnOnce()) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.push(Arc::new(segment));
        segments.sort_by_key(|it| it.start_ms);
        forget();
    }

    /// Removes segments that end before `oldest_ms`, and the oldest while there are more than `most_bytes`.
    pub(crate) fn retire(&self, oldest_ms: i64, most_bytes: u64) -> io::Result<usize> {
        let log_bytes = self.log().bytes();
        let mut removed = 0;
        loop {
            let first = {
                let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
                let bytes = log_bytes + segments.iter().map(|it| it.bytes).sum::<u64>();
                segments.first().filter(|it| it.end_ms <= oldest_ms || bytes > most_bytes).cloned()
            };
            let Some(first) = first else { return Ok(removed) };
            fs::remove_file(&first.path)?;
            self.segments.write().unwrap_or_else(PoisonError::into_inner).retain(|it| it.path != first.path);
            removed += 1;
        }
    }

    pub(crate) fn describe(&self, stats: &mut Stats) {
        stats.log_bytes = self.log().bytes();
        let segments = self.segments();
        stats.segments = segments.len();
        stats.segment_bytes = segments.iter().map(|it| it.bytes).sum();
        stats.segment_samples = segments.iter().map(|it| it.samples).sum();
    }
}
