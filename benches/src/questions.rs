//! Ten queries as rules ask them, and how long a peer takes to answer.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use crate::peers::Peer;

/// Name and expression.
pub const QUESTIONS: [(&str, &str); 10] = [
    ("rate + sum by", "sum by (route, code) (rate(http_requests_total[1m]))"),
    (
        "histogram_quantile",
        "histogram_quantile(0.95, sum by (le, route) (rate(http_request_duration_seconds_bucket[1m])))",
    ),
    ("topk of rate", "topk(10, rate(http_requests_total[1m]))"),
    ("avg_over_time", "avg by (queue) (avg_over_time(queue_depth[1m]))"),
    ("absent", "absent(queue_depth{queue=\"gone\"})"),
    ("max by", "max by (queue) (queue_depth)"),
    ("increase (one code)", "sum by (route) (increase(http_requests_total{code=\"500\"}[1m]))"),
    (
        "ratio of two rates",
        "sum by (route) (rate(http_requests_total{code=~\"5..\"}[1m])) / sum by (route) (rate(http_requests_total[1m]))",
    ),
    ("predict_linear", "predict_linear(disk_free_bytes[1m], 86400) < 0"),
    ("count by (40 % of all)", "count by (instance) (http_requests_total)"),
];

/// How long a range query looks back, and its step, in seconds.
const RANGE_S: (u64, u64) = (120, 15);

/// How one query went at one peer.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// The query's name.
    pub query: &'static str,
    /// `instant` or `range`.
    pub way: &'static str,
    /// Series in the answer.
    pub series: usize,
    /// How often it was asked.
    pub runs: usize,
    /// Half of the answers took no longer, in milliseconds.
    pub p50_ms: f64,
    /// All but one in a hundred took no longer; with fewer than a hundred runs it is the slowest.
    pub p99_ms: f64,
    /// User and system time of the peer's processes per query, in milliseconds.
    pub cpu_ms: f64,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        let Self { query, way, series, runs, p50_ms, p99_ms, cpu_ms } = self;
        json!({
            "query": query, "way": way, "series": series, "runs": runs,
            "p50_ms": p50_ms, "p99_ms": p99_ms, "cpu_ms": cpu_ms,
        })
    }
}

/// Asks every question `runs` times, at an instant and over a range. `idle_cores` is what the peer uses without queries.
pub async fn ask_all(peer: &Peer, runs: usize, idle_cores: f64) -> anyhow::Result<Vec<Answered>> {
    let mut answers = Vec::new();
    for (query, expr) in QUESTIONS {
        for way in ["instant", "range"] {
            let answered = ask(peer, expr, way, runs, idle_cores)
                .await
                .with_context(|| format!("{} fails at {expr}", peer.kind().name()))?;
            answers.push(Answered { query, way, ..answered });
        }
    }
    Ok(answers)
}

async fn ask(peer: &Peer, expr: &str, way: &str, runs: usize, idle_cores: f64) -> anyhow::Result<Answered> {
    // Once unmeasured: every peer may fill its caches of names.
    let series = series(&peer.ask(expr, way, RANGE_S, now_s()).await?);
    let (before, begun) = (peer.cost()?.cpu_s, Instant::now());
    let mut took = Vec::with_capacity(runs);
    for _ in 0..runs {
        let (at, begun) = (now_s(), Instant::now());
        peer.ask(expr, way, RANGE_S, at).await?;
        took.push(begun.elapsed());
    }
    // What the scrapes cost meanwhile is not the queries'.
    let idle_s = idle_cores * begun.elapsed().as_secs_f64();
    let cpu_s = (peer.cost()?.cpu_s - before - idle_s).max(0.0);
    took.sort_unstable();
    Ok(Answered {
        series,
        runs,
        p50_ms: milliseconds(at(&took, 0.5)),
        p99_ms: milliseconds(at(&took, 0.99)),
        cpu_ms: cpu_s * 1_000.0 / runs as f64,
        ..Answered::default()
    })
}

/// The smallest that `share` of all do not exceed.
fn at(sorted: &[Duration], share: f64) -> Duration {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

fn milliseconds(it: Duration) -> f64 {
    it.as_secs_f64() * 1_000.0
}

/// Seconds since the epoch.
pub fn now_s() -> f64 {
    jiff::Timestamp::now().as_microsecond() as f64 / 1e6
}

/// How many series an answer holds.
pub fn series(answer: &Value) -> usize {
    answer["data"]["result"].as_array().map_or(0, Vec::len)
}
