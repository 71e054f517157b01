use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What was found when a store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Series that the log defined.
    pub series: usize,
    /// Samples that the log held and no segment has.
    pub samples: usize,
    /// Segments that were opened.
    pub segments: usize,
    /// Bytes of the log that made no sense and were left out.
    pub lost_bytes: usize,
    /// Samples that were left out because their series was lost.
    pub lost_samples: usize,
    /// What was damaged, in words.
    pub damage: Vec<String>,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} samples of {} series from the log, {} segments",
            self.samples, self.series, self.segments
        )?;
        if !self.damage.is_empty() {
            write!(f, "; damaged: {}", self.damage.join("; "))?;
        }
        Ok(())
    }
}

/// Why a store cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{0} is in use by another process")]
    Locked(PathBuf),
    /// The folder cannot be used.
    #[error("cannot use {folder}")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What [`crate::Store::maintain`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Segments that were written.
    pub written: usize,
    /// Segments that were removed because they are too old or there are too many bytes.
    pub removed: usize,
    /// Series that were forgotten because they got no samples any more.
    pub forgotten: usize,
}
