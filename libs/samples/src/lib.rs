//! Samples as they travel: label sets, samples and staleness, and every format in which they arrive or leave.
//!
//! It keeps nothing and opens no connection: agents parse what they scrape with it, the server what is pushed to it.
//! To add a format: one file, which turns bytes into samples or samples into bytes.

pub mod exposition;
pub mod frames;
pub mod otlp;
pub mod relabel;
pub mod remote_write;

mod labels;
mod sample;

pub use labels::{Labels, LabelsBuilder, LabelsError, NAME};
pub use sample::{STALE, Sample, is_stale};
