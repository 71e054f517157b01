//! How an agent tells the server samples: label sets once, numbers from then on.
//!
//! A frame is a header (`IDSF`, version, flags, session) and records until its end. A series is defined once in a
//! session and gets a number that no other series of the session gets; samples name the number only. A server that does
//! not know the session, or a number, says so, and the agent defines everything again ([`Encoder::everything`]).
//!
//! Integers are LEB128, signed ones zigzag. Each sample begins with a byte: in its upper half the distance from the
//! number before (0: told after it), in its lower half how the value is written and whether a time follows.

use thiserror::Error;

use crate::LabelsError;

mod bytes;
mod decoder;
mod definitions;
mod encoder;

pub use decoder::{Decoder, Item};
pub use encoder::Encoder;

/// Media type of a frame.
pub const CONTENT_TYPE: &str = "application/vnd.insightdesk.samples";

/// Longest frame in bytes.
pub const MAX_FRAME: usize = 16 << 20;

/// Most numbers that a session may give away; the agent begins another one long before.
pub const MAX_SERIES: u32 = 4_000_000;

/// Most labels of a series.
const MAX_PAIRS: u64 = 256;

const MAGIC: [u8; 4] = *b"IDSF";
const VERSION: u8 = 1;
/// The session begins with this frame: what was defined under its name before is void.
const BEGINS: u8 = 1;

const DEFINE: u8 = 1;
const SAMPLES: u8 = 2;
const METADATA: u8 = 3;
const FORGET: u8 = 4;

/// Lower half of a sample's first byte: how the value is written.
const VALUE: u8 = 0b0111;
const RAW: u8 = 0;
const INTEGER: u8 = 1;
const ENDED: u8 = 2;
const SINGLE: u8 = 3;
const THOUSANDTHS: u8 = 4;
/// And whether its time follows, as distance from the batch's.
const TIMED: u8 = 0b1000;

/// What a metric is; the type is written as in the text format (`counter`, `gauge`, …).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The metric family's name.
    pub metric: &'a str,
    /// `counter`, `gauge`, `histogram`, `summary`, `untyped`, …; empty when not told.
    pub kind: &'a str,
    /// What it means.
    pub help: &'a str,
    /// Its unit, such as `seconds`; empty when not told.
    pub unit: &'a str,
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Longer than a frame may be.
    #[error("the frame has {0} bytes; at most {MAX_FRAME} are taken")]
    Long(usize),
    /// It does not begin as a frame does.
    #[error("this is no frame of samples")]
    Magic,
    /// Of another version of the program.
    #[error("the frame has version {0}; this program reads version {VERSION}: update the older of the two")]
    Version(u8),
    /// It ends within a record.
    #[error("the frame ends within {0}")]
    Short(&'static str),
    /// A record that does not exist.
    #[error("the frame has a record of the unknown kind {0}")]
    Record(u8),
    /// A sample whose value is written in a way that does not exist.
    #[error("a sample's value is written in the unknown way {0}")]
    Value(u8),
    /// An integer that is too long or too large.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// A text that is not UTF-8.
    #[error("{0} is not UTF-8")]
    Text(&'static str),
    /// A definition that is no label set.
    #[error("series {number}: {source}")]
    Labels {
        /// The series' number.
        number: u32,
        /// What is wrong.
        source: LabelsError,
    },
}

#[cfg(test)]
mod tests;
