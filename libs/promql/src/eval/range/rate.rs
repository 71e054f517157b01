use ops_samples::Sample;

use super::super::number::add;
use super::Window;

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

pub(super) fn rate(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    extrapolated(window, true).map(|(result, factor)| result * (factor / seconds(window.range_ms)))
}

pub(super) fn increase(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    extrapolated(window, true).map(|(result, factor)| result * factor)
}

pub(super) fn delta(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    extrapolated(window, false).map(|(result, factor)| result * factor)
}

/// How much the series grew between its first and last sample, and by what this is multiplied so that it is for the
/// whole range: samples that are close to its ends are taken to go on to them.
fn extrapolated(window: &Window<'_>, counter: bool) -> Option<(f64, f64)> {
    let [first, .., last] = window.samples else { return None };
    let mut result = last.value - first.value;
    if counter {
        let mut before = first.value;
        for sample in window.samples {
            // A counter that fell began anew at zero.
            if sample.value < before {
                result += before;
            }
            before = sample.value;
        }
    }
    let mut to_start = seconds(first.at_ms - (window.end_ms - window.range_ms));
    let mut to_end = seconds(window.end_ms - last.at_ms);
    let sampled = seconds(last.at_ms - first.at_ms);
    let between = sampled / (window.samples.len() - 1) as f64;
    let close = between * 1.1;
    if to_start >= close {
        to_start = between / 2.0;
    }
    if counter && result > 0.0 && first.value >= 0.0 {
        // It cannot have been below zero.
        to_start = to_start.min(sampled * (first.value / result));
    }
    if to_end >= close {
        to_end = between / 2.0;
    }
    let factor = if sampled == 0.0 { 1.0 } else { (sampled + to_start + to_end) / sampled };
    Some((result, factor))
}

pub(super) fn irate(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    let (a, b) = last_two(window)?;
    let grown = if b.value < a.value { b.value } else { b.value - a.value };
    Some(grown / seconds(b.at_ms - a.at_ms))
}

pub(super) fn idelta(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    last_two(window).map(|(a, b)| b.value - a.value)
}

fn last_two<'a>(window: &Window<'a>) -> Option<(&'a Sample, &'a Sample)> {
    match window.samples {
        [.., a, b] if a.at_ms != b.at_ms => Some((a, b)),
        _ => None,
    }
}

pub(super) fn deriv(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    let [first, _, ..] = window.samples else { return None };
    Some(regression(window.samples, first.at_ms).0)
}

pub(super) fn predict_linear(window: &Window<'_>, _: &mut Vec<f64>) -> Option<f64> {
    let [_, _, ..] = window.samples else { return None };
    let (slope, intercept) = regression(window.samples, window.at_ms);
    let [ahead, _] = window.args;
    Some(slope * ahead + intercept)
}

/// Slope per second, and value at a time, of the line with the least squares.
fn regression(samples: &[Sample], at_ms: i64) -> (f64, f64) {
    let initial = samples.first().map_or(f64::NAN, |sample| sample.value);
    if samples.iter().skip(1).all(|sample| sample.value == initial) {
        return if initial.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, initial) };
    }
    let (mut x, mut y, mut xy, mut xx) = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0));
    for sample in samples {
        let time = seconds(sample.at_ms - at_ms);
        x = add(time, x.0, x.1);
        y = add(sample.value, y.0, y.1);
        xy = add(time * sample.value, xy.0, xy.1);
        xx = add(time * time, xx.0, xx.1);
    }
    let n = samples.len() as f64;
    let (x, y, xy, xx) = (x.0 + x.1, y.0 + y.1, xy.0 + xy.1, xx.0 + xx.1);
    let slope = (xy - x * y / n) / (xx - x * x / n);
    (slope, y / n - slope * x / n)
}
