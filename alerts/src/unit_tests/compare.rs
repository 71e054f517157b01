//! Holds what is against what was expected.

use std::collections::BTreeMap;

use ops_promql::notation;
use ops_promql::{Value, VectorSample};
use ops_samples::Labels;

use super::{AlertTest, ExpectedSample, ExpressionTest, Fault, Firing};

/// The fault when other alerts fire than `test` expects.
pub(super) fn alerts(test: &AlertTest, mut got: Vec<Firing>) -> Option<Fault> {
    let mut missing: Vec<Firing> = Vec::new();
    for expected in &test.exp_alerts {
        let mut labels = expected.exp_labels.clone().unwrap_or_default();
        labels.insert("alertname".to_owned(), test.alertname.clone());
        let annotations = expected.exp_annotations.clone().unwrap_or_default();
        let mut wanted = Firing { labels, annotations };
        without_empty(&mut wanted);
        match got.iter().position(|it| *it == wanted) {
            Some(at) => {
                got.swap_remove(at);
            }
            None => missing.push(wanted),
        }
    }
    if missing.is_empty() && got.is_empty() {
        return None;
    }
    got.sort();
    let (alertname, at_s) = (test.alertname.clone(), test.eval_time.as_secs_f64());
    Some(Fault::Alerts { alertname, at_s, missing, unexpected: got })
}

/// An empty value says the same as none.
pub(super) fn without_empty(firing: &mut Firing) {
    let empty = |pairs: &mut BTreeMap<String, String>| pairs.retain(|_, value| !value.is_empty());
    empty(&mut firing.labels);
    empty(&mut firing.annotations);
}

/// The fault when an expression gives something else than `test` expects.
pub(super) fn samples(test: &ExpressionTest, got: Value, fuzzy: bool) -> Option<Fault> {
    let mut got = match vector(got) {
        Ok(got) => got,
        Err(problem) => {
            return Some(Fault::Input { problem: format!("expression {}: {problem}", test.expr) });
        }
    };
    let mut missing = Vec::new();
    for expected in &test.exp_samples {
        let labels = match wanted(expected) {
            Ok(labels) => labels,
            Err(problem) => {
                return Some(Fault::Input { problem: format!("expression {}: {problem}", test.expr) });
            }
        };
        let same = |it: &VectorSample| it.labels == labels && equal(it.sample.value, expected.value, fuzzy);
        match got.iter().position(same) {
            Some(at) => {
                got.swap_remove(at);
            }
            None => missing.push(format!("{labels} {:?}", expected.value)),
        }
    }
    if missing.is_empty() && got.is_empty() {
        return None;
    }
    let mut unexpected: Vec<String> =
        got.iter().map(|it| format!("{} {:?}", it.labels, it.sample.value)).collect();
    unexpected.sort();
    let (expr, at_s) = (test.expr.clone(), test.eval_time.as_secs_f64());
    Some(Fault::Samples { expr, at_s, missing, unexpected })
}

fn wanted(expected: &ExpectedSample) -> Result<Labels, String> {
    if expected.histogram.is_some() {
        return Err("native histograms are not supported".to_owned());
    }
    match expected.labels.trim() {
        "" => Ok(Labels::default()),
        text => notation::labels(text).map_err(|error| format!("the labels {text:?}: {error}")),
    }
}

/// The samples of an instant result; one number is a sample without labels.
fn vector(value: Value) -> Result<Vec<VectorSample>, String> {
    match value {
        Value::Vector(samples) => Ok(samples),
        Value::Scalar(sample) => Ok(vec![VectorSample { labels: Labels::default(), sample }]),
        Value::String(_) | Value::Matrix(_) => Err("it gives neither a vector nor a number".to_owned()),
    }
}

/// Whether two values are the same; `fuzzy` ones may be neighbours among the numbers there are.
#[allow(clippy::float_cmp, reason = "expected values are exact unless the file says otherwise")]
fn equal(got: f64, expected: f64, fuzzy: bool) -> bool {
    got == expected
        || (got.is_nan() && expected.is_nan())
        || (fuzzy && (got.next_up() == expected || got.next_down() == expected))
}
