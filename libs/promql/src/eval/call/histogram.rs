//! Functions of classic histograms: series that differ in `le` alone.

use ops_samples::{Labels, is_stale};

use super::super::engine::{Engine, Grid};
use super::super::notes::Forced;
use super::super::number;
use super::super::signature::{Counted, Signatures};
use super::super::table::{NOTHING, Row, Table};
use super::{arg, text};
use crate::EvalError;
use crate::plan::Call;

/// The label with the upper bound of a bucket.
const BOUND: &str = "le";

/// Counts that differ by less than this share differ by rounding alone.
const TOLERANCE: f64 = 1e-12;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bucket {
    upper: f64,
    count: f64,
}

/// `histogram_quantile(q, v)`
pub(super) fn quantile(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let quantiles = engine.scalar(arg(it, 0)?, grid)?;
    let histograms = Histograms::read(engine, engine.vector(arg(it, 1)?, grid)?)?;
    say_wrong(engine, &quantiles);
    let mut table = engine.table(grid.steps);
    histograms.each(
        engine,
        |labels, metric, step, buckets| {
            let q = quantiles.get(step).copied().unwrap_or(f64::NAN);
            let _ = labels;
            quantile_of(engine, q, metric, grid.at(step), buckets)
        },
        |labels| Ok(labels.clone()),
        &mut table,
    )?;
    Ok(table)
}

/// `histogram_quantiles(v, label, q, …)`
pub(super) fn quantiles(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let histograms = Histograms::read(engine, engine.vector(arg(it, 0)?, grid)?)?;
    let label = text(it, 1)?;
    let mut table = engine.table(grid.steps);
    for at in 2..it.args.len() {
        let quantiles = engine.scalar(arg(it, at)?, grid)?;
        say_wrong(engine, &quantiles);
        let value = number::open_metrics(quantiles.first().copied().unwrap_or(f64::NAN));
        histograms.each(
            engine,
            |_, metric, step, buckets| {
                let q = quantiles.get(step).copied().unwrap_or(f64::NAN);
                quantile_of(engine, q, metric, grid.at(step), buckets)
            },
            |labels| with(labels, label, &value),
            &mut table,
        )?;
    }
    Ok(table)
}

/// `histogram_fraction(lower, upper, v)`
pub(super) fn fraction(engine: &Engine<'_>, it: &Call, grid: Grid) -> Result<Table, EvalError> {
    let (lower, upper) = (engine.scalar(arg(it, 0)?, grid)?, engine.scalar(arg(it, 1)?, grid)?);
    let histograms = Histograms::read(engine, engine.vector(arg(it, 2)?, grid)?)?;
    let mut table = engine.table(grid.steps);
    let at = |bounds: &[f64], step: usize| bounds.get(step).copied().unwrap_or(f64::NAN);
    histograms.each(
        engine,
        |_, _, step, buckets| fraction_of(at(&lower, step), at(&upper, step), buckets),
        |labels| Ok(labels.clone()),
        &mut table,
    )?;
    Ok(table)
}

fn say_wrong(engine: &Engine<'_>, quantiles: &[f64]) {
    let wrong = |q: &&f64| q.is_nan() || **q < 0.0 || **q > 1.0;
    quantiles.iter().filter(wrong).for_each(|q| engine.notes.borrow_mut().quantile(*q));
}

fn with(labels: &Labels, name: &str, value: &str) -> Result<Labels, EvalError> {
    let pairs = labels.iter().filter(|(it, _)| *it != name).chain([(name, value)]);
    Labels::new(pairs).map_err(|error| EvalError::Execution(error.to_string()))
}

/// Series put together to histograms.
struct Histograms {
    table: Table,
    /// Of each histogram: its labels, and the bounds and rows of its buckets, ordered by bound.
    of: Vec<(Labels, Vec<(f64, usize)>)>,
}

impl Histograms {
    fn read(engine: &Engine<'_>, table: Table) -> Result<Self, EvalError> {
        let mut signatures = Signatures::default();
        let mut of: Vec<(Labels, Vec<(f64, usize)>)> = Vec::new();
        for (at, row) in table.rows.iter().enumerate() {
            engine.check_now_and_then(at)?;
            let bound = row.labels.get(BOUND).unwrap_or_default();
            let Some(upper) = parse(bound) else {
                engine.notes.borrow_mut().bucket(row.labels.metric(), bound);
                continue;
            };
            let number = signatures.of(&row.labels, Counted::ExceptOne(BOUND)) as usize;
            if number == of.len() {
                let pairs = row.labels.iter().filter(|(name, _)| *name != BOUND);
                of.push((Labels::from_sorted(pairs).unwrap_or_default(), Vec::new()));
            }
            if let Some((_, buckets)) = of.get_mut(number) {
                buckets.push((upper, at));
            }
        }
        for (_, buckets) in &mut of {
            buckets.sort_by(|(a, _), (b, _)| number::ascending(a, b));
        }
        Ok(Self { table, of })
    }

