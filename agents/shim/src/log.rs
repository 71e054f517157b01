use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::files;

/// How much may wait for the disk.
const PENDING_BYTES: usize = 256 * 1024;
/// How long a program may be held up once, before its lines are dropped until the disk has caught up.
const PATIENCE: Duration = Duration::from_millis(100);
/// Pause between two tries to say what was dropped.
const RETRY: Duration = Duration::from_secs(1);

/// The log of a replica. A thread of its own writes it, so that a slow or full disk never holds the program up.
pub(crate) struct Log(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    dropped: u64,
    dropping: bool,
    writing: bool,
}

impl Log {
    /// Starts the writer.
    pub(crate) fn open(path: PathBuf, max_bytes: u64, keep: u32) -> Result<Self, String> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let writer = LogFile { path, max_bytes, keep, file: None, size: 0 };
        let theirs = Arc::clone(&shared);
        let thread =
            thread::Builder::new().stack_size(64 * 1024).spawn(move || write_forever(&theirs, writer));
        thread.map_err(|e| format!("cannot start a thread: {e}"))?;
        Ok(Self(shared))
    }

    /// Hands a line over, or counts it as dropped.
    pub(crate) fn write(&self, at_us: i64, tag: u8, line: &[u8]) {
        let mut state = self.0.lock();
        let is_full = |state: &mut State| state.pending.len() + line.len() + 24 > PENDING_BYTES;
        if is_full(&mut state) && !state.dropping {
            let waited = self.0.changed.wait_timeout_while(state, PATIENCE, is_full);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.dropping = is_full(&mut state);
        if state.dropping {
            state.dropped += 1;
            return;
        }
        append(&mut state.pending, at_us, tag, line);
        drop(state);
        self.0.changed.notify_all();
    }

    /// Waits until all is on its way to the disk, for at most `patience`.
    pub(crate) fn flush(&self, patience: Duration) {
        let state = self.0.lock();
        let busy = |state: &mut State| state.writing || !state.pending.is_empty();
        drop(self.0.changed.wait_timeout_while(state, patience, busy));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append(out: &mut Vec<u8>, at_us: i64, tag: u8, line: &[u8]) {
    let _ = write!(out, "{at_us} {} ", char::from(tag));
    out.extend_from_slice(line);
    out.push(b'\n');
}

fn write_forever(shared: &Shared, mut log: LogFile) {
    let mut lost = 0;
    let mut batch = Vec::new();
    loop {
        let mut state = shared.lock();
        state.writing = false;
        shared.changed.notify_all();
        let idle = |state: &mut State| state.pending.is_empty() && state.dropped == 0;
        state = if lost == 0 {
            shared.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner)
        } else {
            shared.changed.wait_timeout_while(state, RETRY, idle).unwrap_or_else(PoisonError::into_inner).0
        };
        std::mem::swap(&mut state.pending, &mut batch);
        let dropped = std::mem::take(&mut state.dropped);
        state.writing = true;
        drop(state);
        shared.changed.notify_all();

        // Lines lost earlier belong before this batch, lines dropped while it waited after it.
        if lost > 0 && log.write(&marker(lost)) == 0 {
            lost = 0;
        }
        lost += log.write(&batch) + dropped;
        if lost > 0 && log.write(&marker(lost)) == 0 {
            lost = 0;
        }
        batch.clear();
        batch.shrink_to(16 * 1024);
    }
}

fn marker(lines: u64) -> Vec<u8> {
    let mut out = Vec::new();
    append(&mut out, files::now_us(), b'e', format!("[{lines} lines dropped]").as_bytes());
    out
}

/// The file, rotated by size.
struct LogFile {
    path: PathBuf,
    max_bytes: u64,
    keep: u32,
    file: Option<File>,
    size: u64,
}

impl LogFile {
    /// Writes whole lines; returns how many could not be written.
    fn write(&mut self, mut lines: &[u8]) -> u64 {
        while !lines.is_empty() {
            let first = whole_lines(lines, 0) as u64;
            if self.size > 0 && self.size + first > self.max_bytes {
                self.rotate();
            }
            let room = usize::try_from(self.max_bytes.saturating_sub(self.size)).unwrap_or(usize::MAX);
            let (now, later) = lines.split_at(whole_lines(lines, room));
            if !self.append(now) {
                return lines.iter().filter(|&&byte| byte == b'\n').count() as u64;
            }
            lines = later;
        }
        0
    }

    fn append(&mut self, lines: &[u8]) -> bool {
        self.open();
        let Some(file) = &mut self.file else { return false };
        let written = file.write_all(lines).is_ok();
        if written {
            self.size += lines.len() as u64;
        } else {
            // No half lines: what was written of them is taken back.
            let _ = file.set_len(self.size);
        }
        written
    }

    fn open(&mut self) {
        if self.file.is_none() {
            let _ = self.path.parent().map(fs::create_dir_all);
            self.file = File::options().append(true).create(true).open(&self.path).ok();
            self.size =
                self.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |metadata| metadata.len());
        }
    }

    fn rotate(&mut self) {
        self.file = None;
        let numbered = |n: u32| {
            let mut path = self.path.clone().into_os_string();
            path.push(format!(".{n}"));
            PathBuf::from(path)
        };
        for n in (1..self.keep).rev() {
            let _ = fs::rename(numbered(n), numbered(n + 1));
        }
        let _ =
            if self.keep == 0 { fs::remove_file(&self.path) } else { fs::rename(&self.path, numbered(1)) };
        self.size = 0;
    }
}

/// Length of the lines that fit into `room`, at least one.
fn whole_lines(lines: &[u8], room: usize) -> usize {
    if lines.len() <= room {
        return lines.len();
    }
    let fitting = lines[..room].iter().rposition(|&byte| byte == b'\n');
    fitting.or_else(|| lines.iter().position(|&byte| byte == b'\n')).map_or(lines.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_file(path: PathBuf, max_bytes: u64) -> LogFile {
        LogFile { path, max_bytes, keep: 2, file: None, size: 0 }
    }

    #[test]
    fn a_full_file_is_rotated_between_lines() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("1.log");
        let mut log = log_file(path.clone(), 10);
        assert_eq!(log.write(b"one\ntwo\nthree\nfour\nfive\nsix\n"), 0);
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("readable");
        assert_eq!(read("1.log"), "six\n");
        assert_eq!(read("1.log.1"), "four\nfive\n");
        assert_eq!(read("1.log.2"), "three\n");
        assert!(!folder.path().join("1.log.3").exists());
    }

    #[test]
    fn lines_for_a_full_disk_are_counted() {
        assert_eq!(log_file(PathBuf::from("/dev/full"), 1000).write(b"one\ntwo\n"), 2);
    }
}
