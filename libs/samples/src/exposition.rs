//! The text in which programs tell their metrics: Prometheus' text format 0.0.4 and OpenMetrics 1.0, with the quoted
//! UTF-8 names of Prometheus 3.
//!
//! A scrape tells nearly the same series each time in the same order. So the parser hands out a series as the text that it
//! is, and takes the text that is expected next: where they are equal, neither labels nor quotation marks are looked at
//! ([`Parser::next_expecting`], [`Cache`]). Only the text of a new series is read for its labels ([`Series::pairs`]).
//!
//! One bad line fails the whole answer, as it does in Prometheus.

use thiserror::Error;

mod cache;
mod line;
mod number;
mod series;

pub use cache::{Cache, Found};
pub use line::{Entry, Parser, Series};
pub use series::Pairs;

/// Which of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4: times in milliseconds, comments anywhere.
    Text,
    /// OpenMetrics 1.0: times in seconds, exemplars, units, and `# EOF` at the end.
    OpenMetrics,
}

impl Format {
    /// What a scrape says it understands, best first.
    pub const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
        application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
        text/plain;version=0.0.4;q=0.3,*/*;q=0.1";

    /// The format of an answer with this `Content-Type`; what is not OpenMetrics is read as text.
    #[must_use]
    pub fn of(content_type: Option<&str>) -> Self {
        let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }
}

/// A line that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Reason {
    /// No name where one must be.
    #[error("it does not begin with the name of a metric")]
    Name,
    /// Labels without a metric's name.
    #[error("the series has no name")]
    Nameless,
    /// Two names for one series.
    #[error("the series has two names")]
    TwoNames,
    /// The labels do not end.
    #[error("the labels do not end: a quotation mark or }} is missing")]
    Open,
    /// Something else than `label="value"`.
    #[error("the labels are not pairs such as name=\"value\", with commas between them")]
    Pair,
    /// The same label twice.
    #[error("label {0:?} is given twice")]
    Twice(String),
    /// Bytes that are no text.
    #[error("{0} is not UTF-8")]
    Text(&'static str),
    /// No number where one must be.
    #[error("{0:?} is not a number")]
    Number(String),
    /// No time where one must be.
    #[error("{0:?} is not a time in {1}")]
    Time(String, &'static str),
    /// More after the end of a line.
    #[error("nothing may follow here, but {0:?} does")]
    Rest(String),
    /// A comment line of HELP, TYPE or UNIT without its parts.
    #[error("{0} has no metric's name, or nothing after it")]
    Comment(&'static str),
    /// A type that does not exist.
    #[error("{0:?} is not the type of a metric")]
    Type(String),
    /// OpenMetrics: the name must end in the unit.
    #[error("the unit {0:?} is not the end of the metric's name")]
    Unit(String),
    /// OpenMetrics: an empty or unknown comment line.
    #[error("OpenMetrics has no empty lines and no comments but HELP, TYPE, UNIT and EOF")]
    Foreign,
    /// OpenMetrics: the end is missing.
    #[error("the answer does not end with # EOF: it was cut off")]
    Eof,
    /// OpenMetrics: more after the end.
    #[error("more follows after # EOF")]
    AfterEof,
}

/// The start of what is wrong, for people.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..60).unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests;
