use ops_samples::Sample;

use super::super::number;
use super::Window;

fn values<'a>(window: &Window<'a>) -> impl Iterator<Item = f64> + use<'a> {
    window.samples.iter().map(|sample| sample.value)
}

fn seconds(sample: &Sample) -> f64 {
    sample.at_ms as f64 / 1_000.0
}

pub(super) fn avg(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    let mut mean = Mean::default();
    values(window).for_each(|value| mean.add(value));
    Some(mean.get())
}

/// A mean: of the sum, or step by step once the sum is too large.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mean {
    pub(crate) count: f64,
    sum: f64,
    lost: f64,
    stepwise: bool,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.sum = value;
            return;
        }
        if !self.stepwise {
            let (sum, lost) = number::add(value, self.sum, self.lost);
            if !sum.is_infinite() {
                (self.sum, self.lost) = (sum, lost);
                return;
            }
            self.stepwise = true;
            self.sum /= self.count - 1.0;
            self.lost /= self.count - 1.0;
        }
        let share = (self.count - 1.0) / self.count;
        (self.sum, self.lost) = number::add(value / self.count, share * self.sum, share * self.lost);
    }

    pub(crate) fn get(&self) -> f64 {
        if self.stepwise { self.sum + self.lost } else { self.sum / self.count + self.lost / self.count }
    }
}

pub(super) fn sum(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    let (sum, lost) = values(window).fold((0.0, 0.0), |(sum, lost), value| number::add(value, sum, lost));
    Some(if sum.is_infinite() { sum } else { sum + lost })
}

pub(super) fn count(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    Some(window.samples.len() as f64)
}

pub(super) fn present(_: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    Some(1.0)
}

pub(super) fn first(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    window.samples.first().map(|sample| sample.value)
}

pub(super) fn last(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    window.samples.last().map(|sample| sample.value)
}

pub(super) fn time_of_first(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    window.samples.first().map(seconds)
}

pub(super) fn time_of_last(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    window.samples.last().map(seconds)
}

/// The sample that wins over all before it; any wins over NaN.
fn best<'a>(window: &Window<'a>, wins: impl Fn(f64, f64) -> bool) -> Option<&'a Sample> {
    window.samples.iter().reduce(
        |best, it| {
            if wins(it.value, best.value) || best.value.is_nan() { it } else { best }
        },
    )
}

pub(super) fn max(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    best(window, |it, best| it > best).map(|sample| sample.value)
}

pub(super) fn min(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    best(window, |it, best| it < best).map(|sample| sample.value)
}

pub(super) fn time_of_max(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    best(window, |it, best| it >= best).map(seconds)
}

pub(super) fn time_of_min(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    best(window, |it, best| it <= best).map(seconds)
}

fn pairs<'a>(window: &Window<'a>) -> impl Iterator<Item = (f64, f64)> + use<'a> {
    values(window).zip(values(window).skip(1))
}

pub(super) fn resets(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    Some(pairs(window).filter(|(a, b)| b < a).count() as f64)
}

pub(super) fn changes(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    Some(pairs(window).filter(|(a, b)| a != b && !(a.is_nan() && b.is_nan())).count() as f64)
}

pub(super) fn quantile(window: &Window<'_>, scratch: &mut Vec<f64>) -> Option<f64> {
    scratch.clear();
    scratch.extend(values(window));
    let [q, _] = window.args;
    Some(number::quantile(q, scratch))
}

/// The median of the distances from the median.
pub(super) fn mad(window: &Window<'_>, scratch: &mut Vec<f64>) -> Option<f64> {
    if values(window).any(f64::is_nan) {
        return Some(f64::NAN);
    }
    scratch.clear();
    scratch.extend(values(window));
    let median = number::quantile(0.5, scratch);
    scratch.iter_mut().for_each(|value| *value = (*value - median).abs());
    Some(number::quantile(0.5, scratch))
}

pub(super) fn stdvar(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    let (mut count, mut mean, mut squares) = (0.0, (0.0, 0.0), (0.0, 0.0));
    for value in values(window) {
        count += 1.0;
        let distance = value - (mean.0 + mean.1);
        mean = number::add(distance / count, mean.0, mean.1);
        squares = number::add(distance * (value - (mean.0 + mean.1)), squares.0, squares.1);
    }
    Some((squares.0 + squares.1) / count)
}

pub(super) fn stddev(window: &Window<'_>, scratch: &mut Vec<f64>) -> Option<f64> {
    stdvar(window, scratch).map(f64::sqrt)
}

/// Holt's linear method: a level and a trend, each smoothed by its own factor.
pub(super) fn double_exponential_smoothing(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    let [first, second, ..] = window.samples else { return None };
    let [smoothing, trend_factor] = window.args;
    let (mut before, mut level) = (0.0, first.value);
    let mut trend = second.value - first.value;
    for (at, sample) in window.samples.iter().enumerate().skip(1) {
        if at > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let next = smoothing * sample.value + (1.0 - smoothing) * (level + trend);
        (before, level) = (level, next);
    }
    Some(level)
}
