use std::collections::BTreeSet;

use ops_samples::{Labels, Sample, is_stale};
use ops_series::{Matcher, Source};

use crate::eval::{Data, Engine, Grid};
use crate::plan::{self, Expr};
use crate::{Answer, EvalError, Limits, ParseError, RangeSeries, Value, ValueKind, VectorSample};

/// An expression that was parsed, checked and planned.
#[derive(Debug)]
pub struct Query {
    text: String,
    kind: ValueKind,
    reads: Reads,
    expr: Expr,
}

/// What an expression reads; rules are woken by it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reads {
    /// Every selector in it.
    pub selectors: Vec<Selector>,
    /// Names of the metrics that its selectors can match.
    pub names: BTreeSet<String>,
    /// A selector without an exact name is in it: any metric may matter.
    pub any_name: bool,
    /// Its value can change though no sample arrives: `time()` and its kin, ranges, offsets, `absent`.
    pub depends_on_time: bool,
}

/// One selector of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// Its conditions.
    pub matchers: Vec<Matcher>,
    /// Its range in milliseconds; `None` for an instant selector.
    pub range_ms: Option<i64>,
    /// How far before the time of evaluation it looks, in milliseconds; negative: after it.
    pub offset_ms: i64,
    /// It is asked whether it is there at all (`absent`, `absent_over_time`), so no data is an answer.
    pub in_absent: bool,
}

impl Query {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let expr = plan::parse(text)?;
        Ok(Self { text: text.to_owned(), kind: expr.kind(), reads: plan::reads(&expr), expr })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it evaluates to.
    #[must_use]
    pub fn kind(&self) -> ValueKind {
        self.kind
    }

    /// What it reads.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Evaluates it at `at_ms`.
    ///
    /// # Errors
    /// Data that does not suit it, a limit, a disk that fails.
    pub fn instant(&self, source: &dyn Source, at_ms: i64, limits: &Limits) -> Result<Answer, EvalError> {
        let at_ms = at_ms.clamp(-FARTHEST_MS, FARTHEST_MS);
        let engine = Engine::new(source, limits, (at_ms, at_ms, 0));
        if self.kind == ValueKind::Matrix {
            let value = Value::Matrix(engine.matrix(&self.expr, at_ms)?);
            return Ok(answer(engine, value));
        }
        let value = match engine.eval(&self.expr, Grid::once(at_ms))? {
            Data::Text(text) => Value::String(text),
            Data::Scalar(values) => {
                Value::Scalar(Sample { at_ms, value: values.first().copied().unwrap_or(f64::NAN) })
            }
            Data::Vector(mut table) => {
                table.finish()?;
                let rows = table.rows.drain(..).zip(&table.values);
                let sample = |value: &f64| Sample { at_ms, value: *value };
                Value::Vector(
                    rows.map(|(row, value)| VectorSample { labels: row.labels, sample: sample(value) })
                        .collect(),
                )
            }
        };
        Ok(answer(engine, value))
    }

    /// Evaluates it at `start_ms`, `start_ms + step_ms`, … up to `end_ms`. The answer is a matrix, without staleness marks.
    ///
    /// # Errors
    /// As [`Query::instant`]; too many steps.
    pub fn range(
        &self,
        source: &dyn Source,
        (start_ms, end_ms, step_ms): (i64, i64, i64),
        limits: &Limits,
    ) -> Result<Answer, EvalError> {
        if let ValueKind::Matrix | ValueKind::String = self.kind {
            let kind = if self.kind == ValueKind::Matrix { "range vector" } else { "string" };
            return Err(EvalError::Execution(format!(
                "invalid expression type \"{kind}\" for range query, must be Scalar or instant Vector"
            )));
        }
        let grid = range_grid((start_ms, end_ms, step_ms), limits)?;
        let engine = Engine::new(source, limits, (start_ms, end_ms, step_ms));
        let mut series = match engine.eval(&self.expr, grid)? {
            Data::Text(_) => Vec::new(),
            Data::Scalar(values) => vec![range_series(Labels::default(), &values, grid)],
            Data::Vector(mut table) => {
                table.finish()?;
                let rows = table.rows.iter().zip(table.cells());
                rows.map(|(row, cells)| range_series(row.labels.clone(), cells, grid)).collect()
            }
        };
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(answer(engine, Value::Matrix(series)))
    }
}

/// The farthest time from 1970 at which something is evaluated, in milliseconds: some 120,000 years.
const FARTHEST_MS: i64 = 4_000_000_000_000_000;

fn answer(engine: Engine<'_>, value: Value) -> Answer {
    let (warnings, infos) = engine.notes.into_inner().into_texts();
    Answer { value, warnings, infos }
}

/// The steps of a range query.
fn range_grid((start_ms, end_ms, step_ms): (i64, i64, i64), limits: &Limits) -> Result<Grid, EvalError> {
    if step_ms <= 0 {
        let reason = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(EvalError::Execution(reason.to_owned()));
    }
    if start_ms < -FARTHEST_MS || end_ms > FARTHEST_MS {
        return Err(EvalError::Execution("the times of a range query are out of bounds".to_owned()));
    }
    let span = end_ms.checked_sub(start_ms).filter(|span| *span >= 0);
    let span =
        span.ok_or_else(|| EvalError::Execution("end timestamp must not be before start time".to_owned()))?;
    let steps = usize::try_from(span / step_ms).unwrap_or(usize::MAX).saturating_add(1);
    if steps > limits.max_steps {
        return Err(EvalError::Limit(format!(
            "exceeded maximum resolution of {} points per timeseries. Try decreasing the query resolution (?step=XX)",
            limits.max_steps
        )));
    }
    Ok(Grid { start_ms, step_ms, steps })
}

fn range_series(labels: Labels, cells: &[f64], grid: Grid) -> RangeSeries {
    let present = cells.iter().enumerate().filter(|(_, value)| !is_stale(**value));
    RangeSeries {
        labels,
        samples: present.map(|(step, value)| Sample { at_ms: grid.at(step), value: *value }).collect(),
    }
}
