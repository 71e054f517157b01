//! Follows a file that others write to, rename, cut and delete.
//!
//! Where to go on is said by the [`Mark`] that the caller keeps; what is remembered here is only the open file, so that one
//! that was deleted can be read to its end. All of it blocks.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::devices::hex;
use crate::store::audit_tails::Mark;

/// Bytes of one pass, unless a single line is longer.
const PASS: u64 = 1 << 20;
/// Longest line.
const LINE: u64 = 4 << 20;
/// Most lines of one pass.
const LINES: usize = 256;
/// Bytes by which a file is known again.
const HEAD: u64 = 512;
/// Most files of a folder that are looked at.
const FILES: usize = 1_000;
/// What a file that was rotated away may be packed as; it cannot be read then.
const PACKED: [&str; 5] = [".gz", ".zst", ".bz2", ".xz", ".lz4"];

/// What is wrong with the file, for as long as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is none at that path.
    Missing,
    /// It was deleted, and whoever writes it still does.
    Deleted,
    /// It cannot be read.
    Unreadable,
}

/// What happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is shorter than what was read of it, or begins otherwise.
    Cut { had: u64, has: u64 },
    /// The file that was read is nowhere any more; what followed in it is not known.
    Lost { had: u64 },
    /// A line was longer than is taken.
    TooLong { at: u64 },
}

/// What a pass came to.
#[derive(Debug, Default)]
pub(super) struct Pass {
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) events: Vec<Event>,
    /// Where to go on once all of this is kept; `None` before there is a file.
    pub(super) mark: Option<Mark>,
    pub(super) fault: Option<Fault>,
    /// Whether there may be more at once.
    pub(super) more: bool,
}

/// Follows the file at a path.
pub(super) struct Follower {
    path: PathBuf,
    open: Option<(File, String)>,
}

impl Follower {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), open: None }
    }

    /// Reads on from `mark`.
    pub(super) fn pass(&mut self, mark: Option<&Mark>) -> Pass {
        let mut pass = Pass { mark: mark.cloned(), ..Pass::default() };
        if let Err(error) = self.advance(&mut pass) {
            // What is open may be what fails.
            self.open = None;
            let fault =
                if error.kind() == io::ErrorKind::NotFound { Fault::Missing } else { Fault::Unreadable };
            pass = Pass { mark: mark.cloned(), events: pass.events, fault: Some(fault), ..Pass::default() };
        }
        pass
    }

    fn advance(&mut self, pass: &mut Pass) -> io::Result<()> {
        // Before anything is read: whoever rotates writes no more to the old file once the new one is there.
        let at_path = fs::metadata(&self.path).ok().map(|it| id(&it));
        if self.open.as_ref().is_none_or(|(_, id)| pass.mark.as_ref().is_none_or(|it| it.file != *id)) {
            self.reopen(pass)?;
        }
        let Some((file, id)) = &mut self.open else { return Ok(()) };
        let mut mark = pass.mark.take().filter(|it| it.file == *id).unwrap_or_else(|| begin(id));
        let (before, size) = (mark.clone(), file.metadata()?.len());
        if size < mark.position || !is_known(file, &mark)? {
            pass.events.push(Event::Cut { had: mark.position, has: size });
            mark = begin(id);
        }
        let is_last = at_path.as_ref() != Some(id) && at_path.is_some();
        read(file, &mut mark, size, is_last, pass)?;
        remember_head(file, &mut mark)?;
        let caught_up = mark == before && pass.events.is_empty();
        pass.more = !caught_up;
        if caught_up && is_last {
            mark = self.next(&mark)?;
            pass.more = true;
        } else if at_path.is_none() && file.metadata()?.nlink() == 0 {
            pass.fault = Some(Fault::Deleted);
        }
        pass.mark = Some(mark);
        Ok(())
    }

    /// Opens the file of the mark, wherever it was renamed to; else the oldest that came after it.
    fn reopen(&mut self, pass: &mut Pass) -> io::Result<()> {
        self.open = None;
        let Some(mark) = &pass.mark else {
            self.open = Some(open(&self.path)?);
            return Ok(());
        };
        let siblings = || Ok::<_, io::Error>(self.siblings()?.into_iter().map(|it| it.path));
        for path in std::iter::once(self.path.clone()).chain(siblings()?) {
            let Ok((mut file, id)) = open(&path) else { continue };
            let is_it = id == mark.file && is_known(&mut file, mark)?;
            // A file that was cut in place has nothing left to be known by but its place.
            if is_it || id == mark.file && path == self.path {
                self.open = Some((file, id));
                return Ok(());
            }
        }
        // What was read before is known by its ids and is not entered again.
        let oldest = siblings()?.chain([self.path.clone()]).next();
        let (file, id) = open(&oldest.unwrap_or_default())?;
        pass.events.push(Event::Lost { had: mark.position });
        pass.mark = Some(begin(&id));
        self.open = Some((file, id));
        Ok(())
    }

    /// Goes on to the file that came after the open one.
    fn next(&mut self, mark: &Mark) -> io::Result<Mark> {
        let all = self.siblings()?;
        let since = match &self.open {
            Some((file, _)) => modified(&file.metadata()?),
            None => (0, 0),
        };
        let is_open = |it: &Sibling| it.id == mark.file;
        let from = match all.iter().position(is_open) {
            Some(at) => at + 1,
            None => all.iter().position(|it| it.modified > since).unwrap_or(all.len()),
        };
        for path in all.into_iter().skip(from).map(|it| it.path).chain([self.path.clone()]) {
            let Ok((file, id)) = open(&path) else { continue };
            if id != mark.file {
                let mark = begin(&id);
                self.open = Some((file, id));
                return Ok(mark);
            }
        }
        Ok(mark.clone())
    }

    /// What the file was renamed to, the oldest first: files in the same folder whose names begin as its own. Of two that were
    /// written at once the greater number is the older.
    fn siblings(&self) -> io::Result<Vec<Sibling>> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let mut found: Vec<Sibling> = Vec::new();
        for entry in fs::read_dir(folder)?.take(FILES) {
            let entry = entry?;
            let other = entry.file_name().to_string_lossy().into_owned();
            let is_one =
                other != name && other.starts_with(&name) && !PACKED.iter().any(|it| other.ends_with(it));
            if let Some(metadata) = entry.metadata().ok().filter(|it| is_one && it.is_file()) {
                found.push(Sibling { modified: modified(&metadata), path: entry.path(), id: id(&metadata) });
            }
        }
        found.sort_by(|a, b| a.modified.cmp(&b.modified).then_with(|| b.path.cmp(&a.path)));
        Ok(found)
    }
}

