use ops_samples::{Labels, Sample};
use thiserror::Error;

use crate::Matcher;

/// What to read: the series that meet all `matchers`, and of each the samples in (`after_ms`, `until_ms`].
#[derive(Clone, Copy, Debug)]
pub struct Select<'a> {
    /// Conditions; at least one must not match the empty value.
    pub matchers: &'a [Matcher],
    /// Milliseconds; samples at this time are not read (ranges are left-open, as in Prometheus 3).
    pub after_ms: i64,
    /// Milliseconds; samples at this time are read.
    pub until_ms: i64,
    /// Which of these samples.
    pub want: Want,
    /// More than these are refused.
    pub max_samples: usize,
}

/// Which samples of a series are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// All of them.
    All,
    /// The newest only; it may be the mark that the series ended.
    Newest,
}

/// Series and their samples. Series without a sample in the range are not in it. Staleness marks are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    labels: Vec<Labels>,
    ends: Vec<usize>,
    samples: Vec<Sample>,
}

impl Selection {
    /// Begins a series; what is pushed next is its own.
    pub fn begin(&mut self, labels: Labels) {
        self.labels.push(labels);
        self.ends.push(self.samples.len());
    }

    /// Adds a sample, newer than the last, to the series begun last.
    pub fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
        if let Some(end) = self.ends.last_mut() {
            *end = self.samples.len();
        }
    }

    /// Forgets the series begun last if nothing was pushed to it.
    pub fn end(&mut self) {
        let before = self.ends.len().checked_sub(2).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
        if self.ends.last() == Some(&before) {
            self.ends.pop();
            self.labels.pop();
        }
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// How many samples there are in all.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Each series with its samples, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (&Labels, &[Sample])> {
        self.labels.iter().enumerate().map(|(at, labels)| (labels, self.of(at)))
    }

    /// The samples of series number `at`, oldest first.
    #[must_use]
    pub fn of(&self, at: usize) -> &[Sample] {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.samples.get(start..end).unwrap_or_default()
    }
}

/// Why nothing was read.
#[derive(Debug, Error)]
pub enum SelectError {
    /// More samples than were allowed.
    #[error("it would read more than {0} samples")]
    TooManySamples(usize),
    /// A segment that cannot be read.
    #[error("cannot read {file}")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Where samples are read from: the store, or a few series in memory (rule tests).
pub trait Source: Send + Sync {
    /// Reads; the order of the series is the same for the same data.
    ///
    /// # Errors
    /// Too many samples, or a disk that fails.
    fn select(&self, select: &Select<'_>) -> Result<Selection, SelectError>;
}
