use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ops_promql::Query;
use ops_samples::{Labels, is_stale};
use ops_series::{Matcher, Select, Want};
use serde_json::{Value, json};

use super::error::Fault;
use super::labels::answer;
use super::params::Params;
use crate::http::caller::Reader;
use crate::{App, clock};

/// The version of Prometheus whose interface this is: clients switch their features by it.
const VERSION: &str = "3.5.0";
/// For how long a target that tells nothing is still shown, in milliseconds.
const SHOWN_MS: i64 = 300_000;

fn success(data: &Value) -> Response {
    answer(json!({ "status": "success", "data": data }).to_string())
}

/// Which interface this is, and what is behind it.
pub(super) async fn build(_: Reader) -> Response {
    success(&json!({
        "version": VERSION, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
        "application": "InsightDesk Ops", "applicationVersion": env!("CARGO_PKG_VERSION"),
    }))
}

pub(super) async fn runtime(_: Reader, State(app): State<Arc<App>>) -> Response {
    let telemetry = &app.stack.telemetry;
    let now = jiff::Timestamp::from_microsecond(clock::now().0).map(|it| it.to_string()).unwrap_or_default();
    success(&json!({
        "CWD": "", "hostname": "", "serverTime": now,
        "reloadConfigSuccess": true, "corruptionCount": 0,
        "goroutineCount": 0, "GOMAXPROCS": std::thread::available_parallelism().map_or(1, usize::from),
        "GOMEMLIMIT": 0, "GOGC": "", "GODEBUG": "",
        "storageRetention": format!("{}s or {}B", telemetry.retention.as_secs(), telemetry.retention_bytes),
    }))
}

/// No command line flags are there to be told.
pub(super) async fn flags(_: Reader) -> Response {
    success(&json!({}))
}

/// Exemplars are not kept.
pub(super) async fn none(_: Reader) -> Response {
    success(&json!([]))
}

/// An expression that is right, as it was written: it is not laid out anew.
pub(super) async fn format(_: Reader, params: Params) -> Result<Response, Fault> {
    let text = params.get("query").unwrap_or_default();
    let query = Query::parse(text).map_err(|error| Fault::parameter("query", error))?;
    Ok(success(&json!(query.text())))
}

