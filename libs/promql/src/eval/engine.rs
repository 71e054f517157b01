use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::time::Instant;

use ops_samples::{Sample, is_stale};
use ops_series::{Select, SelectError, Selection, Source};

use super::notes::Notes;
use super::table::{Held, Table};
use super::{aggregate, binary, call, range, select};
use crate::plan::{At, Expr, Selected, Subquery};
use crate::{EvalError, Limits, RangeSeries};

/// The times at which something is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) start_ms: i64,
    pub(crate) step_ms: i64,
    /// At least one.
    pub(crate) steps: usize,
}

impl Grid {
    pub(crate) fn once(at_ms: i64) -> Self {
        Self { start_ms: at_ms, step_ms: 1, steps: 1 }
    }

    /// When the step number `step` is.
    pub(crate) fn at(&self, step: usize) -> i64 {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(self.step_ms.saturating_mul(step))
    }

    pub(crate) fn last(&self) -> i64 {
        self.at(self.steps.saturating_sub(1))
    }
}

/// The value of an expression at all steps.
#[derive(Debug)]
pub(crate) enum Data {
    Scalar(Numbers),
    Text(String),
    Vector(Table),
}

/// One number for each step.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) values: Vec<f64>,
    _held: Held,
}

impl Deref for Numbers {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.values
    }
}

