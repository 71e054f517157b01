#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::is_stale;

fn read(converter: &mut Converter, metrics: Value) -> Converted {
    let resource = json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": "api"}},
        {"key": "service.namespace", "value": {"stringValue": "shop"}},
        {"key": "service.instance.id", "value": {"stringValue": "1"}},
        {"key": "host.name", "value": {"stringValue": "h"}},
    ]});
    let export = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]});
    converter.read(Encoding::Json, export.to_string().as_bytes(), 5_000).unwrap()
}

fn said(converted: &Converted) -> Vec<String> {
    converted.samples.iter().map(|(labels, it)| format!("{labels} {}@{}", it.value, it.at_ms)).collect()
}

#[test]
fn names_get_units_and_total() {
    let cases = [
        ("http.server.duration", "ms", false, false, "http_server_duration_milliseconds"),
        ("system.io", "By", true, false, "system_io_bytes_total"),
        ("requests_total", "{request}", true, false, "requests_total"),
        ("total.requests", "1", true, false, "requests_total"),
        ("cpu.utilization", "1", false, true, "cpu_utilization_ratio"),
        ("speed", "m/s", false, true, "speed_meters_per_second"),
        ("memory_bytes", "By", false, true, "memory_bytes"),
        ("2xx", "", false, true, "_2xx"),
        ("a..b", "", false, true, "a_b"),
        ("job:rate", "", false, true, "job:rate"),
    ];
    for (name, unit, counter, gauge, expected) in cases {
        assert_eq!(name::metric(name, unit, counter, gauge), expected);
    }
    for (name, expected) in [("http.code", "http_code"), ("1st", "key_1st"), ("_x", "key_x"), ("__x", "__x")]
    {
        assert_eq!(name::label(name), expected);
    }
}

#[test]
fn gauges_and_sums_are_samples_with_job_and_instance() {
    let point = |value: Value| {
        json!({"timeUnixNano": "7000000", "attributes": [
        {"key": "a.b", "value": {"intValue": "3"}}], "asDouble": value})
    };
    let mut converter = Converter::new(10);
    let converted = read(
        &mut converter,
        json!([
            {"name": "temp", "unit": "Cel", "description": "how warm", "gauge": {"dataPoints": [point(json!(1.5))]}},
            {"name": "hits", "sum": {"aggregationTemporality": 2, "isMonotonic": true,
                "dataPoints": [{"timeUnixNano": "0", "asInt": "4"}]}},
            {"name": "gone", "gauge": {"dataPoints": [{"timeUnixNano": "7000000", "flags": 1}]}},
        ]),
    );
    assert_eq!(
        said(&converted)[..2],
        [
            r#"temp_celsius{a_b="3", instance="1", job="shop/api"} 1.5@7"#.to_owned(),
            r#"hits_total{instance="1", job="shop/api"} 4@5000"#.to_owned(),
        ]
    );
    assert!(is_stale(converted.samples[2].1.value));
    let info = &converted.samples[3];
    assert_eq!((info.0.metric(), info.0.get("host_name"), info.1.at_ms), ("target_info", Some("h"), 5_000));
    assert_eq!((converted.metadata[0].kind, converted.metadata[0].unit.as_str()), ("gauge", "celsius"));
}

#[test]
fn histograms_are_cumulative_buckets_and_deltas_are_summed_up() {
    let histogram = |at: &str| {
        json!([{"name": "took", "unit": "s", "histogram": {"aggregationTemporality": 1, "dataPoints": [
            {"timeUnixNano": at, "count": "3", "sum": 1.5, "bucketCounts": ["1", "2", "0"], "explicitBounds": [0.1, 1.0]}
        ]}}])
    };
    let mut converter = Converter::new(100);
    let values = |converted: &Converted| -> Vec<f64> {
        converted.samples.iter().filter(|it| it.0.metric() != "target_info").map(|it| it.1.value).collect()
    };
    assert_eq!(values(&read(&mut converter, histogram("1000000"))), [1.5, 3.0, 1.0, 3.0, 3.0]);
    let second = read(&mut converter, histogram("2000000"));
    assert_eq!(values(&second), [3.0, 6.0, 2.0, 6.0, 6.0]);
    let les: Vec<_> = second.samples.iter().filter_map(|it| it.0.get("le")).collect();
    assert_eq!(les, ["0.1", "1", "+Inf"]);
    let again = read(&mut converter, histogram("2000000"));
    assert_eq!((values(&again).len(), again.rejected), (0, 5));
}

#[test]
fn summaries_have_quantiles_and_exponential_histograms_are_refused() {
    let converted = read(
        &mut Converter::new(1),
        json!([
            {"name": "s", "summary": {"dataPoints": [{"timeUnixNano": "1000000", "count": "2", "sum": 3.0,
                "quantileValues": [{"quantile": 0.5, "value": 1.0}]}]}},
            {"name": "e", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [
                {"timeUnixNano": "1", "count": "1", "scale": 0, "zeroCount": "0"}]}},
            {"name": "odd", "histogram": {"aggregationTemporality": 2, "dataPoints": [
                {"timeUnixNano": "1", "count": "1", "bucketCounts": ["1"], "explicitBounds": [1.0, 2.0]}]}},
        ]),
    );
    assert_eq!(converted.samples.iter().filter(|it| it.0.get("quantile") == Some("0.5")).count(), 1);
    assert_eq!(converted.rejected, 2);
    assert!(converted.reason.unwrap().contains("exponential"));
}

#[test]
fn sums_of_deltas_are_bounded() {
    let mut sums = Sums::new(1);
    let labels = |value: &str| Labels::new([("a", value)]).unwrap();
    assert_eq!(sums.add(&labels("1"), 1, 2.0), Some(2.0));
    assert_eq!(sums.add(&labels("2"), 2, 2.0), None);
    assert_eq!(sums.add(&labels("1"), 3, 2.0), Some(4.0));
    // What was idle for an hour makes room.
    assert_eq!(sums.add(&labels("2"), 3_600_003, 1.0), Some(1.0));
    assert_eq!(sums.add(&labels("1"), 3_600_004, 1.0), None);
}

#[test]
fn rubbish_is_no_export_and_never_panics() {
    let mut converter = Converter::new(1);
    assert!(converter.read(Encoding::Json, b"{", 0).is_err());
    assert!(converter.read(Encoding::Protobuf, b"\xff\xff", 0).is_err());
    let mut seed = 1_u64;
    for length in 0..3_000_usize {
        let body: Vec<u8> = (0..length % 60)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                u8::try_from(seed >> 56).unwrap()
            })
            .collect();
        let _ = converter.read(Encoding::Protobuf, &body, 0);
        let _ = converter.read(Encoding::Json, &body, 0);
    }
}
