//! Opens a store: segments first, then what the log has beyond them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::Disk;
use crate::head::Head;
use crate::log::record::{Item, Reader};
use crate::log::{self, Log, MAGIC};
use crate::segment::Segment;
use crate::series::Fate;
use crate::{OpenError, Options, Recovery, Store};

impl Store {
    /// Opens the store in `folder`, which is made when it is not there.
    ///
    /// What is damaged is left out and told; it keeps nothing else from being read.
    ///
    /// # Errors
    /// Another process has it open, or the folder cannot be used.
    pub fn open(folder: &Path, options: Options) -> Result<(Self, Recovery), OpenError> {
        let failed = |source| OpenError::Io { folder: folder.to_owned(), source };
        for part in ["log", "segments"] {
            fs::create_dir_all(folder.join(part)).map_err(failed)?;
        }
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(OpenError::Locked(folder.to_owned())),
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut recovery = Recovery::default();
        let segments = segments(&folder.join("segments"), &mut recovery).map_err(failed)?;
        let sealed_ms = segments.last().map_or(i64::MIN, |it| it.end_ms);
        let mut head = Head::default();
        let past =
            replay(&folder.join("log"), &options, sealed_ms, &mut head, &mut recovery).map_err(failed)?;
        head.retain(|series| !series.data().is_empty());
        recovery.series = head.len();
        let mut log = Log::begin(&folder.join("log"), past).map_err(failed)?;
        define_all(&head, &mut log).map_err(failed)?;
        let disk = Disk::new(folder, log, segments, lock);
        Ok((Self::with(options, head, sealed_ms, Some(disk)), recovery))
    }
}

/// Writes the definitions of all series to the log.
pub(crate) fn define_all(head: &Head, log: &mut Log) -> io::Result<()> {
    for (number, series) in head.all() {
        log.writer.define(number, &series.labels);
    }
    log.write(i64::MIN)
}

fn segments(folder: &Path, recovery: &mut Recovery) -> io::Result<Vec<Arc<Segment>>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.extension().and_then(|it| it.to_str()) {
            // It never got its name: the log has all of it.
            Some("tmp") => fs::remove_file(&path)?,
            Some("segment") => match Segment::open(&path) {
                Ok(segment) => segments.push(Arc::new(segment)),
                Err(error) => {
                    recovery.damage.push(format!("{}: {error}, it is kept as .damaged", path.display()));
                    fs::rename(&path, path.with_extension("damaged"))?;
                }
            },
            _ => {}
        }
    }
    segments.sort_by_key(|it: &Arc<Segment>| it.start_ms);
    recovery.segments = segments.len();
    Ok(segments)
}

/// Reads all files of the log into `head`; gives their newest samples and sizes.
fn replay(
    folder: &Path,
    options: &Options,
    sealed_ms: i64,
    head: &mut Head,
    recovery: &mut Recovery,
) -> io::Result<BTreeMap<u64, (i64, u64)>> {
    let mut past = BTreeMap::new();
    for (number, path) in log::files(folder)? {
        let bytes = fs::read(&path)?;
        let newest_ms = read(&bytes, options, sealed_ms, head, recovery);
        let (good_to, skipped) = newest_ms.1;
        let lost = skipped + (bytes.len() - good_to);
        if lost > 0 {
            recovery.lost_bytes += lost;
            recovery.damage.push(format!("{}: {lost} bytes of no good record", path.display()));
        }
        past.insert(number, (newest_ms.0, bytes.len() as u64));
    }
    Ok(past)
}

fn read(
    bytes: &[u8],
    options: &Options,
    sealed_ms: i64,
    head: &mut Head,
    recovery: &mut Recovery,
) -> (i64, (usize, usize)) {
    let start = if bytes.starts_with(&MAGIC) { MAGIC.len() } else { 0 };
    let mut reader = Reader::new(bytes, start);
    let mut numbers: Vec<Option<u32>> = Vec::new();
    let mut newest_ms = i64::MIN;
    while let Some(content) = reader.next() {
        for item in content {
            match item {
                Item::Define(number, labels) => {
                    let own = head.find(&labels).unwrap_or_else(|| head.insert(&labels));
                    let at = number as usize;
                    // Numbers are given one after the other; a far one is rubbish with a good checksum.
                    if at >= numbers.len() && at < numbers.len() + 50_000_000 {
                        numbers.resize(at + 1, None);
                    }
                    if let Some(place) = numbers.get_mut(at) {
                        *place = Some(own);
                    }
                }
                Item::Sample(number, sample) => {
                    newest_ms = newest_ms.max(sample.at_ms);
                    let own = numbers.get(number as usize).copied().flatten();
                    let Some(series) = own.and_then(|own| head.get(own)) else {
                        recovery.lost_samples += 1;
                        continue;
                    };
                    if sample.at_ms >= sealed_ms {
                        let fate = series.data().append(sample, sealed_ms, options.segment_ms);
                        recovery.samples += usize::from(matches!(fate, Fate::Changed | Fate::Same));
                    }
                }
            }
        }
    }
    (newest_ms, (reader.good_to, reader.skipped))
}