/// One evaluation.
pub(crate) struct Engine<'a> {
    source: &'a dyn Source,
    limits: &'a Limits,
    /// Of the whole query, which `start()` and `end()` mean.
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    /// Zero for an instant query.
    pub(crate) step_ms: i64,
    held: Rc<Cell<usize>>,
    pub(crate) notes: RefCell<Notes>,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        source: &'a dyn Source,
        limits: &'a Limits,
        (start_ms, end_ms, step_ms): (i64, i64, i64),
    ) -> Self {
        Self { source, limits, start_ms, end_ms, step_ms, held: Rc::default(), notes: RefCell::default() }
    }

    /// Evaluates an expression that is no range of samples.
    pub(crate) fn eval(&self, expr: &Expr, grid: Grid) -> Result<Data, EvalError> {
        self.check_time()?;
        if grid.steps > 1 && !matches!(expr, Expr::Number(_) | Expr::Text(_)) && expr.is_fixed() {
            let once = self.eval(expr, Grid { steps: 1, ..grid })?;
            return self.repeat(once, grid.steps);
        }
        match expr {
            Expr::Number(number) => self.numbers(vec![*number; grid.steps]).map(Data::Scalar),
            Expr::Text(text) => Ok(Data::Text(text.clone())),
            Expr::Selector(series) => {
                select::instant(self, series, grid, select::Take::Values).map(Data::Vector)
            }
            Expr::Negate(inner) => Ok(call::negate(self.eval(inner, grid)?)),
            Expr::Chain(chain) => binary::chain(self, chain, grid),
            Expr::Aggregate(it) => aggregate::aggregate(self, it, grid).map(Data::Vector),
            Expr::Call(it) => call::call(self, it, grid),
            Expr::Range(_) | Expr::Subquery(_) => {
                Err(EvalError::Execution("a range of samples must be given to a function".to_owned()))
            }
        }
    }

    /// An expression whose value is a number at each step.
    pub(crate) fn scalar(&self, expr: &Expr, grid: Grid) -> Result<Numbers, EvalError> {
        match self.eval(expr, grid)? {
            Data::Scalar(values) => Ok(values),
            _ => Err(EvalError::Execution("expected a scalar".to_owned())),
        }
    }

    /// An expression whose value is an instant vector.
    pub(crate) fn vector(&self, expr: &Expr, grid: Grid) -> Result<Table, EvalError> {
        match self.eval(expr, grid)? {
            Data::Vector(table) => Ok(table),
            _ => Err(EvalError::Execution("expected an instant vector".to_owned())),
        }
    }

    /// The samples themselves of a range at one time.
    pub(crate) fn matrix(&self, expr: &Expr, at_ms: i64) -> Result<Vec<RangeSeries>, EvalError> {
        let ranged = range::ranged(self, expr, Grid::once(at_ms))?;
        let mut series = Vec::new();
        for ((labels, samples), dropped) in ranged.iter() {
            let samples: Vec<Sample> = samples.iter().filter(|it| !is_stale(it.value)).copied().collect();
            if !samples.is_empty() {
                let labels = if dropped { super::table::nameless(labels) } else { labels.clone() };
                series.push(RangeSeries { labels, samples });
            }
        }
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(series)
    }

    /// The steps at which a subquery is evaluated for those of `grid`; `None` when there is none.
    pub(crate) fn subgrid(&self, sub: &Subquery, grid: Grid) -> Result<Option<Grid>, EvalError> {
        let (first, last) = self.span(sub.at, sub.offset_ms, grid);
        let after = first.saturating_sub(sub.range_ms);
        let start_ms = after.div_euclid(sub.step_ms).saturating_add(1).saturating_mul(sub.step_ms);
        if start_ms > last {
            return Ok(None);
        }
        let steps = usize::try_from((last - start_ms) / sub.step_ms + 1).unwrap_or(usize::MAX);
        if steps > self.limits.max_samples {
            return Err(self.too_many());
        }
        Ok(Some(Grid { start_ms, step_ms: sub.step_ms, steps }))
    }

    /// The times that are meant at the first and last step.
    pub(crate) fn span(&self, at: Option<At>, offset_ms: i64, grid: Grid) -> (i64, i64) {
        let (first, last) = match self.fixed(at) {
            Some(at_ms) => (at_ms, at_ms),
            None => (grid.start_ms, grid.last()),
        };
        (first.saturating_sub(offset_ms), last.saturating_sub(offset_ms))
    }

    /// The time that `@` means.
    pub(crate) fn fixed(&self, at: Option<At>) -> Option<i64> {
        at.map(|at| match at {
            At::Start => self.start_ms,
            At::End => self.end_ms,
            At::Ms(at_ms) => at_ms,
        })
    }

    pub(crate) fn lookback_ms(&self) -> i64 {
        self.limits.lookback_ms
    }

    /// Reads what a selector names.
    pub(crate) fn select(
        &self,
        series: &Selected,
        (after_ms, until_ms): (i64, i64),
        want: ops_series::Want,
    ) -> Result<Selection, EvalError> {
        let max_samples = self.limits.max_samples.saturating_sub(self.held.get());
        let select = Select { matchers: &series.matchers, after_ms, until_ms, want, max_samples };
        self.source.select(&select).map_err(|error| match error {
            SelectError::TooManySamples(_) => self.too_many(),
            error => EvalError::Select(error),
        })
    }

    /// An account of samples that are held.
    pub(crate) fn held(&self) -> Held {
        Held::new(Rc::clone(&self.held), self.limits.max_samples)
    }

    /// Numbers that count as samples.
    pub(crate) fn numbers(&self, values: Vec<f64>) -> Result<Numbers, EvalError> {
        let mut held = self.held();
        held.grow(values.len())?;
        Ok(Numbers { values, _held: held })
    }

    pub(crate) fn table(&self, steps: usize) -> Table {
        Table::new(steps, self.held())
    }

    pub(crate) fn too_many(&self) -> EvalError {
        super::table::too_many()
    }

    /// Gives up when the time is over.
    pub(crate) fn check_time(&self) -> Result<(), EvalError> {
        match self.limits.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(EvalError::Timeout),
            _ => Ok(()),
        }
    }

    /// Looks at the clock now and then, for loops with many rounds.
    pub(crate) fn check_now_and_then(&self, round: usize) -> Result<(), EvalError> {
        if round.is_multiple_of(1024) { self.check_time() } else { Ok(()) }
    }

    /// One value for all steps.
    pub(crate) fn repeat(&self, data: Data, steps: usize) -> Result<Data, EvalError> {
        Ok(match data {
            Data::Text(text) => Data::Text(text),
            Data::Scalar(values) => {
                Data::Scalar(self.numbers(vec![values.first().copied().unwrap_or(f64::NAN); steps])?)
            }
            Data::Vector(once) => {
                let mut table = self.table(steps);
                for (row, value) in once.rows.into_iter().zip(once.values) {
                    let values = vec![value; steps];
                    table.push(row, &values)?;
                }
                Data::Vector(table)
            }
        })
    }
}
