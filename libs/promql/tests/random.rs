//! Random expressions on random data: whatever they are, there is an answer or an error.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use ops_promql::{EvalError, Limits, Query};
use ops_samples::{Labels, STALE, Sample};
use ops_series::Memory;

struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn of(&mut self, words: &[&str]) -> String {
        words[self.below(words.len())].to_owned()
    }
}

fn data(random: &mut Random) -> Memory {
    let mut memory = Memory::default();
    let values = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        5.5,
        1e300,
        -1e300,
        5e-324,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        STALE,
        -STALE,
    ];
    for name in ["a", "b_total", "h_bucket"] {
        for job in ["x", "y"] {
            for le in ["0.1", "1", "+Inf", "wrong", ""] {
                let labels = Labels::new([("__name__", name), ("job", job), ("le", le)]).unwrap();
                for step in 0..random.below(30) {
                    let value = values[random.below(values.len())];
                    memory.push(&labels, Sample { at_ms: step as i64 * 15_000 - 100_000, value });
                }
            }
        }
    }
    memory
}

fn scalar(random: &mut Random) -> String {
    random.of(&[
        "0",
        "1",
        "-1",
        "0.5",
        "1e10",
        "NaN",
        "Inf",
        "-Inf",
        "time()",
        "scalar(a)",
        "pi()",
        "start()",
        "step()",
        "1 == bool 1",
    ])
}

fn selector(random: &mut Random) -> String {
    random.of(&["a", "b_total", "h_bucket", "{job=\"x\"}", "{__name__=~\".+\"}", "a{le!=\"\"}", "none"])
}

fn range(random: &mut Random, depth: usize) -> String {
    let modifier =
        random.of(&["", " offset 1m", " offset -2m", " @ 100", " @ start()", " @ end() offset 1m", " @ -1"]);
    let range = random.of(&["1s", "30s", "1m", "5m", "1d"]);
    if depth > 0 && random.below(3) == 0 {
        let step = random.of(&["", "7s", "1m", "1h"]);
        return format!("({})[{range}:{step}]{modifier}", vector(random, depth - 1));
    }
    format!("{}[{range}]{modifier}", selector(random))
}

fn vector(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return selector(random);
    }
    let depth = depth - 1;
    match random.below(9) {
        0 => {
            let of = random.of(&[
                "rate",
                "increase",
                "delta",
                "irate",
                "idelta",
                "deriv",
                "changes",
                "resets",
                "avg_over_time",
                "sum_over_time",
                "min_over_time",
                "max_over_time",
                "count_over_time",
                "stddev_over_time",
                "stdvar_over_time",
                "last_over_time",
                "first_over_time",
                "mad_over_time",
                "present_over_time",
                "absent_over_time",
                "ts_of_max_over_time",
                "ts_of_min_over_time",
                "ts_of_first_over_time",
                "ts_of_last_over_time",
            ]);
            format!("{of}({})", range(random, depth))
        }
        1 => match random.below(3) {
            0 => format!("quantile_over_time({}, {})", scalar(random), range(random, depth)),
            1 => format!("predict_linear({}, {})", range(random, depth), scalar(random)),
            _ => format!("double_exponential_smoothing({}, 0.5, {})", range(random, depth), scalar(random)),
        },
        2 => {
            let of = random.of(&[
                "abs",
                "ceil",
                "floor",
                "sgn",
                "sqrt",
                "ln",
                "exp",
                "sort",
                "sort_desc",
                "timestamp",
                "absent",
                "hour",
                "year",
                "day_of_year",
                "days_in_month",
                "acosh",
                "round",
                "histogram_count",
                "-",
                "minute",
                "month",
                "day_of_week",
            ]);
            format!("{of}({})", vector(random, depth))
        }
        3 => {
            let of = random.of(&["sum", "avg", "min", "max", "count", "stddev", "stdvar", "group"]);
            let by = random.of(&["", "by (job)", "without (le)", "by ()", "without ()", "by (__name__, le)"]);
            format!("{of} {by} ({})", vector(random, depth))
        }
        4 => {
            let of = random.of(&["topk", "bottomk", "quantile", "limitk", "limit_ratio"]);
            let by = random.of(&["", "by (job)", "without (le)"]);
            format!("{of} {by} ({}, {})", scalar(random), vector(random, depth))
        }
        5 => {
            let of =
                random.of(&["+", "-", "*", "/", "%", "^", "atan2", "==", "!= bool", ">", "<= bool", "<"]);
            if random.below(2) == 0 {
                format!("({}) {of} ({})", vector(random, depth), scalar(random))
            } else {
                let how = random.of(&[
                    "",
                    "on(job)",
                    "ignoring(le)",
                    "on(job) group_left()",
                    "on(job) group_right(le)",
                    "ignoring(le) group_left(le)",
                    "on()",
                ]);
                format!("({}) {of} {how} ({})", vector(random, depth), vector(random, depth))
            }
        }
        6 => {
            let of = random.of(&["and", "or", "unless", "and on(job)", "or ignoring(job)", "unless on()"]);
            format!("({}) {of} ({})", vector(random, depth), vector(random, depth))
        }
        7 => match random.below(4) {
            0 => format!("histogram_quantile({}, {})", scalar(random), vector(random, depth)),
            1 => format!(
                "histogram_fraction({}, {}, {})",
                scalar(random),
                scalar(random),
                vector(random, depth)
            ),
            2 => format!("clamp({}, {}, {})", vector(random, depth), scalar(random), scalar(random)),
            _ => format!("count_values(\"v\", {})", vector(random, depth)),
        },
        _ => match random.below(4) {
            0 => format!("label_replace({}, \"__name__\", \"n$1\", \"le\", \"(.*)\")", vector(random, depth)),
            1 => format!("label_join({}, \"job\", \"-\", \"job\", \"le\")", vector(random, depth)),
            2 => format!("sort_by_label({}, \"le\", \"job\")", vector(random, depth)),
            _ => format!("vector({})", scalar(random)),
        },
    }
}

