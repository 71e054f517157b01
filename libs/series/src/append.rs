use std::sync::Arc;

use thiserror::Error;

/// The number of a series. It is good while the process lives and the series gets samples now and then; appending to one
/// that was forgotten is told in [`Appended::unknown`], and its caller resolves the labels again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesRef(pub(crate) u32);

/// Why a series cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AppendError {
    /// There are as many series as there may be.
    #[error("there are {limit} series already, which is the limit: raise max_series or drop labels")]
    TooManySeries {
        /// The limit.
        limit: usize,
    },
}

/// What became of appended samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Samples that were taken.
    pub accepted: usize,
    /// Samples that were there already with the same value; they are not counted as accepted.
    pub repeated: usize,
    /// Samples at a time at which another value is.
    pub duplicate: usize,
    /// Samples older than may be taken.
    pub too_old: usize,
    /// Samples of series that were not made, because there are too many.
    pub too_many: usize,
    /// Numbers that no series has any more.
    pub unknown: Vec<SeriesRef>,
    /// Names of metrics of which a series got another value than before.
    pub changed: Vec<Arc<str>>,
    /// Names of metrics of which a series got a sample, those in `changed` included.
    pub touched: Vec<Arc<str>>,
}

impl Appended {
    /// How many samples were not taken.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.duplicate + self.too_old + self.too_many + self.unknown.len()
    }
}

/// Which metrics got samples in one append, by the numbers of their names.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Number, and whether a value changed; ordered by number.
    names: Vec<(u32, bool)>,
    last: usize,
}

impl Touched {
    #[inline]
    pub(crate) fn note(&mut self, name: u32, changed: bool) {
        // Series of a metric come one after the other.
        if let Some(known) = self.names.get_mut(self.last)
            && known.0 == name
        {
            known.1 |= changed;
            return;
        }
        match self.names.binary_search_by_key(&name, |it| it.0) {
            Ok(at) => {
                self.last = at;
                if let Some(known) = self.names.get_mut(at) {
                    known.1 |= changed;
                }
            }
            Err(at) => {
                self.last = at;
                self.names.insert(at, (name, changed));
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, bool)> {
        self.names.iter().copied()
    }
}