/// What is scraped, as told by the series that scrapes leave.
pub(super) async fn targets(
    _: Reader,
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Response, Fault> {
    let active = match params.get("state") {
        Some("dropped") => Vec::new(),
        _ => {
            let found = tokio::task::spawn_blocking(move || found(&app)).await;
            found.map_err(|_| Fault::Internal("the targets could not be looked up".to_owned()))??
        }
    };
    let pool = params.get("scrapePool").map(str::to_owned);
    let active: Vec<Value> =
        active.into_iter().filter(|it| pool.as_ref().is_none_or(|pool| it["scrapePool"] == **pool)).collect();
    let data = json!({ "activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {} });
    Ok(success(&data))
}

fn found(app: &App) -> Result<Vec<Value>, Fault> {
    let up = newest(app, "up")?;
    let took: BTreeMap<(String, String), f64> = newest(app, "scrape_duration_seconds")?
        .into_iter()
        .map(|(labels, _, value)| (key(&labels), value))
        .collect();
    let target = |(labels, at_ms, value): (Labels, i64, f64)| {
        let (job, instance) = key(&labels);
        let spec = app.stack.scrape.iter().find(|it| it.job == job);
        let own: BTreeMap<&str, &str> =
            labels.iter().filter(|(name, _)| *name != ops_samples::NAME).collect();
        let seconds = |it: Option<std::time::Duration>| format!("{}s", it.map_or(0.0, |it| it.as_secs_f64()));
        let (scheme, path) = spec.map_or(("http", "/metrics"), |it| (it.scheme.as_str(), it.path.as_str()));
        let url = format!("{scheme}://{instance}{path}");
        json!({
            "discoveredLabels": { "__address__": instance, "__scheme__": scheme, "__metrics_path__": path, "job": job },
            "labels": own, "scrapePool": job, "scrapeUrl": url, "globalUrl": url,
            "lastError": if value == 0.0 { "the target did not answer with metrics" } else { "" },
            "lastScrape": jiff::Timestamp::from_millisecond(at_ms).map(|it| it.to_string()).unwrap_or_default(),
            "lastScrapeDuration": took.get(&(job.clone(), instance.clone())).copied().unwrap_or(0.0),
            "health": if value == 0.0 { "down" } else { "up" },
            "scrapeInterval": seconds(spec.map(|it| it.interval)),
            "scrapeTimeout": seconds(spec.map(|it| it.timeout)),
        })
    };
    Ok(up.into_iter().map(target).collect())
}

fn key(labels: &Labels) -> (String, String) {
    let text = |name| labels.get(name).unwrap_or_default().to_owned();
    (text("job"), text("instance"))
}

fn newest(app: &App, metric: &str) -> Result<Vec<(Labels, i64, f64)>, Fault> {
    let matchers = [Matcher::equal(ops_samples::NAME, metric)];
    let now = clock::now().0 / 1_000;
    let select = Select {
        matchers: &matchers,
        after_ms: now - SHOWN_MS,
        until_ms: now,
        want: Want::Newest,
        max_samples: 100_000,
    };
    let found =
        ops_series::Source::select(&app.series.store, &select).map_err(ops_promql::EvalError::from)?;
    let rows = found.iter().filter_map(|(labels, samples)| {
        samples.last().filter(|it| !is_stale(it.value)).map(|it| (labels.clone(), it.at_ms, it.value))
    });
    Ok(rows.collect())
}

/// How much is kept.
pub(super) async fn tsdb(_: Reader, State(app): State<Arc<App>>) -> Result<Response, Fault> {
    let counted = tokio::task::spawn_blocking(move || counted(&app)).await;
    let data = counted.map_err(|_| Fault::Internal("the series could not be counted".to_owned()))??;
    Ok(success(&data))
}

fn counted(app: &App) -> Result<Value, Fault> {
    let now = clock::now().0 / 1_000;
    let found = app.series.store.series(&[], now - SHOWN_MS, now, usize::MAX);
    let (series, _) = found.map_err(ops_promql::EvalError::from)?;
    let mut metrics = BTreeMap::<&str, u64>::new();
    let mut labels = BTreeMap::<&str, BTreeMap<&str, u64>>::new();
    for it in &series {
        *metrics.entry(it.metric()).or_default() += 1;
        for (name, value) in it {
            *labels.entry(name).or_default().entry(value).or_default() += 1;
        }
    }
    let pairs = labels.values().map(BTreeMap::len).sum::<usize>();
    let by_pair: BTreeMap<String, u64> = labels
        .iter()
        .flat_map(|(name, values)| {
            values.iter().map(move |(value, count)| (format!("{name}={value}"), *count))
        })
        .collect();
    let by_label = labels.iter().map(|(name, values)| ((*name).to_owned(), values.len() as u64)).collect();
    let bytes = labels
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.keys().map(|it| it.len() as u64).sum()));
    Ok(json!({
        "headStats": { "numSeries": series.len(), "numLabelPairs": pairs, "chunkCount": 0, "minTime": 0, "maxTime": now },
        "seriesCountByMetricName": top(metrics.into_iter().map(|(name, it)| (name.to_owned(), it)).collect()),
        "labelValueCountByLabelName": top(by_label),
        "memoryInBytesByLabelName": top(bytes.collect()),
        "seriesCountByLabelValuePair": top(by_pair),
    }))
}

/// The ten that are most.
fn top(counts: BTreeMap<String, u64>) -> Vec<Value> {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    counts.into_iter().take(10).map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

pub(super) async fn healthy() -> &'static str {
    "InsightDesk Ops is healthy.\n"
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> crate::http::error::ApiResult<&'static str> {
    match app.store_fault() {
        None => Ok("InsightDesk Ops is ready.\n"),
        Some(_) => Err(crate::http::error::ApiError::Unavailable("the store cannot be used".to_owned())),
    }
}
