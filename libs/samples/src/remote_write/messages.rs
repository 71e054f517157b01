//! The messages as they travel, with the fields that are read or written here. Fields that are only counted hold bytes.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    pub(super) metadata: Vec<MetricMetadata>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(super) exemplars: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(super) histograms: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricMetadata {
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(string, tag = "2")]
    pub(super) metric: String,
    #[prost(string, tag = "4")]
    pub(super) help: String,
    #[prost(string, tag = "5")]
    pub(super) unit: String,
}

pub(super) mod v2 {
    use prost::Message;

    use super::Sample;

    #[derive(Clone, PartialEq, Message)]
    pub(in super::super) struct Request {
        #[prost(string, repeated, tag = "4")]
        pub(in super::super) symbols: Vec<String>,
        #[prost(message, repeated, tag = "5")]
        pub(in super::super) timeseries: Vec<TimeSeries>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(in super::super) struct TimeSeries {
        #[prost(uint32, repeated, tag = "1")]
        pub(in super::super) labels_refs: Vec<u32>,
        #[prost(message, repeated, tag = "2")]
        pub(in super::super) samples: Vec<Sample>,
        #[prost(bytes = "vec", repeated, tag = "3")]
        pub(in super::super) histograms: Vec<Vec<u8>>,
        #[prost(bytes = "vec", repeated, tag = "4")]
        pub(in super::super) exemplars: Vec<Vec<u8>>,
        #[prost(message, optional, tag = "5")]
        pub(in super::super) metadata: Option<Metadata>,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub(in super::super) struct Metadata {
        #[prost(int32, tag = "1")]
        pub(in super::super) kind: i32,
        #[prost(uint32, tag = "3")]
        pub(in super::super) help_ref: u32,
        #[prost(uint32, tag = "4")]
        pub(in super::super) unit_ref: u32,
    }
}

/// The types of metrics by their number, the same in both protocols.
const KINDS: [&str; 8] =
    ["", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"];

pub(super) fn kind(number: i32) -> &'static str {
    usize::try_from(number).ok().and_then(|at| KINDS.get(at)).copied().unwrap_or_default()
}
