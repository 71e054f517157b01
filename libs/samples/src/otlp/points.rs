use opentelemetry_proto::tonic::metrics::v1::{
    HistogramDataPoint, NumberDataPoint, SummaryDataPoint, number_data_point::Value,
};

use super::Converted;
use super::delta::Sums;
use super::resource::Target;
use crate::{LabelsBuilder, STALE, Sample};

/// The bit of a point's flags that says that it has no value.
const NO_VALUE: u32 = 1;

/// Writes the points of one metric.
pub(super) struct Writer<'a> {
    pub(super) name: &'a str,
    pub(super) target: &'a Target,
    pub(super) now_ms: i64,
    pub(super) out: &'a mut Converted,
    /// For deltas.
    pub(super) sums: Option<&'a mut Sums>,
}

/// What all samples of a point have in common.
struct Point {
    labels: LabelsBuilder,
    at_ms: i64,
    /// It says that there is no value.
    ended: bool,
}

impl Writer<'_> {
    fn time(&self, nanos: u64) -> i64 {
        if nanos == 0 { self.now_ms } else { i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX) }
    }

    fn push(&mut self, point: &Point, suffix: &str, more: Option<(&str, String)>, value: f64) {
        let labels = match Target::series(&point.labels, (self.name, suffix), more) {
            Ok(labels) => labels,
            Err(fault) => return self.out.reject(1, || fault.to_string()),
        };
        let value = match &mut self.sums {
            _ if point.ended => STALE,
            None => value,
            Some(sums) => match sums.add(&labels, point.at_ms, value) {
                Some(sum) => sum,
                None => {
                    let reason = "a delta is not newer than the last one, or too many series have deltas";
                    return self.out.reject(1, || format!("{}: {reason}", self.name));
                }
            },
        };
        self.out.samples.push((labels, Sample { at_ms: point.at_ms, value }));
    }

    pub(super) fn numbers(&mut self, points: &[NumberDataPoint]) {
        for it in points {
            let ended = it.flags & NO_VALUE != 0;
            let value = match it.value {
                Some(Value::AsDouble(value)) => value,
                Some(Value::AsInt(value)) => value as f64,
                None if ended => STALE,
                None => {
                    self.out.reject(1, || format!("{}: a point has no value", self.name));
                    continue;
                }
            };
            let point = Point {
                labels: self.target.labels(&it.attributes),
                at_ms: self.time(it.time_unix_nano),
                ended,
            };
            self.push(&point, "", None, value);
        }
    }

    pub(super) fn histograms(&mut self, points: &[HistogramDataPoint]) {
        for it in points {
            let counts = it.bucket_counts.len();
            if counts > 0 && counts != it.explicit_bounds.len() + 1 {
                self.out
                    .reject(1, || format!("{}: a histogram has not one bucket more than bounds", self.name));
                continue;
            }
            let point = Point {
                labels: self.target.labels(&it.attributes),
                at_ms: self.time(it.time_unix_nano),
                ended: it.flags & NO_VALUE != 0,
            };
            if let Some(sum) = it.sum {
                self.push(&point, "_sum", None, sum);
            }
            self.push(&point, "_count", None, it.count as f64);
            let mut below = 0_u64;
            for (bound, count) in it.explicit_bounds.iter().zip(&it.bucket_counts) {
                below = below.saturating_add(*count);
                self.push(&point, "_bucket", Some(("le", number(*bound))), below as f64);
            }
            self.push(&point, "_bucket", Some(("le", "+Inf".to_owned())), it.count as f64);
        }
    }

    pub(super) fn summaries(&mut self, points: &[SummaryDataPoint]) {
        for it in points {
            let point = Point {
                labels: self.target.labels(&it.attributes),
                at_ms: self.time(it.time_unix_nano),
                ended: it.flags & NO_VALUE != 0,
            };
            self.push(&point, "_sum", None, it.sum);
            self.push(&point, "_count", None, it.count as f64);
            for quantile in &it.quantile_values {
                self.push(&point, "", Some(("quantile", number(quantile.quantile))), quantile.value);
            }
        }
    }
}

/// A bound as a label says it.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}
