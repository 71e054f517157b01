//! Functions of the samples in a range.

mod rate;
mod statistic;
mod window;

use ops_samples::{Labels, Sample, is_stale};
use ops_series::{Selection, Want};

use super::engine::{Data, Engine, Grid, Numbers};
use super::number::clean;
use super::table::{Held, NOTHING, Row, Table};
use crate::EvalError;
use crate::plan::{Call, Expr, RangeFunction};
pub(crate) use statistic::Mean;
use window::{Kernel, Window, Windows};

/// Series with all samples that any step's range may hold.
pub(crate) struct Found {
    pub(crate) selection: Selection,
    /// Of each series: its name is to be taken away. Empty: of none.
    dropped: Vec<bool>,
    windows: Windows,
    _held: Held,
}

impl Found {
    pub(crate) fn iter(&self) -> impl Iterator<Item = ((&Labels, &[Sample]), bool)> {
        let dropped = self.dropped.iter().copied().chain(std::iter::repeat(false));
        self.selection.iter().zip(dropped)
    }
}

/// The samples of a range selector or a subquery.
pub(crate) fn ranged(engine: &Engine<'_>, expr: &Expr, grid: Grid) -> Result<Found, EvalError> {
    let mut held = engine.held();
    match expr {
        Expr::Range(range) => {
            let (first, last) = engine.span(range.series.at, range.series.offset_ms, grid);
            let after = first.saturating_sub(range.range_ms);
            let selection = engine.select(&range.series, (after, last), Want::All)?;
            held.grow(selection.samples())?;
            let windows = Windows::new(first, last, range.range_ms, grid);
            Ok(Found { selection, dropped: Vec::new(), windows, _held: held })
        }
        Expr::Subquery(sub) => {
            let (first, last) = engine.span(sub.at, sub.offset_ms, grid);
            let windows = Windows::new(first, last, sub.range_ms, grid);
            let (selection, dropped) = match engine.subgrid(sub, grid)? {
                Some(inner) => samples(engine, engine.eval(&sub.expr, inner)?, inner, &mut held)?,
                None => Default::default(),
            };
            Ok(Found { selection, dropped, windows, _held: held })
        }
        _ => Err(EvalError::Execution("expected a range of samples".to_owned())),
    }
}

/// What was computed at each step, as samples.
fn samples(
    engine: &Engine<'_>,
    data: Data,
    grid: Grid,
    held: &mut Held,
) -> Result<(Selection, Vec<bool>), EvalError> {
    let table = match data {
        Data::Vector(table) => table,
        Data::Scalar(values) => {
            let mut table = engine.table(grid.steps);
            table.push(Row { labels: Labels::default(), drop_name: false }, &values)?;
            table
        }
        Data::Text(_) => return Err(EvalError::Execution("expected samples".to_owned())),
    };
    let mut selection = Selection::default();
    for (row, cells) in table.rows.iter().zip(table.cells()) {
        selection.begin(row.labels.clone());
        for (step, value) in cells.iter().enumerate().filter(|(_, value)| !is_stale(**value)) {
            selection.push(Sample { at_ms: grid.at(step), value: *value });
        }
        selection.end();
    }
    held.grow(selection.samples())?;
    Ok((selection, table.rows.iter().map(|row| row.drop_name).collect()))
}

/// Evaluates a function of samples in a range.
pub(crate) fn call(
    engine: &Engine<'_>,
    function: RangeFunction,
    call: &Call,
    grid: Grid,
) -> Result<Table, EvalError> {
    let (Some(range), args) = split(engine, call, grid)? else {
        return Err(EvalError::Execution("expected a range of samples".to_owned()));
    };
    let found = ranged(engine, range, grid)?;
    let kernel = window::kernel(function);
    let keeps_name = matches!(function, RangeFunction::First | RangeFunction::Last);
    let mut table = engine.table(grid.steps);
    table.rows.reserve(found.selection.len());
    let mut counters = Counters::new(engine, function);
    let mut run = Run { kernel, args: &args, grid, clean: Vec::new(), scratch: Vec::new() };
    if !found.selection.is_empty() {
        check_args(engine, function, &args)?;
    }
    let mut cells = vec![NOTHING; grid.steps];
    for (at, ((labels, samples), dropped)) in found.iter().enumerate() {
        engine.check_now_and_then(at)?;
        run.fill(&found.windows, samples, &mut cells);
        let before = table.rows.len();
        table.push(Row { labels: labels.clone(), drop_name: !keeps_name || dropped }, &cells)?;
        if table.rows.len() > before {
            counters.see(labels);
        }
    }
    Ok(table)
}

