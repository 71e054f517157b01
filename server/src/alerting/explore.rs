//! What `/explore` shows: one expression, now and over a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ops_contract::{ExploreRow, ExploreView};
use ops_promql::{Answer, Limits, Query, Value};
use ops_samples::Sample;

use crate::{App, clock};

/// Points per series that are drawn.
const POINTS: i64 = 240;
/// Series that are shown.
const MOST_ROWS: usize = 200;
/// Names that the field suggests.
const MOST_NAMES: usize = 1_000;
/// Longest evaluation for a page.
const PATIENCE: Duration = Duration::from_secs(10);

/// Evaluates `expr` for the page; an empty one shows the page without an answer.
pub(crate) async fn explore(app: &Arc<App>, expr: String, range_s: u64) -> ExploreView {
    let app = app.clone();
    let shown = expr.clone();
    let view = tokio::task::spawn_blocking(move || look(&app, expr, range_s)).await;
    view.unwrap_or_else(|_| ExploreView {
        expr: shown,
        range_s,
        error: Some("the evaluation broke off".to_owned()),
        at: clock::now(),
        ..ExploreView::default()
    })
}

fn look(app: &App, expr: String, range_s: u64) -> ExploreView {
    let began = Instant::now();
    let now = clock::now();
    let end_ms = now.0 / 1_000;
    let start_ms = end_ms - i64::try_from(range_s).unwrap_or(i64::MAX / 2_000) * 1_000;
    let names = app.series.store.label_values(ops_samples::NAME, &[], start_ms, end_ms).unwrap_or_default();
    let mut view = ExploreView { range_s, at: now, ..ExploreView::default() };
    view.metrics = names.into_iter().take(MOST_NAMES).collect();
    if !expr.trim().is_empty() {
        match evaluate(app, &expr, start_ms, end_ms, began + PATIENCE) {
            Ok(answer) => show(&mut view, answer, end_ms),
            Err(error) => view.error = Some(error),
        }
    }
    view.expr = expr;
    view.took_ms = began.elapsed().as_secs_f64() * 1e3;
    view
}

fn evaluate(app: &App, expr: &str, start_ms: i64, end_ms: i64, deadline: Instant) -> Result<Answer, String> {
    let query = Query::parse(expr).map_err(|error| error.to_string())?;
    let step_ms = ((end_ms - start_ms) / POINTS).max(1_000);
    let limits = Limits { deadline: Some(deadline), ..Limits::default() };
    // The last step is now, so that the newest point is the value now.
    let first_ms = end_ms - (end_ms - start_ms) / step_ms * step_ms;
    let range = (first_ms, end_ms, step_ms);
    query.range(&app.series.store, range, &limits).map_err(|error| match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    })
}

fn show(view: &mut ExploreView, answer: Answer, end_ms: i64) {
    view.warnings = answer.warnings.into_iter().chain(answer.infos).collect();
    let Value::Matrix(series) = answer.value else { return };
    view.total = u64::try_from(series.len()).unwrap_or(u64::MAX);
    view.rows = series
        .into_iter()
        .take(MOST_ROWS)
        .map(|it| ExploreRow {
            series: it.labels.to_string(),
            value: it.samples.last().filter(|last| last.at_ms == end_ms).map(|last| number(last.value)),
            points: it.samples.iter().filter(|it| it.value.is_finite()).map(point).collect(),
        })
        .collect();
}

fn point(sample: &Sample) -> (f64, f64) {
    (sample.at_ms as f64 / 1e3, sample.value)
}

/// As PromQL writes numbers.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}