#[test]
fn random_expressions_are_answered_or_refused() {
    let mut random = Random(3);
    let mut answered = 0;
    for round in 0..4_000 {
        let memory = data(&mut random);
        let text = vector(&mut random, 1 + round % 4);
        let query = Query::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let limits = Limits { max_samples: 200_000, ..Limits::default() };
        let at = random.below(400_000) as i64 - 100_000;
        let instant = query.instant(&memory, at, &limits);
        let range = query.range(&memory, (at, at + 100_000, 9_000), &limits);
        answered += usize::from(instant.is_ok()) + usize::from(range.is_ok());
        for answer in [instant, range].into_iter().flatten() {
            assert!(!format!("{:?}", answer.value).is_empty());
        }
    }
    assert!(answered > 3_000, "only {answered} of 8,000 were answered");
}

fn limited(text: &str, limits: &Limits) -> EvalError {
    let memory = data(&mut Random(1));
    Query::parse(text).unwrap().range(&memory, (0, 3_600_000, 1_000), limits).unwrap_err()
}

#[test]
fn what_is_held_is_limited() {
    let few = Limits { max_samples: 1_000, ..Limits::default() };
    let wanted = "query processing would load too many samples into memory in query execution";
    for text in [
        "a",
        "1",
        "time() + time()",
        "sum(a)",
        "rate(b_total[5m])",
        "max_over_time(vector(1)[10y:1s])",
        "absent(none)",
    ] {
        assert_eq!(limited(text, &few).to_string(), wanted, "{text}");
    }
    let deep = format!("max_over_time(vector({}1{})[1d:1ms])", "time()+(".repeat(60), ")".repeat(60));
    let memory = data(&mut Random(1));
    let limits = Limits { max_samples: 10_000_000, ..Limits::default() };
    let deep = Query::parse(&deep).unwrap();
    assert_eq!(deep.instant(&memory, 0, &limits).unwrap_err().to_string(), wanted);
}

#[test]
fn steps_and_time_are_limited() {
    let steps = Limits { max_steps: 100, ..Limits::default() };
    assert!(limited("1", &steps).to_string().contains("maximum resolution of 100 points"));
    let over = Limits { deadline: Some(Instant::now()), ..Limits::default() };
    assert!(matches!(limited("sum(a)", &over), EvalError::Timeout));
    let soon = Limits { deadline: Some(Instant::now() + Duration::from_millis(20)), ..Limits::default() };
    let heavy = "quantile_over_time(0.5, (max_over_time({__name__=~\".+\"}[1d:10s]))[1d:10s])";
    assert!(matches!(limited(heavy, &soon), EvalError::Timeout));
}

#[test]
fn far_times_are_no_trouble() {
    let memory = data(&mut Random(1));
    for text in [
        "rate(a[5m])",
        "a offset 30000y",
        "max_over_time(a[1d:1m] offset -30000y)",
        "hour()",
        "predict_linear(a[1d] @ 100, 5)",
    ] {
        let query = Query::parse(text).unwrap();
        for at in [i64::MIN, -1, 0, i64::MAX] {
            query.instant(&memory, at, &Limits::default()).unwrap();
            let _ = query.range(&memory, (at, at, 1), &Limits::default());
        }
        query.range(&memory, (i64::MIN, i64::MAX, 1), &Limits::default()).unwrap_err();
    }
}

#[test]
fn what_may_be_nested_deeply_is_evaluated_without_an_overflow() {
    let memory = data(&mut Random(1));
    for (open, close, times) in [
        ("sum(", ")", 110),
        ("-(", ")", 60),
        ("2 ^ (a + ", ")", 60),
        ("a or (", ")", 60),
        ("max_over_time((", ")[1m:30s])", 40),
        ("label_replace(", ", \"x\", \"$1\", \"job\", \"(.*)\")", 110),
        ("histogram_quantile(0.5, ", ")", 110),
        ("clamp(", ", 1, 2)", 110),
        ("(", ")", 120),
    ] {
        let text = format!("{}a{}", open.repeat(times), close.repeat(times));
        let query = Query::parse(&text).unwrap_or_else(|error| panic!("{open}: {error}"));
        let _ = query.instant(&memory, 50_000, &Limits::default());
        let _ = query.range(&memory, (0, 50_000, 10_000), &Limits::default());
    }
    let long = format!("a{}", " or a + 1".repeat(490));
    Query::parse(&long).unwrap().range(&memory, (0, 50_000, 10_000), &Limits::default()).unwrap();
}
