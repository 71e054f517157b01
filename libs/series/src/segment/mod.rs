//! Segments: files that hold the chunks of a window of time and never change.
//!
//! The chunks stand first, series by series; after them the index (symbols, label sets, where each chunk is), compressed; at
//! the end a footer of fixed length. Index and chunks have checksums.

mod index;
mod read;
mod write;

pub(crate) use read::Segment;
pub(crate) use write::{SegmentSeries, write};

/// At the start and at the end of each file.
const MAGIC: [u8; 8] = *b"OPSSEG1\n";
/// Length of the footer.
const FOOTER: usize = 64;
