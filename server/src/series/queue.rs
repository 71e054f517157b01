//! What is still to be sent to a receiver, in files: it outlives the process, and is bounded.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::Crc;
use ops_samples::remote_write::{self, Version};
use ops_samples::{Labels, Sample};

/// Where a file ends and the next begins, in bytes.
const FILE: u64 = 4 << 20;
/// Longest record; a longer one was not written by us.
const RECORD: usize = 16 << 20;
/// Bytes before a record: its length and its checksum.
const HEAD: usize = 8;

/// A queue of samples in a folder of its own. Each append is one record: length, checksum, a packed request 1.0.
///
/// It is written with each append, so that a kill loses nothing; a lost machine loses what the system had not written.
#[derive(Debug)]
pub(crate) struct Queue {
    folder: PathBuf,
    most_bytes: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Numbers and lengths of the files, oldest first.
    files: VecDeque<(u64, u64)>,
    writer: File,
    /// Of the oldest file: what is before it is acknowledged.
    acknowledged: u64,
    dropped_bytes: u64,
}

/// Samples that are to be sent, and what to acknowledge when they are.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) samples: Vec<(Labels, Sample)>,
    file: u64,
    end: u64,
}

impl Queue {
    /// Opens or makes the queue in `folder`, of at most `most_bytes`.
    pub(crate) fn open(folder: &Path, most_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut files: Vec<(u64, u64)> = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let number =
                name.to_str().and_then(|it| it.strip_suffix(".queue")).and_then(|it| it.parse().ok());
            if let Some(number) = number {
                files.push((number, entry.metadata()?.len()));
            }
        }
        files.sort_unstable();
        // What a killed process wrote last may be half a record: new ones go to a new file.
        let next = files.last().map_or(0, |(number, _)| number + 1);
        files.push((next, 0));
        let writer = create(folder, next)?;
        let mut inner = Inner { files: files.into(), writer, acknowledged: 0, dropped_bytes: 0 };
        let (file, offset) = position(folder);
        while inner.files.front().is_some_and(|(number, _)| *number < file) {
            inner.drop_first(folder);
        }
        if inner.files.front().is_some_and(|(number, _)| *number == file) {
            inner.acknowledged = offset;
        }
        Ok(Self { folder: folder.to_owned(), most_bytes, inner: Mutex::new(inner) })
    }

    /// Adds samples; the oldest go when there are too many bytes.
    pub(crate) fn push(&self, samples: &[(Labels, Sample)]) -> io::Result<()> {
        let payload = remote_write::encode_v1(samples);
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let mut record = Vec::with_capacity(HEAD + payload.len());
        record.extend(length.to_le_bytes());
        record.extend(checksum(&payload).to_le_bytes());
        record.extend(payload);
        let mut inner = self.lock();
        if inner.files.back().is_some_and(|(_, bytes)| *bytes >= FILE) {
            let next = inner.files.back().map_or(0, |(number, _)| number + 1);
            inner.writer = create(&self.folder, next)?;
            inner.files.push_back((next, 0));
        }
        inner.writer.write_all(&record)?;
        if let Some((_, bytes)) = inner.files.back_mut() {
            *bytes += record.len() as u64;
        }
        while inner.files.len() > 1 && inner.bytes() > self.most_bytes {
            inner.dropped_bytes += inner.files.front().map_or(0, |(_, bytes)| *bytes) - inner.acknowledged;
            inner.drop_first(&self.folder);
        }
        Ok(())
    }

    /// The oldest samples, of whole records, `most` of them and no more unless one record has more.
    pub(crate) fn next(&self, most: usize) -> io::Result<Option<Batch>> {
        let mut inner = self.lock();
        loop {
            let Some((file, bytes)) = inner.files.front().copied() else { return Ok(None) };
            let mut reader = File::open(path(&self.folder, file))?;
            reader.seek(SeekFrom::Start(inner.acknowledged))?;
            let mut batch = Batch { samples: Vec::new(), file, end: inner.acknowledged };
            while batch.end < bytes && batch.samples.len() < most {
                let Some((record, length)) = read(&mut reader)? else {
                    // Cut off or damaged: the rest of the file cannot be told apart.
                    inner.dropped_bytes += bytes - batch.end;
                    batch.end = bytes;
                    break;
                };
                if !batch.samples.is_empty() && batch.samples.len() + record.len() > most {
                    break;
                }
                batch.samples.extend(record);
                batch.end += length;
            }
            if !batch.samples.is_empty() {
                return Ok(Some(batch));
            }
            if inner.files.len() == 1 {
                return Ok(None);
            }
            inner.drop_first(&self.folder);
        }
    }

    /// The batch is done with: it will not be told again, whatever happens.
    pub(crate) fn acknowledge(&self, batch: &Batch) -> io::Result<()> {
        let mut inner = self.lock();
        if inner.files.front().is_none_or(|(number, _)| *number != batch.file) {
            return Ok(());
        }
        inner.acknowledged = batch.end;
        let at = self.folder.join("position");
        let beside = self.folder.join("position.new");
        fs::write(&beside, format!("{} {}\n", batch.file, batch.end))?;
        fs::rename(beside, at)
    }

    /// Bytes that wait, and bytes that were dropped since the process began.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.bytes(), inner.dropped_bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum::<u64>().saturating_sub(self.acknowledged)
    }

    fn drop_first(&mut self, folder: &Path) {
        if let Some((number, _)) = self.files.pop_front() {
            self.acknowledged = 0;
            // One that stays is dropped by the next start.
            let _ = fs::remove_file(path(folder, number));
        }
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.queue"))
}

fn create(folder: &Path, number: u64) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path(folder, number))
}

/// File and offset up to which everything was acknowledged.
fn position(folder: &Path) -> (u64, u64) {
    let text = fs::read_to_string(folder.join("position")).unwrap_or_default();
    let mut parts = text.split_whitespace().map(|it| it.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// One record and its length with its head; `None` when there is no whole one.
#[allow(clippy::type_complexity)]
fn read(reader: &mut File) -> io::Result<Option<(Vec<(Labels, Sample)>, u64)>> {
    let mut head = [0; HEAD];
    if !filled(reader, &mut head)? {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h] = head;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length > RECORD {
        return Ok(None);
    }
    let mut payload = vec![0; length];
    if !filled(reader, &mut payload)? || checksum(&payload) != u32::from_le_bytes([e, f, g, h]) {
        return Ok(None);
    }
    let request = remote_write::decode(Version::V1, &payload, RECORD * 8);
    Ok(request.ok().map(|it| (it.samples, (HEAD + length) as u64)))
}

fn filled(reader: &mut File, bytes: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
