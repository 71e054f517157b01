//! What a run of rule tests found, in a form that people and programs read.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::Serialize;

/// What a test file came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Its tests, in their order; those that were not asked for are left out.
    pub tests: Vec<TestReport>,
}

/// What one test came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TestReport {
    /// What it is called.
    pub name: Option<String>,
    /// Its place in the file, from 1.
    pub place: usize,
    /// How many things were compared.
    pub checks: usize,
    /// What was not as expected.
    pub faults: Vec<Fault>,
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// The test cannot be run.
    Input {
        /// Why.
        problem: String,
    },
    /// A rule could not be evaluated.
    Rule {
        /// Which one.
        rule: String,
        /// When, in seconds from the first point.
        at_s: f64,
        /// Why.
        problem: String,
    },
    /// Other alerts fire than should.
    Alerts {
        /// Name of the alerts.
        alertname: String,
        /// When, in seconds from the first point.
        at_s: f64,
        /// Those that should and do not.
        missing: Vec<Firing>,
        /// Those that do and should not.
        unexpected: Vec<Firing>,
    },
    /// An expression gives something else.
    Samples {
        /// The expression.
        expr: String,
        /// When, in seconds from the first point.
        at_s: f64,
        /// What it should give and does not.
        missing: Vec<String>,
        /// What it gives and should not.
        unexpected: Vec<String>,
    },
}

/// An alert that fires, or should.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Firing {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Report {
    /// How many tests found a fault.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.tests.iter().filter(|it| !it.faults.is_empty()).count()
    }

    /// How many things were compared.
    #[must_use]
    pub fn checks(&self) -> usize {
        self.tests.iter().map(|it| it.checks).sum()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { problem } => f.write_str(problem),
            Self::Rule { rule, at_s, problem } => {
                write!(f, "rule {rule} cannot be evaluated at {}: {problem}", span(*at_s))
            }
            Self::Alerts { alertname, at_s, missing, unexpected } => {
                write!(f, "alert {alertname} at {}:{}", span(*at_s), alerts(missing, unexpected))
            }
            Self::Samples { expr, at_s, missing, unexpected } => {
                write!(f, "expression {expr} at {}:", span(*at_s))?;
                lines(f, "expected", missing)?;
                lines(f, "got     ", unexpected)
            }
        }
    }
}

fn lines(f: &mut fmt::Formatter<'_>, word: &str, items: &[String]) -> fmt::Result {
    if items.is_empty() {
        return write!(f, "\n  {word} nothing more");
    }
    items.iter().try_for_each(|it| write!(f, "\n  {word} {it}"))
}

/// Alerts that differ in annotations only are told as that; the others as missing or unexpected.
fn alerts(missing: &[Firing], unexpected: &[Firing]) -> String {
    let mut out = String::new();
    let mut rest: Vec<&Firing> = unexpected.iter().collect();
    for wanted in missing {
        let twin = rest.iter().position(|it| it.labels == wanted.labels).map(|at| rest.remove(at));
        match twin {
            Some(got) => annotations(&mut out, wanted, got),
            None => {
                let _ = write!(out, "\n  does not fire: {}", shown(wanted));
            }
        }
    }
    for got in rest {
        let _ = write!(out, "\n  fires and should not: {}", shown(got));
    }
    out
}

fn annotations(out: &mut String, wanted: &Firing, got: &Firing) {
    let _ = write!(out, "\n  fires, with other annotations: {}", set(&wanted.labels));
    let names: std::collections::BTreeSet<_> =
        wanted.annotations.keys().chain(got.annotations.keys()).collect();
    for name in names {
        let (wanted, got) = (wanted.annotations.get(name), got.annotations.get(name));
        if wanted != got {
            let word = |it: Option<&String>| it.map_or_else(|| "none".to_owned(), |it| format!("{it:?}"));
            let _ =
                write!(out, "\n    {name}: expected {}\n    {name}: got      {}", word(wanted), word(got));
        }
    }
}

fn shown(firing: &Firing) -> String {
    match firing.annotations.is_empty() {
        true => set(&firing.labels),
        false => format!("{} with {}", set(&firing.labels), set(&firing.annotations)),
    }
}

fn set(pairs: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// `1h5m`, as test files write it.
fn span(seconds: f64) -> String {
    let mut out = String::new();
    let mut left = seconds;
    for (unit, size) in [("d", 86_400.0), ("h", 3600.0), ("m", 60.0)] {
        let count = (left / size).floor();
        if count > 0.0 {
            let _ = write!(out, "{count}{unit}");
            left -= count * size;
        }
    }
    if left > 0.0 || out.is_empty() {
        let _ = write!(out, "{left}s");
    }
    out
}
