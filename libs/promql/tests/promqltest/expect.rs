//! What a test expects, and whether an answer is that.

use std::collections::BTreeMap;

use ops_promql::notation::{Point, SeriesLine};
use ops_promql::{Answer, EvalError, Value};
use ops_samples::{Labels, Sample};
use regex::Regex;

#[derive(Default)]
pub(crate) struct Expected {
    pub(crate) fail: Option<Match>,
    pub(crate) warnings: Vec<Match>,
    pub(crate) infos: Vec<Match>,
    pub(crate) no_warnings: bool,
    pub(crate) no_infos: bool,
    pub(crate) ordered: bool,
    pub(crate) string: Option<String>,
    pub(crate) scalar: Option<f64>,
    pub(crate) range_vector: Option<(i64, i64)>,
    pub(crate) series: Vec<SeriesLine>,
}

pub(crate) enum Match {
    Any,
    Exactly(String),
    Regex(Regex),
}

impl Match {
    pub(crate) fn regex(pattern: &str) -> Self {
        Self::Regex(Regex::new(&format!("(?s:{pattern})")).unwrap())
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(wanted) => wanted == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Annotations end in the place in the expression that they are about, which ours do not know.
pub(crate) struct Annotation;

impl Annotation {
    pub(crate) fn without_position(text: &str) -> String {
        Regex::new(r" \(\d+:\d+\)$").unwrap().replace(text, "").into_owned()
    }

    pub(crate) fn pattern_without_position(pattern: &str) -> String {
        Regex::new(r" \\\([^ ]*\\\)\$?$").unwrap().replace(pattern, "").into_owned()
    }
}

impl Expected {
    pub(crate) fn has_histogram(&self) -> bool {
        self.series.iter().any(|line| line.points.contains(&Point::Histogram))
    }

    pub(crate) fn failure(&self, error: &str) -> Result<(), String> {
        match &self.fail {
            None => Err(format!("it failed: {error}")),
            Some(wanted) if wanted.matches(error) => Ok(()),
            Some(_) => Err(format!("another failure: {error}")),
        }
    }

    pub(crate) fn annotations(&self, answer: &Answer) -> Result<(), String> {
        let all = [
            ("warning", &self.warnings, self.no_warnings, &answer.warnings),
            ("info", &self.infos, self.no_infos, &answer.infos),
        ];
        for (kind, wanted, none, found) in all {
            if none && !found.is_empty() {
                return Err(format!("unexpected {kind}: {found:?}"));
            }
            let missing = wanted.iter().any(|wanted| !found.iter().any(|found| wanted.matches(found)));
            let more = !wanted.is_empty()
                && found.iter().any(|found| !wanted.iter().any(|wanted| wanted.matches(found)));
            if missing || more {
                return Err(format!("other {kind}s: {found:?}"));
            }
        }
        Ok(())
    }

    pub(crate) fn value(&self, value: &Value, when: Option<(i64, i64)>) -> Result<(), String> {
        match value {
            Value::String(text) if self.string.as_ref() == Some(text) => Ok(()),
            Value::String(text) => Err(format!("it is {text:?}")),
            Value::Scalar(sample) if self.scalar.is_some_and(|it| equal(it, sample.value)) => Ok(()),
            Value::Scalar(sample) => Err(format!("it is {}", sample.value)),
            Value::Vector(_) if self.scalar.is_some() => Err("it is a vector, not a scalar".to_owned()),
            Value::Vector(vector) => {
                let found: Vec<(&Labels, f64)> =
                    vector.iter().map(|it| (&it.labels, it.sample.value)).collect();
                self.vector(&found)
            }
            Value::Matrix(series) => {
                let Some((start_ms, step_ms)) = self.range_vector.or(when) else {
                    return Err("it is a matrix".to_owned());
                };
                let found = series.iter().map(|it| (&it.labels, it.samples.as_slice()));
                self.matrix(&found.collect(), start_ms, step_ms)
            }
        }
    }

    fn vector(&self, found: &[(&Labels, f64)]) -> Result<(), String> {
        let wanted = self.series.iter().filter_map(|line| match line.points.first() {
            Some(Point::Value(value)) => Some((&line.labels, *value)),
            _ => None,
        });
        let wanted: Vec<(&Labels, f64)> = wanted.collect();
        let same = |(a, x): &(&Labels, f64), (b, y): &(&Labels, f64)| a == b && equal(*x, *y);
        let all = wanted.iter().enumerate().all(|(at, wanted)| {
            if self.ordered {
                found.get(at).is_some_and(|it| same(it, wanted))
            } else {
                found.iter().any(|it| same(it, wanted))
            }
        });
        if wanted.len() == found.len() && all {
            Ok(())
        } else {
            Err(format!("it is {found:?}, not {wanted:?}"))
        }
    }

    fn matrix(
        &self,
        found: &BTreeMap<&Labels, &[Sample]>,
        start_ms: i64,
        step_ms: i64,
    ) -> Result<(), String> {
        let wrong = || Err(format!("it is {found:?}"));
        let mut wanted = 0;
        for line in &self.series {
            let at = |index: usize| start_ms + step_ms * index as i64;
            let points = line.points.iter().enumerate().filter_map(|(index, point)| match point {
                Point::Value(value) => Some((at(index), *value)),
                _ => None,
            });
            let points: Vec<(i64, f64)> = points.collect();
            if points.is_empty() {
                continue;
            }
            wanted += 1;
            let Some(samples) = found.get(&line.labels) else { return wrong() };
            let same = |((at, value), sample): (&(i64, f64), &Sample)| {
                *at == sample.at_ms && equal(*value, sample.value)
            };
            if points.len() != samples.len() || !points.iter().zip(*samples).all(same) {
                return wrong();
            }
        }
        if wanted == found.len() { Ok(()) } else { wrong() }
    }

    /// The values that a range query found at one time are those of the instant query.
    pub(crate) fn at(&self, value: &Value, at_ms: i64) -> Result<(), String> {
        let Value::Matrix(series) = value else { return Err("a range query gave no matrix".to_owned()) };
        let found = series.iter().filter_map(|it| {
            let sample = it.samples.iter().find(|sample| sample.at_ms == at_ms)?;
            Some((&it.labels, sample.value))
        });
        let found: Vec<(&Labels, f64)> = found.collect();
        match (self.scalar, found.as_slice()) {
            (Some(wanted), [(_, value)]) if equal(wanted, *value) => Ok(()),
            (Some(_), found) => Err(format!("it is {found:?}")),
            (None, found) => self.vector(found),
        }
    }
}

/// The message of an error as Prometheus has it.
pub(crate) fn message(error: &EvalError) -> String {
    error.to_string()
}

/// Equal but for rounding: to one in a million.
fn equal(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < 1e-6 * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < 1e-6
}
