use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ops_promql::{Answer, Limits, Query, Value, ValueKind};
use tokio::sync::Semaphore;

use super::error::Fault;
use super::json;
use super::params::Params;
use crate::App;
use crate::http::caller::Reader;

/// Longest evaluation, waiting for its turn included.
const LONGEST: Duration = Duration::from_secs(120);
/// Most evaluations at once.
pub(super) const AT_ONCE: usize = 20;
/// Most points per series of a range.
const MOST_POINTS: i64 = 11_000;

/// The turns of evaluations.
#[derive(Clone)]
pub(super) struct Turns(pub(super) Arc<Semaphore>);

/// When an expression is evaluated, in milliseconds.
#[derive(Clone, Copy)]
enum When {
    At(i64),
    Range { start: i64, end: i64, step: i64 },
}

/// All that a question asks.
struct Question {
    query: Query,
    when: When,
    timeout: Duration,
    lookback_ms: Option<i64>,
    limit: Option<usize>,
    stats: bool,
}

impl Question {
    fn read(params: &Params, when: When) -> Result<Self, Fault> {
        let text = params.get("query").unwrap_or_default();
        let query = Query::parse(text).map_err(|error| Fault::parameter("query", error))?;
        let lookback_ms = params.duration("lookback_delta")?;
        if lookback_ms.is_some_and(|it| it <= 0) {
            return Err(Fault::parameter("lookback_delta", "it must be more than zero"));
        }
        Ok(Self {
            query,
            when,
            timeout: params.timeout(LONGEST)?,
            lookback_ms,
            limit: params.limit("limit")?,
            stats: params.get("stats").is_some(),
        })
    }
}

/// An expression's value at one time.
pub(super) async fn instant(
    _: Reader,
    State(app): State<Arc<App>>,
    Extension(turns): Extension<Turns>,
    params: Params,
) -> Result<Response, Fault> {
    let question = Question::read(&params, When::At(params.at()?))?;
    answer(app, turns, question).await
}

/// An expression's values at the steps of a range.
pub(super) async fn range(
    _: Reader,
    State(app): State<Arc<App>>,
    Extension(turns): Extension<Turns>,
    params: Params,
) -> Result<Response, Fault> {
    let (start, end) = (params.needed_time("start")?, params.needed_time("end")?);
    if end < start {
        return Err(Fault::parameter("end", "end timestamp must not be before start time"));
    }
    let step = params.duration("step")?;
    let step = step.ok_or_else(|| Fault::parameter("step", "cannot parse \"\" to a valid duration"))?;
    if step <= 0 {
        let reason = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(Fault::parameter("step", reason));
    }
    if (end - start) / step > MOST_POINTS {
        let reason = "exceeded maximum resolution of 11,000 points per timeseries. \
                      Try decreasing the query resolution (?step=XX)";
        return Err(Fault::BadData(reason.to_owned()));
    }
    let question = Question::read(&params, When::Range { start, end, step })?;
    let kind = match question.query.kind() {
        ValueKind::Scalar | ValueKind::Vector => None,
        ValueKind::String => Some("string"),
        ValueKind::Matrix => Some("range vector"),
    };
    if let Some(kind) = kind {
        let reason =
            format!("invalid expression type {kind:?} for range query, must be Scalar or instant Vector");
        return Err(Fault::parameter("query", reason));
    }
    answer(app, turns, question).await
}

async fn answer(app: Arc<App>, Turns(turns): Turns, question: Question) -> Result<Response, Fault> {
    let asked = Instant::now();
    let deadline = asked + question.timeout;
    let turn = tokio::time::timeout(question.timeout, turns.acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(Fault::Timeout("query timed out in query queue".to_owned()));
    };
    let waited = asked.elapsed();
    let written = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        evaluate(&app, &question, deadline, waited)
    });
    let text = written.await.map_err(|error| {
        tracing::error!(%error, "an evaluation ended without an answer");
        Fault::Internal("the evaluation failed inside the server; its log says how".to_owned())
    })??;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

fn evaluate(app: &App, question: &Question, deadline: Instant, waited: Duration) -> Result<String, Fault> {
    let mut limits = Limits { deadline: Some(deadline), ..Limits::default() };
    limits.lookback_ms = question.lookback_ms.unwrap_or(limits.lookback_ms);
    let began = Instant::now();
    let source = &app.series.store;
    let (mut answer, at) = match question.when {
        When::At(at) => (question.query.instant(source, at, &limits)?, at),
        When::Range { start, end, step } => {
            (question.query.range(source, (start, end, step), &limits)?, start)
        }
    };
    let took = began.elapsed();
    shorten(&mut answer, question.limit);
    let mut out = json::begin(json::size(&answer.value));
    out.push('{');
    json::value(&mut out, &answer.value, at);
    if question.stats {
        stats(&mut out, took, waited);
    }
    out.push('}');
    Ok(json::finish(out, &answer.warnings, &answer.infos))
}

fn shorten(answer: &mut Answer, limit: Option<usize>) {
    let Some(limit) = limit else { return };
    let all = match &mut answer.value {
        Value::Vector(rows) => cut(rows, limit),
        Value::Matrix(rows) => cut(rows, limit),
        Value::Scalar(_) | Value::String(_) => 0,
    };
    if all > limit {
        answer.warnings.push("results truncated due to limit".to_owned());
    }
}

/// Keeps `limit` rows, and says how many there were.
fn cut<T>(rows: &mut Vec<T>, limit: usize) -> usize {
    let all = rows.len();
    rows.truncate(limit);
    all
}

fn stats(out: &mut String, took: Duration, waited: Duration) {
    out.push_str(",\"stats\":{\"timings\":{");
    let timings = [
        ("evalTotalTime", took),
        ("innerEvalTime", took),
        ("execQueueTime", waited),
        ("execTotalTime", took + waited),
    ];
    for (at, (name, time)) in timings.iter().enumerate() {
        out.push_str(if at > 0 { ",\"" } else { "\"" });
        out.push_str(name);
        out.push_str("\":");
        json::number(out, time.as_secs_f64().max(1e-6));
    }
    out.push_str("}}");
}
