//! One line to and from JSON.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Body, End, FORMAT, Header, Line, MAX_KEYS, MAX_LINE, Row};
use crate::MAX_SEQ;
use crate::anchor::{Anchor, MAX_PLACE};
use crate::entry::{Entry, MAX_BYTES};
use crate::hash::Hash;

/// A line that is none of an export.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Longer than [`MAX_LINE`].
    #[error("a line takes at most {MAX_LINE} bytes")]
    TooLong,
    /// Not the JSON of a line.
    #[error("not a line of an export")]
    Json(#[from] serde_json::Error),
    /// Parts that do not go together.
    #[error("not a line of an export: {0}")]
    Form(&'static str),
    /// Another format or version.
    #[error("the format is {0:?}, not {FORMAT}")]
    Format(String),
}

/// All that may stand in a line. One struct with optional parts, because serde reads that straight from the text.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<Box<Entry>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    bytes: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaf: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<Anchor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

/// Reads one line, without its newline.
///
/// # Errors
/// When it is none.
pub fn parse(line: &[u8]) -> Result<Line, LineError> {
    if line.len() > MAX_LINE {
        return Err(LineError::TooLong);
    }
    // Once for the line: otherwise each of its texts is checked by itself.
    let line = std::str::from_utf8(line).map_err(|_| LineError::Form("it is not UTF-8"))?;
    match serde_json::from_str(line)? {
        Wire {
            seq: Some(seq),
            leaf: Some(leaf),
            link: Some(link),
            entry,
            bytes,
            checkpoint: None,
            anchor: None,
            header: None,
            end: None,
        } if seq <= MAX_SEQ => Ok(Line::Row(Row { seq, leaf, link, body: body(entry, bytes)? })),
        Wire {
            seq: None,
            leaf: None,
            link: None,
            entry: None,
            bytes: None,
            checkpoint,
            anchor,
            header,
            end,
        } => match (checkpoint, anchor, header, end) {
            (Some(checkpoint), None, None, None) => Ok(Line::Checkpoint(checkpoint)),
            (None, Some(anchor), None, None) if anchor.place.len() <= MAX_PLACE => Ok(Line::Anchor(anchor)),
            (None, None, Some(header), None) if header.format != FORMAT => {
                Err(LineError::Format(header.format.chars().take(64).collect()))
            }
            (None, None, Some(header), None) if header.keys.len() <= MAX_KEYS => Ok(Line::Header(header)),
            (None, None, None, Some(end)) => Ok(Line::End(end)),
            _ => Err(LineError::Form("it is nothing, or several things at once")),
        },
        _ => Err(LineError::Form("an entry has seq, leaf and link, and nothing else has")),
    }
}

fn body(entry: Option<Box<Entry>>, bytes: Option<Cow<'_, str>>) -> Result<Body, LineError> {
    match (entry, bytes) {
        (Some(entry), None) => Ok(Body::Entry(entry)),
        (None, Some(bytes)) => {
            let bytes =
                STANDARD.decode(bytes.as_bytes()).map_err(|_| LineError::Form("its bytes are no base64"))?;
            if bytes.len() > MAX_BYTES {
                return Err(LineError::TooLong);
            }
            Ok(Body::stored(&bytes))
        }
        (None, None) => Ok(Body::Dropped),
        (Some(_), Some(_)) => Err(LineError::Form("it has two bodies")),
    }
}

impl fmt::Display for Line {
    /// The JSON, without a newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = match self.clone() {
            Self::Header(header) => Wire { header: Some(header), ..Wire::default() },
            Self::Row(Row { seq, leaf, link, body }) => {
                let (entry, bytes) = match body {
                    Body::Entry(entry) => (Some(entry), None),
                    Body::Bytes(bytes) => (None, Some(STANDARD.encode(bytes).into())),
                    Body::Dropped => (None, None),
                };
                Wire { seq: Some(seq), leaf: Some(leaf), link: Some(link), entry, bytes, ..Wire::default() }
            }
            Self::Checkpoint(checkpoint) => Wire { checkpoint: Some(checkpoint), ..Wire::default() },
            Self::Anchor(anchor) => Wire { anchor: Some(anchor), ..Wire::default() },
            Self::End(end) => Wire { end: Some(end), ..Wire::default() },
        };
        f.write_str(&serde_json::to_string(&wire).map_err(|_| fmt::Error)?)
    }
}
