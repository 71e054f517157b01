//! OpenTelemetry's metrics as samples, named as Prometheus names them: dots become underscores, the unit and `_total` are
//! put at the end, `service.*` of the resource become `job` and `instance`, the rest of it `target_info`.
//!
//! Deltas are summed up by a [`Converter`], which remembers a bounded number of series. Exponential histograms are refused
//! and counted.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, ResourceMetrics, metric::Data,
};
use prost::Message as _;
use thiserror::Error;

use crate::remote_write::Metadata;
use crate::{Labels, Sample};

mod delta;
mod name;
mod points;
mod resource;

use delta::Sums;
use resource::Target;

/// A body that is no export of metrics.
#[derive(Debug, Error)]
pub enum OtlpError {
    /// Not the protobuf message that it should be.
    #[error("the body is not an ExportMetricsServiceRequest in protobuf")]
    Protobuf(#[source] prost::DecodeError),
    /// Not the JSON object that it should be.
    #[error("the body is not an ExportMetricsServiceRequest in JSON")]
    Json(#[source] serde_json::Error),
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

/// What one export came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Converted {
    /// Samples with the labels of their series.
    pub samples: Vec<(Labels, Sample)>,
    /// What the metrics are.
    pub metadata: Vec<Metadata>,
    /// Data points that are not taken.
    pub rejected: usize,
    /// Why the first of them was not.
    pub reason: Option<String>,
}

impl Converted {
    fn reject(&mut self, points: usize, reason: impl FnOnce() -> String) {
        if points > 0 {
            self.rejected += points;
            self.reason.get_or_insert_with(reason);
        }
    }
}

/// Turns exports into samples, and deltas into sums.
#[derive(Debug)]
pub struct Converter {
    sums: Sums,
}

impl Converter {
    /// One that sums up the deltas of at most `most_series` series.
    #[must_use]
    pub fn new(most_series: usize) -> Self {
        Self { sums: Sums::new(most_series) }
    }

    /// Reads an export; a point without a time is of `now_ms`, in milliseconds.
    ///
    /// # Errors
    /// A body that is no export.
    pub fn read(&mut self, encoding: Encoding, body: &[u8], now_ms: i64) -> Result<Converted, OtlpError> {
        let export = match encoding {
            Encoding::Protobuf => ExportMetricsServiceRequest::decode(body).map_err(OtlpError::Protobuf)?,
            Encoding::Json => serde_json::from_slice(body).map_err(OtlpError::Json)?,
        };
        let mut converted = Converted::default();
        for resource in &export.resource_metrics {
            self.resource(resource, now_ms, &mut converted);
        }
        Ok(converted)
    }

    fn resource(&mut self, resource: &ResourceMetrics, now_ms: i64, out: &mut Converted) {
        let attributes = resource.resource.as_ref().map(|it| it.attributes.as_slice()).unwrap_or_default();
        let target = Target::of(attributes);
        let before = out.samples.len();
        for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            self.metric(metric, &target, now_ms, out);
        }
        let newest = out.samples.get(before..).unwrap_or_default().iter().map(|(_, it)| it.at_ms).max();
        if let (Some(at_ms), Some(labels)) = (newest, target.info()) {
            out.samples.push((labels, Sample { at_ms, value: 1.0 }));
        }
    }

    fn metric(&mut self, metric: &Metric, target: &Target, now_ms: i64, out: &mut Converted) {
        let (kind, monotonic, gauge) = match &metric.data {
            Some(Data::Gauge(_)) => ("gauge", false, true),
            Some(Data::Sum(sum)) if sum.is_monotonic => ("counter", true, false),
            Some(Data::Sum(_)) => ("gauge", false, false),
            Some(Data::Histogram(_)) => ("histogram", false, false),
            Some(Data::Summary(_)) => ("summary", false, false),
            Some(Data::ExponentialHistogram(it)) => {
                return out.reject(it.data_points.len(), || {
                    format!("{}: exponential histograms are not taken; use explicit buckets", metric.name)
                });
            }
            None => return,
        };
        let name = name::metric(&metric.name, &metric.unit, monotonic, gauge);
        if name.is_empty() {
            return out.reject(1, || "a metric has no name".to_owned());
        }
        let (help, unit) = (metric.description.clone(), name::unit(&metric.unit));
        out.metadata.push(Metadata { metric: name.clone(), kind, help, unit });
        let mut writer = points::Writer { name: &name, target, now_ms, out, sums: None };
        match &metric.data {
            Some(Data::Gauge(it)) => writer.numbers(&it.data_points),
            Some(Data::Sum(it)) => {
                writer.sums = is_delta(it.aggregation_temporality).then_some(&mut self.sums);
                writer.numbers(&it.data_points);
            }
            Some(Data::Histogram(it)) => {
                writer.sums = is_delta(it.aggregation_temporality).then_some(&mut self.sums);
                writer.histograms(&it.data_points);
            }
            Some(Data::Summary(it)) => writer.summaries(&it.data_points),
            Some(Data::ExponentialHistogram(_)) | None => {}
        }
    }
}

fn is_delta(temporality: i32) -> bool {
    temporality == AggregationTemporality::Delta as i32
}

#[cfg(test)]
mod tests;
