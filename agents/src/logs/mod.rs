//! The logs that the shims write: read backwards for evidence, followed for readers. Nothing here writes them.

mod line;
mod serve;
mod tail;

pub(crate) use serve::begin;
pub(crate) use tail::last_lines;