/// Whether any series has a sample at each step.
pub(crate) fn any_present(engine: &Engine<'_>, expr: &Expr, grid: Grid) -> Result<Vec<bool>, EvalError> {
    let found = ranged(engine, expr, grid)?;
    let kernel = window::kernel(RangeFunction::Present);
    let mut run = Run { kernel, args: &[], grid, clean: Vec::new(), scratch: Vec::new() };
    let mut cells = vec![NOTHING; grid.steps];
    let mut present = vec![false; grid.steps];
    for (at, ((_, samples), _)) in found.iter().enumerate() {
        engine.check_now_and_then(at)?;
        run.fill(&found.windows, samples, &mut cells);
        present.iter_mut().zip(&cells).for_each(|(present, value)| *present |= !is_stale(*value));
    }
    Ok(present)
}

type Args = Vec<Numbers>;

/// The range that a function is given, and the numbers, which may differ from step to step.
fn split<'a>(engine: &Engine<'_>, call: &'a Call, grid: Grid) -> Result<(Option<&'a Expr>, Args), EvalError> {
    let mut range = None;
    let mut args = Vec::new();
    for arg in &call.args {
        match arg {
            Expr::Range(_) | Expr::Subquery(_) => range = Some(arg),
            _ => args.push(engine.scalar(arg, grid)?),
        }
    }
    Ok((range, args))
}

fn check_args(engine: &Engine<'_>, function: RangeFunction, args: &Args) -> Result<(), EvalError> {
    match function {
        RangeFunction::DoubleExponentialSmoothing => {
            for (name, short, values) in [("smoothing", "sf", args.first()), ("trend", "tf", args.get(1))] {
                let wrong = values
                    .into_iter()
                    .flat_map(|values| values.iter())
                    .find(|value| **value <= 0.0 || **value >= 1.0);
                if let Some(wrong) = wrong {
                    return Err(EvalError::Execution(format!(
                        "invalid {name} factor. Expected: 0 < {short} < 1, got: {wrong:.6}"
                    )));
                }
            }
        }
        RangeFunction::Quantile => {
            let wrong = |q: &&f64| q.is_nan() || **q < 0.0 || **q > 1.0;
            args.iter()
                .flat_map(|values| values.iter())
                .filter(wrong)
                .for_each(|q| engine.notes.borrow_mut().quantile(*q));
        }
        _ => {}
    }
    Ok(())
}

/// One function over the windows of many series.
struct Run<'a> {
    kernel: Kernel,
    args: &'a [Numbers],
    grid: Grid,
    clean: Vec<Sample>,
    scratch: Vec<f64>,
}

impl Run<'_> {
    /// The values of one series at all steps.
    fn fill(&mut self, windows: &Windows, samples: &[Sample], cells: &mut [f64]) {
        let stale = samples.iter().any(|sample| is_stale(sample.value));
        if stale {
            self.clean.clear();
            self.clean.extend(samples.iter().filter(|sample| !is_stale(sample.value)));
        }
        let samples = if stale { self.clean.as_slice() } else { samples };
        let (mut start, mut end) = (0, 0);
        for (step, cell) in cells.iter_mut().enumerate() {
            let end_ms = windows.end(step);
            let start_ms = end_ms.saturating_sub(windows.range_ms);
            start +=
                samples.get(start..).unwrap_or_default().iter().take_while(|it| it.at_ms <= start_ms).count();
            end = end.max(start);
            end += samples.get(end..).unwrap_or_default().iter().take_while(|it| it.at_ms <= end_ms).count();
            let arg = |at: usize| self.args.get(at).and_then(|it| it.get(step)).copied().unwrap_or(f64::NAN);
            let window = Window {
                samples: samples.get(start..end).unwrap_or_default(),
                end_ms,
                range_ms: windows.range_ms,
                at_ms: self.grid.at(step),
                args: [arg(0), arg(1)],
            };
            let value =
                if window.samples.is_empty() { None } else { (self.kernel)(&window, &mut self.scratch) };
            *cell = value.map_or(NOTHING, clean);
        }
    }
}

/// Says of metrics under `rate` and `increase` that they may be no counters.
struct Counters<'a, 'b> {
    engine: Option<&'a Engine<'b>>,
    last: String,
}

impl<'a, 'b> Counters<'a, 'b> {
    fn new(engine: &'a Engine<'b>, function: RangeFunction) -> Self {
        let of_counters = matches!(function, RangeFunction::Rate | RangeFunction::Increase);
        Self { engine: of_counters.then_some(engine), last: String::new() }
    }

    fn see(&mut self, labels: &Labels) {
        let Some(engine) = self.engine else { return };
        let metric = labels.metric();
        if metric == self.last {
            return;
        }
        metric.clone_into(&mut self.last);
        let counts = ["_total", "_sum", "_count", "_bucket"].iter().any(|end| metric.ends_with(end));
        if !counts && !metric.is_empty() {
            engine.notes.borrow_mut().no_counter(metric);
        }
    }
}
