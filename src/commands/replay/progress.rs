//! Says how far a long comparison is, on standard error.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::output;

/// What takes less is not worth a word.
const QUIET: Duration = Duration::from_secs(3);

/// Progress of one trace.
#[derive(Debug)]
pub(super) struct Progress {
    trace: String,
    of: usize,
    done: AtomicUsize,
    since: Instant,
}

impl Progress {
    /// Of so many runs.
    pub(super) fn new(trace: &str, of: usize) -> Self {
        Self { trace: trace.to_owned(), of, done: AtomicUsize::new(0), since: Instant::now() }
    }

    /// Something to know about the trace.
    pub(super) fn note(&self, remark: &str) {
        output::note(&format!("{}: {remark}", self.trace));
    }

    /// One run is over.
    pub(super) fn done(&self, policy: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.since.elapsed() > QUIET {
            output::note(&format!("{}: {policy} done, {done} of {}", self.trace, self.of));
        }
    }
}
