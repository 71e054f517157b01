//! The notation of series in rule tests: `up{job="api"} 1 1 0x4 _ stale 5+10x3`.

mod metric;
mod points;
#[cfg(test)]
mod tests;

use ops_samples::Labels;
use thiserror::Error;

pub use metric::labels;
pub use points::points;

/// Longest text in bytes.
pub const MAX_TEXT: usize = 1 << 20;

/// Most points that one text may stand for.
pub const MAX_POINTS: usize = 1_000_000;

/// What stands at one place of the interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Point {
    /// `_`: nothing was measured.
    Gap,
    /// A number.
    Value(f64),
    /// `stale`: the series ended.
    Stale,
    /// A native histogram, which is not supported: its content was not read.
    Histogram,
}

/// A series and its points, one for each interval.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesLine {
    /// What names the series.
    pub labels: Labels,
    /// What was measured, oldest first.
    pub points: Vec<Point>,
}

/// A text that is not in the notation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct NotationError {
    /// What is wrong, in words.
    pub reason: String,
}

impl NotationError {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Reads a series and its points.
///
/// # Errors
/// What is wrong with the text, or that it is too long.
pub fn series(text: &str) -> Result<SeriesLine, NotationError> {
    let (labels, rest) = metric::split(text)?;
    Ok(SeriesLine { labels, points: points(rest)? })
}