/// A file that the followed one may have been renamed to.
struct Sibling {
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    path: PathBuf,
    id: String,
}

/// Reads whole lines, and what is left without an end of a file that nobody writes to any more.
fn read(file: &mut File, mark: &mut Mark, size: u64, is_last: bool, pass: &mut Pass) -> io::Result<()> {
    let mut limit = PASS;
    loop {
        file.seek(SeekFrom::Start(mark.position))?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
        let (lines, rest) = bytes.split_at(whole);
        for line in lines.split_inclusive(|it| *it == b'\n').take(LINES) {
            mark.position += line.len() as u64;
            pass.lines.push(line.trim_ascii().to_vec());
        }
        let is_whole = bytes.len() as u64 == limit;
        if whole == 0 && is_whole && limit < LINE {
            limit = LINE;
            continue;
        }
        if whole == 0 && is_whole {
            pass.events.push(Event::TooLong { at: mark.position });
            mark.position += rest.len() as u64;
        } else if whole == 0 && is_last && !rest.is_empty() && mark.position + rest.len() as u64 >= size {
            mark.position += rest.len() as u64;
            pass.lines.push(rest.trim_ascii().to_vec());
        }
        pass.lines.retain(|it| !it.is_empty());
        return Ok(());
    }
}

/// Whether the file begins as it did when the mark was made.
fn is_known(file: &mut File, mark: &Mark) -> io::Result<bool> {
    Ok(mark.head_bytes == 0 || head(file, mark.head_bytes)? == mark.head)
}

fn remember_head(file: &mut File, mark: &mut Mark) -> io::Result<()> {
    let bytes = mark.position.min(HEAD);
    if bytes > mark.head_bytes {
        mark.head = head(file, bytes)?;
        mark.head_bytes = bytes;
    }
    Ok(())
}

fn head(file: &mut File, bytes: u64) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.take(bytes.min(HEAD)).read_to_end(&mut head)?;
    Ok(hex(&Sha256::digest(&head)))
}

fn open(path: &Path) -> io::Result<(File, String)> {
    // Without waiting: a pipe that nobody writes to would.
    let file = rustix::fs::open(
        path,
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC | rustix::fs::OFlags::NONBLOCK,
        rustix::fs::Mode::empty(),
    )?;
    let file = File::from(file);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let id = id(&metadata);
    Ok((file, id))
}

fn id(metadata: &fs::Metadata) -> String {
    format!("{}:{}", metadata.dev(), metadata.ino())
}

/// Seconds and nanoseconds.
fn modified(metadata: &fs::Metadata) -> (i64, i64) {
    (metadata.mtime(), metadata.mtime_nsec())
}

fn begin(id: &str) -> Mark {
    Mark { file: id.to_owned(), ..Mark::default() }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
