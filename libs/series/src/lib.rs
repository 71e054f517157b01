//! The embedded store of time series: Gorilla chunks in memory, a log, immutable segments, matchers, staleness.
//!
//! Samples are appended by the number of their series and read through [`Source`]. Appending and reading lock one series at
//! a time, so neither waits for the other.

mod append;
mod bits;
mod bytes;
mod chunk;
mod disk;
mod filter;
mod head;
mod log;
mod maintain;
mod matcher;
mod memory;
mod merge;
mod open;
mod options;
mod recovery;
mod segment;
mod series;
mod source;
mod stats;
mod store;

pub use append::{AppendError, Appended, SeriesRef};
pub use matcher::{MatchOp, Matcher, MatcherError};
pub use memory::Memory;
pub use options::Options;
pub use recovery::{Maintained, OpenError, Recovery};
pub use source::{Select, SelectError, Selection, Source, Want};
pub use stats::{Contents, Stats};
pub use store::Store;
