//! Functions that are no functions of ranges.

mod histogram;
mod label;
mod pointwise;
mod sort;

use ops_samples::{Labels, is_stale};

use super::engine::{Data, Engine, Grid};
use super::number::{clean, greater, lesser};
use super::table::{NOTHING, Row, Table};
use super::{range, select};
use crate::EvalError;
use crate::plan::{Call, DatePart, Expr, Function, Selected};

/// Evaluates a function.
pub(crate) fn call(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Data, EvalError> {
    if let Some(values) = scalar(engine, it, grid)? {
        return engine.numbers(values).map(Data::Scalar);
    }
    vector(engine, it, grid).map(Data::Vector)
}

/// Those whose value is a number at each step.
fn scalar(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Option<Vec<f64>>, EvalError> {
    let constant = |value: f64| vec![value; grid.steps];
    let seconds = |ms: i64| ms as f64 / 1_000.0;
    Ok(Some(match it.function {
        Function::Constant(value) => constant(value),
        Function::Time => (0..grid.steps).map(|step| seconds(grid.at(step))).collect(),
        Function::QueryStart => constant(seconds(engine.start_ms)),
        Function::QueryEnd => constant(seconds(engine.end_ms)),
        Function::QueryRange => constant(seconds(engine.end_ms.saturating_sub(engine.start_ms))),
        Function::QueryStep => constant(seconds(engine.step_ms)),
        Function::MaxOf => both(engine, it, grid, greater)?,
        Function::MinOf => both(engine, it, grid, lesser)?,
        Function::Scalar => only_value(&engine.vector(arg(it, 0)?, grid)?),
        _ => return Ok(None),
    }))
}

fn vector(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    match it.function {
        Function::Range(function) => range::call(engine, function, it, grid),
        Function::Pointwise(function) => {
            let function = pointwise::function(function);
            Ok(map(engine.vector(arg(it, 0)?, grid)?, |_, value| function(value)))
        }
        Function::Date(part) => date(engine, part, it, grid),
        Function::Clamp | Function::ClampMax | Function::ClampMin => clamp(engine, it, grid),
        Function::Round => round(engine, it, grid),
        Function::Absent => absent(engine, it, grid),
        Function::AbsentOverTime => absent_over_time(engine, it, grid),
        Function::Vector => of_scalars(engine, &engine.scalar(arg(it, 0)?, grid)?, grid),
        Function::Timestamp => timestamp(engine, arg(it, 0)?, grid),
        Function::LabelReplace => label::replace(engine, it, grid),
        Function::LabelJoin => label::join(engine, it, grid),
        Function::Sort | Function::SortDesc | Function::SortByLabel | Function::SortByLabelDesc => {
            sort::sort(engine, it, grid)
        }
        Function::HistogramQuantile => histogram::quantile(engine, it, grid),
        Function::HistogramQuantiles => histogram::quantiles(engine, it, grid),
        Function::HistogramFraction => histogram::fraction(engine, it, grid),
        Function::OfNativeHistograms => {
            engine.vector(arg(it, 0)?, grid)?;
            Ok(engine.table(grid.steps))
        }
        _ => Err(EvalError::Execution("expected a function of vectors".to_owned())),
    }
}

/// `-expr`
pub(crate) fn negate(data: Data) -> Data {
    match data {
        Data::Scalar(mut values) => {
            values.values.iter_mut().for_each(|value| *value = -*value);
            Data::Scalar(values)
        }
        Data::Vector(table) => Data::Vector(map(table, |_, value| -value)),
        text @ Data::Text(_) => text,
    }
}

fn arg(it: &Call, at: usize) -> Result<&Expr, EvalError> {
    it.args.get(at).ok_or_else(|| EvalError::Execution("a function lacks an argument".to_owned()))
}

fn text(it: &Call, at: usize) -> Result<&str, EvalError> {
    match arg(it, at)? {
        Expr::Text(text) => Ok(text),
        _ => Err(EvalError::Execution("expected a text".to_owned())),
    }
}

/// Computes each value anew; the result is no longer the metric.
fn map(mut table: Table, compute: impl Fn(usize, f64) -> f64) -> Table {
    for cells in table.values.chunks_exact_mut(table.steps) {
        for (step, value) in cells.iter_mut().enumerate() {
            if !is_stale(*value) {
                *value = clean(compute(step, *value));
            }
        }
    }
    table.rows.iter_mut().for_each(|row| row.drop_name = true);
    table
}

fn both(
    engine: &Engine<'_>,
    it: &Call,
    grid: Grid,
    of: impl Fn(f64, f64) -> f64,
) -> Result<Vec<f64>, EvalError> {
    let (a, b) = (engine.scalar(arg(it, 0)?, grid)?, engine.scalar(arg(it, 1)?, grid)?);
    Ok(a.iter().zip(b.iter()).map(|(a, b)| of(*a, *b)).collect())
}

/// The value of the only series, NaN when there is none or more.
fn only_value(table: &Table) -> Vec<f64> {
    let mut found: Vec<(usize, f64)> = vec![(0, f64::NAN); table.steps];
    for cells in table.cells() {
        for (found, value) in found.iter_mut().zip(cells).filter(|(_, value)| !is_stale(**value)) {
            *found = (found.0 + 1, *value);
        }
    }
    found.into_iter().map(|(count, value)| if count == 1 { value } else { f64::NAN }).collect()
}

/// One series without labels.
fn of_scalars(engine: &Engine<'_>, values: &[f64], grid: Grid) -> Result<Table, EvalError> {
    let mut table = engine.table(grid.steps);
    table.push(Row { labels: Labels::default(), drop_name: false }, values)?;
    Ok(table)
}

fn clamp(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let table = engine.vector(arg(it, 0)?, grid)?;
    let bound = |at: usize| arg(it, at).and_then(|arg| engine.scalar(arg, grid));
    let all = |value: f64| engine.numbers(vec![value; grid.steps]);
    let (low, high) = match it.function {
        Function::Clamp => (bound(1)?, bound(2)?),
        Function::ClampMax => (all(f64::NEG_INFINITY)?, bound(1)?),
        _ => (bound(1)?, all(f64::INFINITY)?),
    };
    let at = |bounds: &[f64], step: usize| bounds.get(step).copied().unwrap_or(f64::NAN);
    let mut table = map(table, |step, value| greater(at(&low, step), lesser(at(&high, step), value)));
    // Bounds that exclude each other leave nothing.
    let empty: Vec<bool> = low.iter().zip(high.iter()).map(|(low, high)| high < low).collect();
    if empty.contains(&true) {
        for cells in table.values.chunks_exact_mut(table.steps) {
            cells.iter_mut().zip(&empty).filter(|(_, empty)| **empty).for_each(|(value, _)| *value = NOTHING);
        }
        table.compact();
    }
    Ok(table)
}

fn round(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let table = engine.vector(arg(it, 0)?, grid)?;
    let nearest = match it.args.get(1) {
        Some(nearest) => engine.scalar(nearest, grid)?,
        None => engine.numbers(vec![1.0; grid.steps])?,
    };
    Ok(map(table, |step, value| {
        let inverse = 1.0 / nearest.get(step).copied().unwrap_or(1.0);
        (value * inverse + 0.5).floor() / inverse
    }))
}

fn date(engine: &Engine<'_>, part: DatePart, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    match it.args.first() {
        Some(arg) => Ok(map(engine.vector(arg, grid)?, |_, value| pointwise::date(part, value as i64))),
        None => {
            let of = |step| pointwise::date(part, grid.at(step).div_euclid(1_000));
            of_scalars(engine, &(0..grid.steps).map(of).collect::<Vec<f64>>(), grid)
        }
    }
}

fn timestamp(engine: &Engine<'_>, of: &Expr, grid: Grid) -> Result<Table, EvalError> {
    match of {
        Expr::Selector(series) => select::instant(engine, series, grid, select::Take::Times),
        _ => Ok(map(engine.vector(of, grid)?, |step, _| grid.at(step) as f64 / 1_000.0)),
    }
}

fn absent(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let table = engine.vector(arg(it, 0)?, grid)?;
    let mut present = vec![false; grid.steps];
    for cells in table.cells() {
        present.iter_mut().zip(cells).for_each(|(present, value)| *present |= !is_stale(*value));
    }
    absences(engine, arg(it, 0)?, &present, grid)
}

fn absent_over_time(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let range = arg(it, 0)?;
    absences(engine, range, &range::any_present(engine, range, grid)?, grid)
}

/// 1 where nothing is, with the labels that the selector asks for.
fn absences(engine: &Engine<'_>, of: &Expr, present: &[bool], grid: Grid) -> Result<Table, EvalError> {
    let labels = match of {
        Expr::Selector(series) => asked(series)?,
        Expr::Range(range) => asked(&range.series)?,
        _ => Labels::default(),
    };
    let values: Vec<f64> = present.iter().map(|present| if *present { NOTHING } else { 1.0 }).collect();
    let mut table = engine.table(grid.steps);
    table.push(Row { labels, drop_name: false }, &values)?;
    Ok(table)
}

/// The labels whose values a selector fixes.
fn asked(series: &Selected) -> Result<Labels, EvalError> {
    let mut labels = Labels::default().to_builder();
    let mut seen = std::collections::BTreeSet::new();
    for matcher in series.matchers.iter().filter(|matcher| matcher.name() != ops_samples::NAME) {
        if matcher.op() == ops_series::MatchOp::Equal && seen.insert(matcher.name()) {
            labels.set(matcher.name(), matcher.value());
        } else {
            labels.remove(matcher.name());
        }
    }
    labels.build().map_err(|error| EvalError::Execution(error.to_string()))
}
