//! Time-series head: Gorilla chunks, write-ahead log, segments, matchers, staleness.

mod matcher;
mod memory;
mod source;

pub use matcher::{MatchOp, Matcher, MatcherError};
pub use memory::Memory;
pub use source::{Select, SelectError, Selection, Source, Want};
