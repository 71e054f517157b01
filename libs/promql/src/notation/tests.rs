#![allow(clippy::unwrap_used)]

use super::*;
use Point::{Gap, Histogram, Stale, Value};

#[test]
fn a_line_is_a_series_and_its_points() {
    let line = series(r#"up{job="a\"b", 'instance'=`c`} 1 2.5 _ 3x1 stale 0+10x2"#).unwrap();
    assert_eq!(line.labels.to_string(), r#"up{instance="c", job="a\"b"}"#);
    let numbers = [1.0, 2.5].map(Value);
    let mut wanted = numbers.to_vec();
    wanted.extend([Gap, Value(3.0), Value(3.0), Stale, Value(0.0), Value(10.0), Value(20.0)]);
    assert_eq!(line.points, wanted);
}

#[test]
fn label_sets_are_read_in_all_their_forms() {
    for (text, wanted) in [
        ("up", "up"),
        ("{}", "{}"),
        ("a:b{}", "a:b"),
        (r#"{__name__="up", job="x",}"#, r#"up{job="x"}"#),
        (r#"{"my.metric", "a.b"="1"}"#, r#"{"my.metric", "a.b"="1"}"#),
        (r#"m{a="\u00e4\n"}"#, "m{a=\"ä\\n\"}"),
    ] {
        assert_eq!(labels(text).unwrap().to_string(), wanted, "{text}");
    }
    for wrong in [
        "",
        "1up",
        "up{",
        "up{job}",
        "up{job=1}",
        "up{job=\"x}",
        r#"up{a="\q"}"#,
        "up} ",
        r#"up{a="1" b="2"}"#,
    ] {
        assert!(labels(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn points_repeat_and_grow() {
    assert_eq!(
        points("-1-2x2 _x2 1e-1").unwrap(),
        [Value(-1.0), Value(-3.0), Value(-5.0), Gap, Gap, Value(0.1)]
    );
    assert_eq!(
        points("-Inf +Inf Infx0 0x1f").unwrap(),
        [f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY, 31.0].map(Value)
    );
    assert!(matches!(points("NaN").unwrap().as_slice(), [Value(value)] if value.is_nan()));
    assert_eq!(points("{{schema:0 sum:1}}x1 {{sum:1}}+{{sum:2 count:1}}x2 1").unwrap().len(), 6);
    assert_eq!(points("{{schema:0 sum:1}}").unwrap(), [Histogram]);
    assert_eq!(points("0x3").unwrap(), [0.0; 4].map(Value));
    assert_eq!(points(" \t ").unwrap(), []);
    for wrong in ["a", "1x", "1+x3", "1x-1", "{{", "--1", "1x99999999999999999999", "_y", "stalex", "1+1"] {
        assert!(points(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_short_text_cannot_ask_for_much_memory() {
    assert!(points("1x999999").unwrap().len() == MAX_POINTS);
    assert!(points("1x999999 1").is_err());
    assert!(points(&"1 ".repeat(MAX_TEXT)).is_err());
    assert!(series(&"a".repeat(MAX_TEXT + 1)).is_err());
}

#[test]
fn rubbish_is_an_error_and_no_panic() {
    let alphabet: Vec<char> = r#"ab_{}"'`\x0123+-=,. {}eNäuInf:"#.chars().collect();
    let mut state = 7_u64;
    for _ in 0..50_000 {
        let mut text = String::new();
        for _ in 0..24 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push(alphabet[(state >> 33) as usize % alphabet.len()]);
        }
        if let Ok(line) = series(&text) {
            assert!(line.points.len() <= MAX_POINTS);
        }
    }
}
