//! How long typical queries take: `cargo run --release -p ops-promql --example speed`.
//!
//! 100,000 series with 12 samples each: 40,000 counters, 35,000 buckets, 25,000 gauges. The source hands out copies of
//! what it prepared, so that the figures are the evaluator's own and a copy's.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::time::Instant;

use ops_promql::{Limits, Query};
use ops_samples::{Labels, Sample};
use ops_series::{Select, SelectError, Selection, Source, Want};

const EVERY_MS: i64 = 5_000;
const SAMPLES: i64 = 36;

struct Prepared {
    metrics: BTreeMap<&'static str, Vec<(Labels, Vec<Sample>)>>,
}

impl Source for Prepared {
    fn select(&self, select: &Select<'_>) -> Result<Selection, SelectError> {
        let name = select.matchers.iter().find(|matcher| matcher.name() == "__name__").unwrap().value();
        let mut selection = Selection::default();
        for (labels, samples) in self.metrics.get(name).into_iter().flatten() {
            let start = samples.partition_point(|it| it.at_ms <= select.after_ms);
            let end = samples.partition_point(|it| it.at_ms <= select.until_ms);
            let start = if select.want == Want::Newest { end.saturating_sub(1).max(start) } else { start };
            selection.begin(labels.clone());
            samples[start..end].iter().for_each(|sample| selection.push(*sample));
            selection.end();
        }
        Ok(selection)
    }
}

fn series(metric: &str, more: &[(&str, String)], slope: f64) -> (Labels, Vec<Sample>) {
    let pairs = more.iter().map(|(name, value)| (*name, value.as_str())).chain([("__name__", metric)]);
    let samples = (0..SAMPLES).map(|at| Sample { at_ms: at * EVERY_MS, value: slope * at as f64 });
    (Labels::new(pairs).unwrap(), samples.collect())
}

fn prepare() -> Prepared {
    let mut metrics: BTreeMap<&'static str, Vec<(Labels, Vec<Sample>)>> = BTreeMap::new();
    for at in 0..40_000 {
        let labels = [
            ("instance", format!("10.0.0.{}:9100", at % 10)),
            ("job", "bench".to_owned()),
            ("path", format!("/api/v1/things/{}", at % 100)),
            ("shard", format!("{}", at / 10)),
        ];
        let it = series("requests_total", &labels, f64::from(at % 97));
        metrics.entry("requests_total").or_default().push(it);
    }
    for at in 0..35_000 {
        let bound = [".005", ".01", ".05", ".1", ".5", "1", "+Inf"][at % 7];
        let labels = [
            ("instance", format!("10.0.0.{}:9100", at % 10)),
            ("le", bound.to_owned()),
            ("zone", format!("{}", at / 7 % 20)),
            ("shard", format!("{}", at / 7)),
        ];
        metrics.entry("latency_bucket").or_default().push(series("latency_bucket", &labels, (at % 7) as f64));
    }
    for at in 0..25_000 {
        let labels = [
            ("instance", format!("10.0.0.{}:9100", at % 10)),
            ("kind", format!("{}", at % 50)),
            ("n", format!("{at}")),
        ];
        metrics.entry("level").or_default().push(series("level", &labels, f64::from(at % 13)));
    }
    Prepared { metrics }
}

fn time(name: &str, rounds: usize, mut run: impl FnMut() -> usize) {
    run();
    let mut took = Vec::new();
    let mut size = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        size = run();
        took.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    took.sort_by(f64::total_cmp);
    println!("{name:<62} {:>8.2} ms (best {:.2}), {size} series", took[rounds / 2], took[0]);
}

fn main() {
    let source = prepare();
    let (limits, end) = (Limits::default(), (SAMPLES - 1) * EVERY_MS);
    time("select only: requests_total[1m]", 20, || {
        let matchers = [ops_series::Matcher::equal("__name__", "requests_total")];
        let select = Select {
            matchers: &matchers,
            after_ms: end - 60_000,
            until_ms: end,
            want: Want::All,
            max_samples: 50_000_000,
        };
        source.select(&select).unwrap().len()
    });
    for text in [
        "sum by (path) (rate(requests_total[1m]))",
        "histogram_quantile(0.99, sum by (zone, le) (rate(latency_bucket[1m])))",
        "topk(10, rate(requests_total[1m]))",
        "avg by (kind) (avg_over_time(level[1m]))",
        "absent(none)",
        "sum(requests_total)",
        "count by (instance) (requests_total > 100)",
        "requests_total / on(shard, instance, path, job) requests_total > 2",
        "rate(requests_total[1m])",
        "sum by (path) (increase(requests_total[2m])) / sum by (path) (rate(requests_total[1m]))",
    ] {
        let query = Query::parse(text).unwrap();
        let size = |value| match value {
            ops_promql::Value::Vector(it) => it.len(),
            ops_promql::Value::Matrix(it) => it.len(),
            _ => 1,
        };
        time(text, 20, || size(query.instant(&source, end, &limits).unwrap().value));
        let range = (end - 120_000, end, 15_000);
        time(&format!("  9 steps: {text}"), 10, || size(query.range(&source, range, &limits).unwrap().value));
    }
}
