use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ops_contract::{LogChunk, LogLine, LogSubscription, ReplicaId};
use tokio::time::Instant;

use super::line;
use super::tail::rotated;
use crate::agent::Agent;
use crate::control::ControlError;
use crate::paths::{entries, number_of};

/// Most lines, and about the most bytes, in one chunk.
const CHUNK_LINES: usize = 500;
const CHUNK_BYTES: usize = 256 * 1024;
/// Most lines of the past.
const MOST_LINES: u32 = 10_000;
/// Pause between two looks for new lines, while somebody reads.
const PAUSE: Duration = Duration::from_millis(200);
/// A reader is asked whether it is still there when no line has come for this long.
const SILENCE: Duration = Duration::from_secs(5);

/// Begins to send a log to whoever asked for it.
pub(crate) fn begin(agent: &Arc<Agent>, subscription: LogSubscription) {
    agent.spawn(&format!("log {}", subscription.id), move |agent, stop| {
        let subscription = subscription.clone();
        async move {
            let _ = stop.run_until_cancelled(serve(&agent, &subscription)).await;
            Ok(())
        }
    });
}

/// Sends until the log has ended or nobody reads. A server that is away means nobody reads.
async fn serve(agent: &Agent, subscription: &LogSubscription) -> Result<(), ControlError> {
    let reader = Reader { agent, id: &subscription.id };
    let newest = newest_log(agent, &subscription.replica);
    let Some(mut generation) = subscription.generation.or(newest) else {
        return reader.end(Some(format!("{} has no log yet", subscription.replica))).await;
    };
    let log = agent.paths.log(&subscription.replica, generation);
    if !log.exists() {
        return reader.end(Some(format!("no log of generation {generation} is kept"))).await;
    }

    // The follower starts at the end before the past is read: lines may come between, and are not to be lost.
    let mut follower = Follower::at_end(log.clone());
    let count = usize::try_from(subscription.lines.min(MOST_LINES)).unwrap_or_default();
    let past = tokio::task::spawn_blocking(move || super::last_lines(&log, count)).await.unwrap_or_default();
    reader.send(&follower.without_newer(past)).await?;
    if !subscription.follow {
        return reader.end(None).await;
    }

    let mut spoken = Instant::now();
    loop {
        let lines = follower.new_lines();
        if !lines.is_empty() {
            reader.send(&lines).await?;
            spoken = Instant::now();
            continue;
        }
        if spoken.elapsed() >= SILENCE {
            reader.ask_whether_there().await?;
            spoken = Instant::now();
        }
        // A reader of the latest start goes on with the next one.
        let newer = newest_log(agent, &subscription.replica).filter(|newest| *newest > generation);
        match newer {
            Some(newer) if subscription.generation.is_none() => {
                generation = newer;
                follower = Follower::at_start(agent.paths.log(&subscription.replica, newer));
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whoever asked for the log. An error means that nobody reads any more.
struct Reader<'a> {
    agent: &'a Agent,
    id: &'a str,
}

impl Reader<'_> {
    async fn send(&self, lines: &[LogLine]) -> Result<(), ControlError> {
        let mut rest = lines;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |line: &&LogLine| {
                bytes += line.text.len();
                bytes <= CHUNK_BYTES
            };
            let count = rest.iter().take(CHUNK_LINES).take_while(fits).count().max(1);
            self.tell(LogChunk { lines: rest[..count].to_vec(), end: false, error: None }).await?;
            rest = &rest[count..];
        }
        Ok(())
    }

    async fn ask_whether_there(&self) -> Result<(), ControlError> {
        self.tell(LogChunk { lines: Vec::new(), end: false, error: None }).await
    }

    async fn end(&self, error: Option<String>) -> Result<(), ControlError> {
        self.tell(LogChunk { lines: Vec::new(), end: true, error }).await
    }

    async fn tell(&self, chunk: LogChunk) -> Result<(), ControlError> {
        self.agent.control.log(self.id, &chunk).await
    }
}

fn newest_log(agent: &Agent, replica: &ReplicaId) -> Option<i64> {
    entries(&agent.paths.logs(replica)).iter().filter_map(|path| number_of(path)).max()
}

/// Reads a log as it grows, across its rotation.
struct Follower {
    log: PathBuf,
    file: Option<File>,
    position: u64,
    /// The start of a line that has not ended.
    partial: Vec<u8>,
}

impl Follower {
    fn at_start(log: PathBuf) -> Self {
        let file = File::open(&log).ok();
        Self { log, file, position: 0, partial: Vec::new() }
    }

    fn at_end(log: PathBuf) -> Self {
        let mut follower = Self::at_start(log);
        let size =
            follower.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |metadata| metadata.len());
        follower.position = size;
        follower
    }

    /// Takes from `past` what was written after this follower began: that is its own to send.
    fn without_newer(&self, mut past: Vec<LogLine>) -> Vec<LogLine> {
        let mut newer = Vec::new();
        if let Some(file) = &self.file {
            use std::os::unix::fs::FileExt;
            let mut block = vec![0; 64 * 1024];
            let mut at = self.position;
            while let Ok(read @ 1..) = file.read_at(&mut block, at) {
                newer.extend_from_slice(&block[..read]);
                at += read as u64;
            }
        }
        if let Some(first) = newer.split(|&byte| byte == b'\n').next().filter(|first| !first.is_empty()) {
            let first = line::parse(first);
            if let Some(index) = past.iter().rposition(|line| *line == first) {
                past.truncate(index);
            }
        }
        past
    }

    fn new_lines(&mut self) -> Vec<LogLine> {
        use std::io::{Seek, SeekFrom};
        let mut lines = Vec::new();
        if self.file.is_none() {
            self.file = File::open(&self.log).ok();
        }
        let Some(file) = &mut self.file else { return lines };
        let mut new = Vec::new();
        let read =
            file.seek(SeekFrom::Start(self.position)).and_then(|_| file.take(1 << 20).read_to_end(&mut new));
        self.position += read.unwrap_or(0) as u64;
        if new.is_empty() {
            self.follow_rotation();
            return lines;
        }
        self.partial.extend_from_slice(&new);
        let mut rest = self.partial.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            lines.push(line::parse(&rest[..end]));
            rest = &rest[end + 1..];
        }
        self.partial = rest.to_vec();
        lines
    }

    /// All of this file has been read: when it has been rotated away, the next one is its successor.
    fn follow_rotation(&mut self) {
        let inode = |path: &Path| path.metadata().ok().map(|metadata| metadata.ino());
        let Some(own) =
            self.file.as_ref().and_then(|file| file.metadata().ok()).map(|metadata| metadata.ino())
        else {
            return;
        };
        let index = (0..16).find(|n| inode(&rotated(&self.log, *n)) == Some(own));
        let next = match index {
            Some(0) => return,
            Some(n) => n - 1,
            // It is gone altogether: go on with the oldest that is left.
            None => (0..16).rev().find(|n| rotated(&self.log, *n).exists()).unwrap_or(0),
        };
        if let Ok(file) = File::open(rotated(&self.log, next)) {
            self.file = Some(file);
            self.position = 0;
        }
    }
}
