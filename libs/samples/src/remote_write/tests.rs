#![allow(clippy::unwrap_used)]

use super::messages::{Label, MetricMetadata, TimeSeries, WriteRequest, v2};
use super::*;
use crate::STALE;

const LIMIT: usize = 1 << 20;

fn rows() -> Vec<(Labels, Sample)> {
    let up = Labels::new([("__name__", "up"), ("job", "a")]).unwrap();
    let other = Labels::new([("__name__", "größe.x"), ("job", "a"), ("le", "+Inf")]).unwrap();
    vec![
        (up.clone(), Sample { at_ms: 1, value: 1.5 }),
        (up, Sample { at_ms: -2, value: f64::INFINITY }),
        (other, Sample { at_ms: i64::MAX, value: STALE }),
    ]
}

fn bits(rows: &[(Labels, Sample)]) -> Vec<(String, i64, u64)> {
    rows.iter().map(|(labels, it)| (labels.to_string(), it.at_ms, it.value.to_bits())).collect()
}

fn packed(message: &impl prost::Message) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(&message.encode_to_vec()).unwrap()
}

#[test]
fn what_is_packed_is_read_back_bit_for_bit() {
    for (version, body) in [(Version::V1, encode_v1(&rows())), (Version::V2, encode_v2(&rows()))] {
        let read = decode(version, &body, LIMIT).unwrap();
        assert_eq!(bits(&read.samples), bits(&rows()), "{version:?}");
        assert_eq!((read.refused, read.histograms, read.metadata.len()), (0, 0, 0));
    }
}

#[test]
fn a_content_type_tells_the_version() {
    assert_eq!(Version::of("application/x-protobuf"), Some(Version::V1));
    assert_eq!(Version::of("application/x-protobuf; proto=prometheus.WriteRequest"), Some(Version::V1));
    assert_eq!(Version::of(CONTENT_TYPE_V2), Some(Version::V2));
    for odd in ["", "application/json", "application/x-protobuf;proto=other"] {
        assert_eq!(Version::of(odd), None, "{odd}");
    }
}

#[test]
fn series_without_a_label_set_are_counted_and_the_others_taken() {
    let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
    let series = |labels: Vec<Label>| TimeSeries {
        labels,
        samples: vec![messages::Sample { value: 1.0, timestamp: 1 }],
        exemplars: vec![Vec::new()],
        histograms: vec![vec![1, 2, 3]],
    };
    let timeseries = vec![
        series(vec![label("job", "a")]),
        series(vec![label("__name__", "up"), label("a", "1"), label("a", "2")]),
        series(vec![label("__name__", "up")]),
        series((0..300).map(|at| label(&format!("l{at}"), "x")).collect()),
    ];
    let metadata =
        vec![MetricMetadata { kind: 1, metric: "m".to_owned(), help: "h".to_owned(), unit: String::new() }];
    let read = decode(Version::V1, &packed(&WriteRequest { timeseries, metadata }), LIMIT).unwrap();
    assert_eq!((read.samples.len(), read.refused, read.histograms, read.exemplars), (1, 3, 4, 4));
    assert!(read.fault.unwrap().contains("no metric name"));
    assert_eq!((read.metadata[0].kind, read.metadata[0].metric.as_str()), ("counter", "m"));
}

#[test]
fn metadata_of_2_0_belongs_to_the_family() {
    let symbols = ["", "__name__", "h_bucket", "h_sum", "what it is", "s"].map(str::to_owned).to_vec();
    let series = |name: u32| v2::TimeSeries {
        labels_refs: vec![1, name],
        metadata: Some(v2::Metadata { kind: 3, help_ref: 4, unit_ref: 5 }),
        ..v2::TimeSeries::default()
    };
    let request = v2::Request { symbols, timeseries: vec![series(2), series(3)] };
    let read = decode(Version::V2, &packed(&request), LIMIT).unwrap();
    let (metric, help, unit) = ("h".to_owned(), "what it is".to_owned(), "s".to_owned());
    assert_eq!(read.metadata, [Metadata { metric, kind: "histogram", help, unit }]);
}

#[test]
fn texts_that_are_not_there_fail_the_request() {
    let one = |labels_refs: Vec<u32>, symbols: &[&str]| {
        let symbols = symbols.iter().map(|it| (*it).to_owned()).collect();
        let timeseries = vec![v2::TimeSeries { labels_refs, ..v2::TimeSeries::default() }];
        decode(Version::V2, &packed(&v2::Request { symbols, timeseries }), LIMIT)
    };
    assert_eq!(one(vec![1, 2], &["", "__name__"]), Err(DecodeError::Symbol(2)));
    assert_eq!(one(vec![1], &["", "__name__"]), Err(DecodeError::Odd));
    assert_eq!(one(vec![0, 0], &["x"]), Err(DecodeError::FirstSymbol));
}

#[test]
fn bombs_are_refused_before_anything_is_allocated() {
    // 4 GiB - 1, as the head of a snappy block says it, and nothing behind it.
    let lie = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
    assert!(matches!(decode(Version::V1, &lie, usize::MAX), Err(DecodeError::Long { .. })));
    let zeros = snap::raw::Encoder::new().compress_vec(&vec![0; LIMIT + 1]).unwrap();
    assert_eq!(decode(Version::V1, &zeros, LIMIT), Err(DecodeError::Long { bytes: LIMIT + 1, limit: LIMIT }));
}

#[test]
fn rubbish_is_no_request_and_never_panics() {
    let mut seed = 7_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    for (version, body) in [(Version::V1, encode_v1(&rows())), (Version::V2, encode_v2(&rows()))] {
        assert!(decode(version, b"", LIMIT).is_err());
        for _ in 0..5_000 {
            let mut body = body.clone();
            body.truncate(random() % (body.len() + 1));
            for _ in 0..random() % 4 {
                let at = random() % body.len().max(1);
                if let Some(byte) = body.get_mut(at) {
                    *byte = u8::try_from(random() % 256).unwrap();
                }
            }
            // The outer layer is broken nearly always, so that the inner one is tried on its own too.
            let _ = decode(version, &body, LIMIT);
            let _ = decode(version, &snap::raw::Encoder::new().compress_vec(&body).unwrap(), LIMIT);
        }
    }
}
