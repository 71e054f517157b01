//! Runs the commands of a test file.

use ops_promql::notation::{Point, SeriesLine};
use ops_promql::{Limits, Query, ValueKind};
use ops_samples::{Labels, NAME, STALE, Sample};
use ops_series::Memory;

use crate::again;
use crate::expect::message;
use crate::script::{self, Command, Eval, When};

/// How a file went.
#[derive(Default)]
pub(crate) struct Score {
    pub(crate) passed: usize,
    /// Cases that need no native histogram.
    pub(crate) eligible: usize,
    pub(crate) total: usize,
    pub(crate) failures: Vec<String>,
}

#[derive(Default)]
struct World {
    memory: Memory,
    /// Series with native histograms, which are not loaded.
    histograms: Vec<Labels>,
}

pub(crate) fn run(text: &str) -> Score {
    let mut score = Score::default();
    let mut world = World::default();
    for command in script::parse(text) {
        match command {
            Command::Clear => world = World::default(),
            Command::Load { step_ms, with_nhcb, series } => {
                series.iter().for_each(|line| world.load(line, step_ms, with_nhcb));
            }
            Command::Eval(eval) => {
                score.total += 1;
                if world.needs_histogram(&eval) {
                    continue;
                }
                score.eligible += 1;
                match world.eval(&eval) {
                    Ok(()) => score.passed += 1,
                    Err(reason) => score.failures.push(format!("{}: {}: {reason}", eval.line, eval.text)),
                }
            }
        }
    }
    score
}

impl World {
    fn load(&mut self, line: &SeriesLine, step_ms: i64, with_nhcb: bool) {
        if line.points.contains(&Point::Histogram) {
            self.histograms.push(line.labels.clone());
            return;
        }
        if with_nhcb && let Some(name) = line.labels.metric().strip_suffix("_bucket") {
            let mut labels = line.labels.to_builder();
            labels.set(NAME, name).remove("le");
            self.histograms.push(labels.build().unwrap());
        }
        for (at, point) in line.points.iter().enumerate() {
            let at_ms = step_ms * at as i64;
            let value = match point {
                Point::Value(value) => *value,
                Point::Stale => STALE,
                Point::Gap | Point::Histogram => continue,
            };
            self.memory.push(&line.labels, Sample { at_ms, value });
        }
    }

    fn needs_histogram(&self, eval: &Eval) -> bool {
        let touched = |query: Query| {
            query.reads().selectors.iter().any(|selector| {
                self.histograms
                    .iter()
                    .any(|labels| selector.matchers.iter().all(|it| it.matches_labels(labels)))
            })
        };
        eval.expected.has_histogram() || Query::parse(&eval.text).is_ok_and(touched)
    }

    fn eval(&self, eval: &Eval) -> Result<(), String> {
        let expected = &eval.expected;
        let query = match Query::parse(&eval.text) {
            Ok(query) => query,
            Err(error) => return expected.failure(&error.reason),
        };
        let limits = Limits::default();
        let (answer, when) = match eval.when {
            When::At(at_ms) => (query.instant(&self.memory, at_ms, &limits), None),
            When::Range(start, end, step) => {
                (query.range(&self.memory, (start, end, step), &limits), Some((start, step)))
            }
        };
        let answer = match answer {
            Err(error) => return expected.failure(&message(&error)),
            Ok(_) if expected.fail.is_some() => return Err("it did not fail".to_owned()),
            Ok(answer) => answer,
        };
        expected.annotations(&answer)?;
        expected.value(&answer.value, when)?;
        match eval.when {
            When::At(at_ms) => self.again(eval, &query, at_ms),
            When::Range(..) => Ok(()),
        }
    }

    /// The same as the middle of a range query, and at other times with `@`.
    fn again(&self, eval: &Eval, query: &Query, at_ms: i64) -> Result<(), String> {
        let (expected, limits) = (&eval.expected, Limits::default());
        if let Some(text) = again::with_at(&eval.text, at_ms) {
            let fixed = Query::parse(&text).map_err(|error| format!("{text}: {error}"))?;
            let times: &[i64] =
                if at_ms == 0 { &[-1_000, 1_000] } else { &[-10 * at_ms, 0, at_ms / 5, 10 * at_ms] };
            for other in times {
                let answer = fixed.instant(&self.memory, *other, &limits);
                let answer = answer.map_err(|error| format!("{text} at {other}: {error}"))?;
                expected
                    .value(&answer.value, None)
                    .map_err(|reason| format!("{text} at {other}: {reason}"))?;
            }
        }
        // Of a range query they are something else.
        let of_query = ["start()", "end()", "range()", "step()"].iter().any(|it| eval.text.contains(it));
        if of_query || expected.ordered || matches!(query.kind(), ValueKind::Matrix | ValueKind::String) {
            return Ok(());
        }
        let times = (at_ms - 60_000, at_ms + 60_000, 60_000);
        let answer =
            query.range(&self.memory, times, &limits).map_err(|error| format!("as a range: {error}"))?;
        expected.at(&answer.value, at_ms).map_err(|reason| format!("as a range: {reason}"))
    }
}
