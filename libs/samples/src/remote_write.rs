//! Prometheus remote write: requests 1.0 (`prometheus.WriteRequest`) and 2.0 (`io.prometheus.write.v2.Request`), as they
//! are pushed here and as they are sent on.
//!
//! A request is a snappy block; how long it is when it is unpacked stands at its start and is held against a limit before
//! anything is allocated for it. Native histograms and exemplars are counted and left out.

use prost::Message as _;
use thiserror::Error;

use crate::{Labels, LabelsError, Sample};

mod encode;
mod messages;
mod v1;
mod v2;

pub use encode::{encode_v1, encode_v2};

/// `Content-Type` of a request 1.0.
pub const CONTENT_TYPE_V1: &str = "application/x-protobuf";

/// `Content-Type` of a request 2.0.
pub const CONTENT_TYPE_V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

/// Most labels of a series.
const MAX_PAIRS: usize = 256;

/// Which of the two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`
    V1,
    /// `io.prometheus.write.v2.Request`
    V2,
}

impl Version {
    /// The protocol of a request with this `Content-Type`; `None` when it is neither.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("application/x-protobuf") {
            return None;
        }
        match parts.find_map(|it| it.strip_prefix("proto=")) {
            None | Some("prometheus.WriteRequest") => Some(Self::V1),
            Some("io.prometheus.write.v2.Request") => Some(Self::V2),
            Some(_) => None,
        }
    }
}

/// What a metric is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The metric family's name.
    pub metric: String,
    /// `counter`, `gauge`, `histogram`, `summary`, …; empty when not told.
    pub kind: &'static str,
    /// What it means.
    pub help: String,
    /// Its unit; empty when not told.
    pub unit: String,
}

/// What a request holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Samples with the labels of their series; those of one series stand together and share their labels.
    pub samples: Vec<(Labels, Sample)>,
    /// What metrics are.
    pub metadata: Vec<Metadata>,
    /// Samples that are native histograms, which are not kept.
    pub histograms: usize,
    /// Exemplars, which are not kept.
    pub exemplars: usize,
    /// Series that were left out because their labels are no label set, and what was wrong with the first one.
    pub refused: usize,
    /// What was wrong with the first one.
    pub fault: Option<String>,
}

impl Request {
    fn refuse(&mut self, samples: usize, fault: impl ToString) {
        self.refused += samples.max(1);
        self.fault.get_or_insert_with(|| fault.to_string());
    }

    /// Adds a series, or counts its samples as refused.
    fn series<'a>(
        &mut self,
        pairs: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
        samples: impl ExactSizeIterator<Item = Sample>,
    ) -> Option<Labels> {
        match labels(pairs) {
            Ok(labels) => {
                self.samples.extend(samples.map(|sample| (labels.clone(), sample)));
                Some(labels)
            }
            Err(fault) => {
                self.refuse(samples.len(), fault);
                None
            }
        }
    }
}

/// Why a series is left out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum SeriesFault {
    #[error("a series has {0} labels; at most {MAX_PAIRS} are taken")]
    Many(usize),
    #[error("series {0} has no metric name")]
    Nameless(String),
    #[error(transparent)]
    Labels(#[from] LabelsError),
}

fn labels<'a>(pairs: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> Result<Labels, SeriesFault> {
    if pairs.len() > MAX_PAIRS {
        return Err(SeriesFault::Many(pairs.len()));
    }
    let labels = Labels::new(pairs)?;
    if labels.metric().is_empty() {
        return Err(SeriesFault::Nameless(labels.to_string().chars().take(200).collect()));
    }
    Ok(labels)
}

/// Why bytes are not a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Not a snappy block.
    #[error("the body is not a snappy block")]
    Snappy,
    /// Longer than is taken.
    #[error(
        "the body has {bytes} bytes when it is unpacked; at most {limit} are taken: send smaller requests"
    )]
    Long {
        /// Bytes as it says itself.
        bytes: usize,
        /// Most bytes that are taken.
        limit: usize,
    },
    /// Not the protobuf message that it should be.
    #[error("the body is not a write request: {0}")]
    Protobuf(String),
    /// A reference beyond the texts of the request.
    #[error("a series names text {0}, which the request does not have")]
    Symbol(u32),
    /// A name without a value.
    #[error("a series has a label without a value")]
    Odd,
    /// The texts of a 2.0 request must begin with the empty one.
    #[error("the first text of the request is not empty")]
    FirstSymbol,
}

/// Reads a request of at most `limit` bytes when it is unpacked.
///
/// # Errors
/// Bytes that are no request, or one that is too long.
pub fn decode(version: Version, body: &[u8], limit: usize) -> Result<Request, DecodeError> {
    let bytes = unpack(body, limit)?;
    match version {
        Version::V1 => v1::read(messages::WriteRequest::decode(bytes.as_slice()).map_err(protobuf)?),
        Version::V2 => v2::read(messages::v2::Request::decode(bytes.as_slice()).map_err(protobuf)?),
    }
}

fn protobuf(error: prost::DecodeError) -> DecodeError {
    DecodeError::Protobuf(error.to_string())
}

fn unpack(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let bytes = snap::raw::decompress_len(body).map_err(|_| DecodeError::Snappy)?;
    // Snappy packs at most about 1 : 21; what says more lies, and would have us allocate for nothing.
    if bytes > limit || bytes > body.len().saturating_mul(64) {
        return Err(DecodeError::Long { bytes, limit });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(|_| DecodeError::Snappy)
}

#[cfg(test)]
mod tests;
