use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// One line that a program wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// When the shim read it.
    pub at: Timestamp,
    /// Where it was written.
    pub stream: LogStream,
    /// The line without its end, redacted, at most 16 KiB, invalid UTF-8 replaced.
    pub text: String,
}

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Lines on their way from an agent to a reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LogChunk {
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Whether nothing follows.
    pub end: bool,
    /// Why there is nothing to read, in words.
    pub error: Option<String>,
}
