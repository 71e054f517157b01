use std::collections::HashMap;

use prost::Message;

use super::messages::{self, v2};
use crate::{Labels, Sample};

/// Packs samples into a request 1.0.
#[must_use]
pub fn encode_v1(samples: &[(Labels, Sample)]) -> Vec<u8> {
    let series = by_series(samples).map(|rows| {
        let labels = rows.first().map(|(labels, _)| labels.iter()).into_iter().flatten();
        let label =
            |(name, value): (&str, &str)| messages::Label { name: name.to_owned(), value: value.to_owned() };
        messages::TimeSeries {
            labels: labels.map(label).collect(),
            samples: rows.iter().map(|(_, it)| message(*it)).collect(),
            exemplars: Vec::new(),
            histograms: Vec::new(),
        }
    });
    pack(&messages::WriteRequest { timeseries: series.collect(), metadata: Vec::new() }.encode_to_vec())
}

/// Packs samples into a request 2.0.
#[must_use]
pub fn encode_v2(samples: &[(Labels, Sample)]) -> Vec<u8> {
    let mut symbols: Vec<&str> = vec![""];
    let mut known: HashMap<&str, u32> = HashMap::from([("", 0)]);
    let mut number = |text| {
        *known.entry(text).or_insert_with(|| {
            symbols.push(text);
            u32::try_from(symbols.len() - 1).unwrap_or_default()
        })
    };
    let mut timeseries = Vec::new();
    for rows in by_series(samples) {
        let mut labels_refs = Vec::new();
        for (name, value) in rows.first().map(|(labels, _)| labels.iter()).into_iter().flatten() {
            labels_refs.push(number(name));
            labels_refs.push(number(value));
        }
        timeseries.push(v2::TimeSeries {
            labels_refs,
            samples: rows.iter().map(|(_, it)| message(*it)).collect(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
            metadata: Some(v2::Metadata::default()),
        });
    }
    let symbols = symbols.into_iter().map(str::to_owned).collect();
    pack(&v2::Request { symbols, timeseries }.encode_to_vec())
}

/// Samples of one series that stand together.
fn by_series(samples: &[(Labels, Sample)]) -> impl Iterator<Item = &[(Labels, Sample)]> {
    samples.chunk_by(|(a, _), (b, _)| a == b)
}

fn message(sample: Sample) -> messages::Sample {
    messages::Sample { value: sample.value, timestamp: sample.at_ms }
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    // It fails for more than 4 GiB only, which no caller has.
    snap::raw::Encoder::new().compress_vec(bytes).unwrap_or_default()
}
