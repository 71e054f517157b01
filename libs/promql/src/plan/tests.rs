#![allow(clippy::unwrap_used)]

use super::*;

fn refused(text: &str) -> String {
    parse(text).unwrap_err().reason
}

#[test]
fn what_is_too_deep_or_too_long_is_refused_in_words() {
    assert!(refused(&"(".repeat(100_000)).contains("65536 are allowed"));
    assert!(refused(&"(".repeat(60_000)).contains("brackets open"));
    assert!(refused(&format!("{}1{}", "(".repeat(200), ")".repeat(200))).contains("brackets open"));
    assert!(refused(&format!("{}up", "-".repeat(60_000))).contains("operators"));
    assert!(refused(&format!("{}up", "-".repeat(900))).contains("nested"));
    assert!(refused(&format!("1{}", "^1".repeat(900))).contains("nested"));
    assert!(refused(&format!("{}1", "sum(".repeat(4_000))).contains("brackets open"));
    assert!(parse(&format!("1{}", "+1".repeat(900))).is_ok());
    assert!(parse(&format!("{}1{}", "(".repeat(100), ")".repeat(100))).is_ok());
}

#[test]
fn durations_that_are_none_are_refused() {
    for text in [
        "up[Inf]",
        "up[NaN]",
        "up[-1]",
        "up[1e300]",
        "up[0]",
        "up[5m:0]",
        "up offset 1e300",
        "up[999999y]",
        "up @ 1e300",
    ] {
        parse(text).unwrap_err();
    }
}

#[test]
fn what_is_not_promql_is_refused() {
    assert!(refused(r#"{a="1" or b="2"}"#).contains("is not PromQL"));
    assert!(refused("sum(rate(up[5m])").contains("'(' is not closed"));
    assert!(refused("sum(up))").contains("no '(' is open"));
    assert!(refused("sum(up]").contains("no '[' is open"));
    assert!(refused("up up").contains("not PromQL"));
    assert!(refused("info(up)").contains("info() is not supported"));
    assert!(refused(r#"{a=~"x*"}"#).contains("non-empty"));
    for text in [
        "",
        "up{",
        "up up",
        "sum(",
        "rate(up)",
        "up[5m] + 1",
        r#"up{a=~"("}"#,
        "foo(up)",
        "-up[5m]",
        r#"-"a""#,
    ] {
        parse(text).unwrap_err();
    }
}

#[test]
fn it_is_known_what_an_expression_reads() {
    let of = |text: &str| reads(&parse(text).unwrap());
    let it = of(r#"sum(rate(a[5m] offset 1m)) / on() b{x="1"} > 3"#);
    assert_eq!(it.names.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b"]);
    assert!(it.depends_on_time && !it.any_name);
    let ranges: Vec<_> = it.selectors.iter().map(|it| (it.range_ms, it.offset_ms, it.in_absent)).collect();
    assert_eq!(ranges, [(Some(300_000), 60_000, false), (None, 0, false)]);
    assert!(!of("a > 1").depends_on_time);
    assert!(
        of("a offset 5m").depends_on_time
            && of("time() - a").depends_on_time
            && of("hour() > 5").depends_on_time
    );
    assert!(!of("hour(a) > 5").depends_on_time && !of("rate(a[5m] @ 10)").depends_on_time);
    let absent = of(r#"absent({__name__=~"a|b"})"#);
    assert!(absent.depends_on_time && !absent.any_name && absent.names.len() == 2);
    assert!(absent.selectors.iter().all(|it| it.in_absent));
    assert!(of(r#"{__name__=~"a.*"}"#).any_name && of(r#"{job="x"}"#).any_name);
    assert_eq!(of("max_over_time(a[5m:1m] offset 1m)").selectors[0].range_ms, Some(300_000));
}

#[test]
fn escaped_bytes_are_characters() {
    let text = |text: &str| match parse(text).unwrap() {
        Expr::Text(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(text(r#""\xc3\xa4\303\244\x41\\x""#), "ääA\\x");
    assert_eq!(text(r"`\xc3`"), r"\xc3");
    assert_eq!(quoted(&text(r#""a\xc5z""#)), r#""a\xc5z""#);
    assert!(names_label("ä b") && !names_label("") && !names_label(&text(r#""\xff""#)));
}

#[test]
fn braces_that_do_not_repeat_stand_for_themselves() {
    assert_eq!(literal_braces(r"a{2}b{x}\{{1,2}{,3}{"), r"a{2}b\{x}\{{1,2}\{,3}\{");
    let Expr::Selector(series) = parse(r#"up{path=~"/users/{id}/x{2}"}"#).unwrap() else { panic!() };
    assert!(series.matchers.iter().any(|it| it.matches("/users/{id}/xx")));
}

#[test]
fn rubbish_is_refused_without_a_panic() {
    let words = [
        "up",
        "sum",
        "rate",
        "by",
        "(",
        ")",
        "[5m]",
        "[1h:5m]",
        "{",
        "}",
        "a=\"b\"",
        "=~",
        "\"x\"",
        "+",
        "-",
        "^",
        "==",
        "bool",
        "on(a)",
        "group_left",
        "offset",
        "5m",
        "@",
        "1",
        "Inf",
        "NaN",
        "start()",
        ",",
        "0x1f",
        "1e9",
        "'",
        "`",
        "\\",
        "#",
        "ä",
        "\0",
        "and",
        "or",
        "unless",
        "topk",
        "label_replace",
        "[",
        "]",
        ":",
        "absent",
        "%",
        "/",
        "<",
        "1y2w",
        "..",
        "!",
        "without",
    ];
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(words[(state >> 33) as usize % words.len()]);
            if state >> 62 == 0 {
                text.push(' ');
            }
        }
        if let Ok(expr) = parse(&text) {
            let _ = (expr.kind(), expr.is_fixed(), reads(&expr));
        }
    }
}
