use ops_samples::is_stale;

use super::super::engine::Engine;
use super::super::number::{self, clean};
use super::super::range::Mean;
use super::super::table::{NOTHING, Table};
use super::Groups;
use crate::EvalError;
use crate::plan::{Aggregate, Aggregation};

/// A group's value at a step, while values are added to it.
trait Sum: Clone + Default {
    fn add(&mut self, value: f64);
    /// `None` when nothing was added.
    fn get(&self) -> Option<f64>;
}

/// Aggregations that take one value after the other.
pub(super) fn fold(engine: &Engine<'_>, it: &Aggregate, table: &Table) -> Result<Table, EvalError> {
    match it.aggregation {
        Aggregation::Sum => run::<Total>(engine, it, table),
        Aggregation::Avg => run::<Average>(engine, it, table),
        Aggregation::Min => run::<Least>(engine, it, table),
        Aggregation::Max => run::<Greatest>(engine, it, table),
        Aggregation::Count => run::<Count>(engine, it, table),
        Aggregation::Group => run::<One>(engine, it, table),
        Aggregation::Stddev => run::<Deviation>(engine, it, table),
        _ => run::<Variance>(engine, it, table),
    }
}

fn run<S: Sum>(engine: &Engine<'_>, it: &Aggregate, table: &Table) -> Result<Table, EvalError> {
    let groups = Groups::new(engine, it, table)?;
    let steps = table.steps;
    let mut held = engine.held();
    held.grow(groups.len().saturating_mul(steps))?;
    let mut sums = vec![S::default(); groups.len() * steps];
    for (at, (cells, group)) in table.cells().zip(&groups.of).enumerate() {
        engine.check_now_and_then(at)?;
        let start = *group as usize * steps;
        let Some(sums) = sums.get_mut(start..start + steps) else { continue };
        for (sum, value) in sums.iter_mut().zip(cells) {
            if !is_stale(*value) {
                sum.add(*value);
            }
        }
    }
    let mut out = engine.table(steps);
    let mut cells = vec![NOTHING; steps];
    for (group, sums) in sums.chunks_exact(steps).enumerate() {
        cells.iter_mut().zip(sums).for_each(|(cell, sum)| *cell = sum.get().map_or(NOTHING, clean));
        out.push(groups.row(group, it, table), &cells)?;
    }
    Ok(out)
}

#[derive(Clone, Default)]
struct Total(Option<(f64, f64)>);

impl Sum for Total {
    fn add(&mut self, value: f64) {
        self.0 = Some(match self.0 {
            Some((sum, lost)) => number::add(value, sum, lost),
            None => (value, 0.0),
        });
    }

    fn get(&self) -> Option<f64> {
        self.0.map(|(sum, lost)| sum + lost)
    }
}

#[derive(Clone, Default)]
struct Average(Mean);

impl Sum for Average {
    fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    fn get(&self) -> Option<f64> {
        (self.0.count > 0.0).then(|| self.0.get())
    }
}

#[derive(Clone, Default)]
struct Least(Option<f64>);

impl Sum for Least {
    fn add(&mut self, value: f64) {
        // Anything wins over NaN.
        self.0 = Some(
            self.0.filter(|least| *least <= value || (value.is_nan() && !least.is_nan())).unwrap_or(value),
        );
    }

    fn get(&self) -> Option<f64> {
        self.0
    }
}

#[derive(Clone, Default)]
struct Greatest(Option<f64>);

impl Sum for Greatest {
    fn add(&mut self, value: f64) {
        self.0 =
            Some(self.0.filter(|most| *most >= value || (value.is_nan() && !most.is_nan())).unwrap_or(value));
    }

    fn get(&self) -> Option<f64> {
        self.0
    }
}

#[derive(Clone, Default)]
struct Count(f64);

impl Sum for Count {
    fn add(&mut self, _: f64) {
        self.0 += 1.0;
    }

    fn get(&self) -> Option<f64> {
        (self.0 > 0.0).then_some(self.0)
    }
}

#[derive(Clone, Default)]
struct One(bool);

impl Sum for One {
    fn add(&mut self, _: f64) {
        self.0 = true;
    }

    fn get(&self) -> Option<f64> {
        self.0.then_some(1.0)
    }
}

/// Welford's way: the mean, and the sum of the squares of the distances from it.
#[derive(Clone, Default)]
struct Variance {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Sum for Variance {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.mean = value;
            self.squares = if value.is_finite() { 0.0 } else { f64::NAN };
            return;
        }
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }

    fn get(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.squares / self.count)
    }
}

#[derive(Clone, Default)]
struct Deviation(Variance);

impl Sum for Deviation {
    fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    fn get(&self) -> Option<f64> {
        self.0.get().map(f64::sqrt)
    }
}