    /// Computes a value of each histogram at each step at which it has buckets.
    fn each(
        &self,
        engine: &Engine<'_>,
        compute: impl Fn(&Labels, &str, usize, &mut Vec<Bucket>) -> f64,
        name: impl Fn(&Labels) -> Result<Labels, EvalError>,
        into: &mut Table,
    ) -> Result<(), EvalError> {
        let steps = self.table.steps;
        let mut buckets = Vec::new();
        let mut cells = vec![NOTHING; steps];
        for (at, (labels, rows)) in self.of.iter().enumerate() {
            engine.check_now_and_then(at)?;
            for (step, cell) in cells.iter_mut().enumerate() {
                buckets.clear();
                for (upper, row) in rows {
                    let count = self.table.values.get(row * steps + step).copied().unwrap_or(NOTHING);
                    if !is_stale(count) {
                        buckets.push(Bucket { upper: *upper, count });
                    }
                }
                *cell = if buckets.is_empty() {
                    NOTHING
                } else {
                    number::clean(compute(labels, labels.metric(), step, &mut buckets))
                };
            }
            into.push(Row { labels: name(labels)?, drop_name: true }, &cells)?;
        }
        Ok(())
    }
}

fn parse(bound: &str) -> Option<f64> {
    bound.parse().ok()
}

/// Adds the counts of buckets with the same bound.
fn coalesce(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|next, first| {
        let same = next.upper == first.upper;
        if same {
            first.count += next.count;
        }
        same
    });
}

fn has_last(buckets: &[Bucket]) -> bool {
    buckets.last().is_some_and(|last| last.upper == f64::INFINITY)
}

fn quantile_of(engine: &Engine<'_>, q: f64, metric: &str, at_ms: i64, buckets: &mut Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    if !has_last(buckets) {
        return f64::NAN;
    }
    coalesce(buckets);
    if let Some(forced) = raise(buckets, at_ms) {
        engine.notes.borrow_mut().forced(metric, forced);
    }
    interpolated(q, buckets)
}

/// The value below which a share `q` of the observations is, if they are spread evenly over their bucket.
fn interpolated(q: f64, buckets: &[Bucket]) -> f64 {
    let [below @ .., last] = buckets else { return f64::NAN };
    let (Some(first), Some(highest)) = (below.first(), below.last()) else { return f64::NAN };
    if last.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * last.count;
    let at = below.partition_point(|bucket| bucket.count < rank || bucket.count.is_nan() || rank.is_nan());
    let Some(bucket) = below.get(at) else { return highest.upper };
    if at == 0 && first.upper <= 0.0 {
        return first.upper;
    }
    let before =
        at.checked_sub(1).and_then(|at| below.get(at)).copied().unwrap_or(Bucket { upper: 0.0, count: 0.0 });
    before.upper + (bucket.upper - before.upper) * ((rank - before.count) / (bucket.count - before.count))
}

/// Raises counts that are below those of lower buckets, which cannot be; small differences are rounding.
fn raise(buckets: &mut [Bucket], at_ms: i64) -> Option<Forced> {
    let mut forced: Option<Forced> = None;
    let mut before = buckets.first()?.count;
    for bucket in buckets.iter_mut().skip(1) {
        let count = bucket.count;
        if count == before {
            continue;
        }
        let rounding = almost_equal(before, count);
        let fell = count < before;
        if !rounding && !fell {
            before = count;
            continue;
        }
        bucket.count = before;
        if !rounding {
            let all = forced.get_or_insert(Forced {
                lowest: bucket.upper,
                highest: bucket.upper,
                most: 0.0,
                samples: 1,
                first_ms: at_ms,
                last_ms: at_ms,
            });
            all.highest = all.highest.max(bucket.upper);
            all.most = all.most.max(before - count);
        }
    }
    forced
}

fn almost_equal(a: f64, b: f64) -> bool {
    if a.is_nan() && b.is_nan() {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

/// The share of the observations between two values.
fn fraction_of(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !has_last(buckets) {
        return f64::NAN;
    }
    coalesce(buckets);
    let count = buckets.last().map_or(0.0, |last| last.count);
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets).min(count) - rank_of(lower, buckets).min(count)) / count
}

/// How many observations are below a value.
fn rank_of(value: f64, buckets: &[Bucket]) -> f64 {
    let mut bound =
        if buckets.first().is_some_and(|first| first.upper <= 0.0) { f64::NEG_INFINITY } else { 0.0 };
    let mut rank = 0.0;
    for bucket in buckets {
        if bound >= value {
            return rank;
        }
        if bucket.upper > value {
            if bound == f64::NEG_INFINITY {
                return bucket.count;
            }
            return rank + (bucket.count - rank) * (value - bound) / (bucket.upper - bound);
        }
        rank = bucket.count;
        bound = bucket.upper;
    }
    f64::INFINITY
}
