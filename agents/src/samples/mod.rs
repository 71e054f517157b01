//! Samples on their way to the server: written by probes, sent at once, kept for a while when the server is away.
//!
//! What is written while a frame is under way goes together in the next one, so nothing waits for a clock. When the server
//! is away for long, the oldest frames go; a server that then misses a series' definition asks for all of them again.

mod own;
mod send;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use ops_samples::frames::{Encoder, Metadata};
use ops_samples::{Labels, STALE, Sample};
use tokio::sync::Notify;
use tracing::warn;
use uuid::Uuid;

pub(crate) use own::Own;
pub(crate) use send::run;

/// A frame is closed when it has this many bytes.
const FULL: usize = 1 << 20;
/// Most bytes of frames that are kept for a server that is away.
const MAX_WAITING: usize = 32 << 20;

/// The way to the server that all probes share.
pub(crate) struct Samples {
    state: Mutex<State>,
    more: Notify,
}

struct State {
    encoder: Encoder,
    waiting: VecDeque<Frame>,
    waiting_bytes: usize,
    frames: u64,
    dropped: u64,
}

/// A frame, and the number that takes it off the list.
#[derive(Clone)]
struct Frame {
    number: u64,
    bytes: Bytes,
}

/// Writes what belongs to one moment; it leaves when this is dropped.
pub(crate) struct Writer<'a> {
    samples: &'a Samples,
    state: MutexGuard<'a, State>,
}

impl Default for Samples {
    fn default() -> Self {
        let state = State {
            encoder: Encoder::new(Uuid::new_v4().as_u128()),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            frames: 0,
            dropped: 0,
        };
        Self { state: Mutex::new(state), more: Notify::new() }
    }
}

impl Samples {
    /// Begins to write. The numbers of series hold as long as [`Writer::session`] stays the same.
    pub(crate) fn writer(&self) -> Writer<'_> {
        let mut state = self.lock();
        if state.encoder.is_worn() {
            state.close();
            state.encoder.reset(Uuid::new_v4().as_u128());
        }
        Writer { samples: self, state }
    }

    /// Waits for the oldest frame that the server does not have.
    async fn next(&self) -> Frame {
        loop {
            let more = self.more.notified();
            {
                let mut state = self.lock();
                if state.waiting.is_empty() {
                    state.close();
                }
                if let Some(frame) = state.waiting.front() {
                    return frame.clone();
                }
            }
            more.await;
        }
    }

    /// The server has it, or will never want it.
    fn done(&self, frame: &Frame) {
        let mut state = self.lock();
        if state.waiting.front().is_some_and(|first| first.number == frame.number) {
            state.drop_oldest();
        }
    }

    /// Every definition, for a server that does not know them.
    fn everything(&self) -> Vec<Vec<u8>> {
        self.lock().encoder.everything()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Puts what is written so far on the list.
    fn close(&mut self) {
        let Some(frame) = self.encoder.finish() else { return };
        self.frames += 1;
        self.waiting_bytes += frame.len();
        self.waiting.push_back(Frame { number: self.frames, bytes: frame.into() });
        while self.waiting_bytes > MAX_WAITING && self.waiting.len() > 1 {
            self.drop_oldest();
            self.dropped += 1;
            // Once, then at each power of ten: a server that is away for hours is one piece of news.
            if self.dropped.checked_ilog10().is_some_and(|power| self.dropped == 10_u64.pow(power)) {
                warn!(dropped = self.dropped, "the server does not take samples; the oldest are dropped");
            }
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(frame) = self.waiting.pop_front() {
            self.waiting_bytes -= frame.bytes.len();
        }
    }
}

impl Writer<'_> {
    pub(crate) fn session(&self) -> u128 {
        self.state.encoder.session()
    }

    /// Gives a series its number; `None` when there are too many.
    pub(crate) fn define(&mut self, labels: &Labels) -> Option<u32> {
        let number = self.state.encoder.define(labels);
        self.close_if_full();
        number
    }

    pub(crate) fn sample(&mut self, number: u32, at_ms: i64, value: f64) {
        self.state.encoder.sample(number, Sample { at_ms, value });
        self.close_if_full();
    }

    /// Says that a series ended, and gives its number up.
    pub(crate) fn end(&mut self, number: u32, at_ms: i64) {
        self.sample(number, at_ms, STALE);
        self.state.encoder.forget(number);
    }

    /// Gives a number up without a word about its series.
    pub(crate) fn forget(&mut self, number: u32) {
        self.state.encoder.forget(number);
    }

    /// Says what a metric is.
    pub(crate) fn metadata(&mut self, it: &Metadata<'_>) {
        self.state.encoder.metadata(it);
        self.close_if_full();
    }

    fn close_if_full(&mut self) {
        if self.state.encoder.pending() >= FULL {
            self.state.close();
        }
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.samples.more.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_the_server_is_away() {
        let samples = Samples::default();
        let labels = Labels::new([("__name__", "a")]).unwrap_or_default();
        let mut writer = samples.writer();
        let number = writer.define(&labels).unwrap_or_default();
        for round in 0..6_000_000_i64 {
            writer.sample(number, round * 7, round as f64 * 0.123_456_7);
        }
        drop(writer);
        let state = samples.lock();
        assert!(
            state.dropped > 0 && state.waiting_bytes <= MAX_WAITING,
            "{} {}",
            state.dropped,
            state.waiting_bytes
        );
        let sum: usize = state.waiting.iter().map(|frame| frame.bytes.len()).sum();
        assert_eq!(sum, state.waiting_bytes);
    }
}
