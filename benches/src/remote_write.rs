//! Samples as Prometheus sends them: remote write 1.0.

use prost::Message;

/// One series and its samples.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// Ordered by name, `__name__` among them.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// Oldest first.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
}

/// A label.
#[derive(Clone, PartialEq, Message)]
pub struct Label {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A sample.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Sample {
    /// Its value.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

impl TimeSeries {
    /// One sample of the series that `labels` name.
    pub fn one(labels: &[(&str, &str)], value: f64, timestamp: i64) -> Self {
        let mut labels: Vec<Label> = labels
            .iter()
            .map(|(name, value)| Label { name: (*name).to_owned(), value: (*value).to_owned() })
            .collect();
        labels.sort_by(|one, other| one.name.cmp(&other.name));
        Self { labels, samples: vec![Sample { value, timestamp }] }
    }
}

/// The body of a write.
///
/// # Errors
/// More than Snappy can hold.
pub fn body(timeseries: Vec<TimeSeries>) -> anyhow::Result<Vec<u8>> {
    Ok(snap::raw::Encoder::new().compress_vec(&WriteRequest { timeseries }.encode_to_vec())?)
}
