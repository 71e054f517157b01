#![allow(clippy::unwrap_used)]

use ops_promql::RangeSeries;

use super::*;

fn said(value: f64) -> String {
    let mut out = String::new();
    number(&mut out, value);
    out
}

#[test]
fn numbers_are_written_as_prometheus_writes_them() {
    let cases = [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-42.0, "-42"),
        (0.1, "0.1"),
        (1.5e-6, "0.0000015"),
        (1e-7, "1e-07"),
        (-1.25e-10, "-1.25e-10"),
        (123_456_789_012_345_680.0, "123456789012345680"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (5e-324, "5e-324"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (999_999_999_999_999.0, "999999999999999"),
        (1e15, "1000000000000000"),
    ];
    for (value, text) in cases {
        assert_eq!(said(value), text);
    }
}

#[test]
fn every_number_reads_back_as_itself() {
    for seed in 0..20_000_u64 {
        let value = f64::from_bits(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if value.is_finite() {
            assert_eq!(said(value).parse::<f64>().unwrap().to_bits(), value.to_bits(), "{value:e}");
        }
    }
}

#[test]
fn times_are_seconds_with_three_decimals_or_none() {
    for (at, text) in [(0, "0"), (1_435_781_430_781, "1435781430.781"), (1_100, "1.100"), (-1_005, "-1.005")]
    {
        let mut out = String::new();
        time(&mut out, at);
        assert_eq!(out, text);
    }
}

#[test]
fn an_answer_is_json_whatever_its_labels_hold() {
    let odd = "a\"b\\c\n\u{1}ü\u{7f}\u{2028}";
    let labels = Labels::new([("__name__", "m"), ("odd", odd), (odd, "x")]).unwrap();
    let samples = vec![Sample { at_ms: 1_500, value: f64::NAN }, Sample { at_ms: 2_000, value: 0.25 }];
    let matrix = Value::Matrix(vec![RangeSeries { labels, samples }]);
    let mut out = begin(size(&matrix));
    out.push('{');
    value(&mut out, &matrix, 0);
    out.push('}');
    let out = finish(out, &["w\"".to_owned()], &[]);
    let read: serde_json::Value = serde_json::from_str(&out).unwrap();
    let row = &read["data"]["result"][0];
    assert_eq!(row["metric"]["odd"], odd);
    assert_eq!(row["metric"][odd], "x");
    assert_eq!(row["values"], serde_json::json!([[1.5, "NaN"], [2, "0.25"]]));
    assert_eq!(read["warnings"], serde_json::json!(["w\""]));
    assert!(read.get("infos").is_none());
}
