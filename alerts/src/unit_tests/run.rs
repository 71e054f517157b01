//! Runs the tests of a file: at every step of a clock of their own, each rule in its order, as promtool does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ops_contract::{AlertState, RuleHealth};
use ops_promql::notation::{self, Point};
use ops_promql::{Limits, Query, VectorSample};
use ops_samples::{Labels, STALE, Sample};
use ops_series::{Matcher, Memory};

use super::{ExpressionTest, Fault, Firing, Report, TestFile, TestGroup, TestReport, compare};
use crate::rules::{Backend, Engine, Life, Local, RuleFile, RuleSet, Settings};

/// Prometheus' own default.
const INTERVAL: Duration = Duration::from_secs(60);

/// Most evaluations of all rules in one test.
const MOST_STEPS: i64 = 200_000;

/// Most points that the series of one test stand for.
const MOST_POINTS: usize = 5_000_000;

/// Runs the tests of `file` whose name `wanted` takes, on the rules of its rule files.
#[must_use]
pub fn run(file: &TestFile, rules: &[RuleFile], wanted: &dyn Fn(&str) -> bool) -> Report {
    let interval = file.evaluation_interval.filter(|it| !it.is_zero()).unwrap_or(INTERVAL);
    let rules = ordered(rules, &file.group_eval_order);
    let tests = file.tests.iter().zip(1..).filter(|(test, _)| wanted(test.name.as_deref().unwrap_or("")));
    let tests = tests.map(|(test, place)| {
        let mut report = TestReport { name: test.name.clone(), place, ..TestReport::default() };
        match Run::new(test, rules.clone(), interval, file.fuzzy_compare) {
            Ok(mut run) => {
                run.alerts(&mut report);
                run.expressions(&mut report);
            }
            Err(problem) => report.faults.push(Fault::Input { problem }),
        }
        report
    });
    Report { tests: tests.collect() }
}

/// The groups one by one: first those that are named in `order`. Their own intervals do not count in a test.
fn ordered(rules: &[RuleFile], order: &[String]) -> Vec<RuleFile> {
    let mut groups: Vec<RuleFile> = rules
        .iter()
        .flat_map(|file| {
            file.groups.iter().cloned().map(|mut group| {
                group.interval_ms = None;
                RuleFile { name: file.name.clone(), groups: vec![group] }
            })
        })
        .collect();
    let place = |file: &RuleFile| {
        let name = file.groups.first().map(|it| it.name.as_str());
        order.iter().position(|it| Some(it.as_str()) == name).unwrap_or(order.len())
    };
    groups.sort_by_key(place);
    groups
}

fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// One test while it runs.
struct Run<'a> {
    test: &'a TestGroup,
    fuzzy: bool,
    interval_ms: i64,
    engine: Engine,
    source: Memory,
}

impl<'a> Run<'a> {
    fn new(
        test: &'a TestGroup,
        rules: Vec<RuleFile>,
        interval: Duration,
        fuzzy: bool,
    ) -> Result<Self, String> {
        let interval_ms = ms(interval).max(1);
        if ms(last(test)) / interval_ms > MOST_STEPS {
            return Err(format!("the test lasts longer than {MOST_STEPS} evaluation intervals"));
        }
        let external_labels =
            Labels::new(&test.external_labels).map_err(|error| format!("external_labels: {error}"))?;
        let settings = Settings {
            evaluation_interval_ms: interval_ms,
            external_labels,
            external_url: test.external_url.clone(),
            timer_only: true,
            unhealthy_intervals: 0,
        };
        let engine = Engine::new(Arc::new(RuleSet::new(rules, &settings)), Vec::new(), 0);
        let source = series(test, ms(test.interval.filter(|it| !it.is_zero()).unwrap_or(interval)))?;
        Ok(Self { test, fuzzy, interval_ms, engine, source })
    }

    /// Evaluates the rules up to the end; compares at each time that a test names.
    fn alerts(&mut self, report: &mut TestReport) {
        let end_ms = ms(last(self.test));
        let mut failing = BTreeSet::new();
        let mut at_ms = 0;
        while at_ms <= end_ms {
            self.step(at_ms, &mut failing, report);
            let span = at_ms..at_ms.saturating_add(self.interval_ms);
            for test in &self.test.alert_rule_test {
                if span.contains(&ms(test.eval_time)) {
                    report.checks += 1;
                    let fault = match self.firing(&test.alertname) {
                        Ok(firing) => compare::alerts(test, firing),
                        Err(problem) => Some(Fault::Input { problem }),
                    };
                    report.faults.extend(fault);
                }
            }
            at_ms += self.interval_ms;
        }
    }

    fn step(&mut self, at_ms: i64, failing: &mut BTreeSet<String>, report: &mut TestReport) {
        for job in self.engine.all(at_ms) {
            let outcome = job.run(&Plain(Local::new(&self.source, Limits::default())), at_ms);
            let mut step = self.engine.plan(&outcome);
            for (labels, sample) in std::mem::take(&mut step.samples) {
                self.source.push(&labels, sample);
            }
            self.engine.apply(step);
        }
        for view in self.engine.views() {
            let rule = format!("{}, {}", view.group, view.name);
            // Once is enough: it mostly fails at every step that follows too.
            if view.health == RuleHealth::Error && failing.insert(rule.clone()) {
                let problem = view.last_error.unwrap_or_default();
                report.faults.push(Fault::Rule { rule, at_s: at_ms as f64 / 1e3, problem });
            }
        }
    }

    fn firing(&self, name: &str) -> Result<Vec<Firing>, String> {
        let mut all = Vec::new();
        for view in self.engine.views().into_iter().filter(|it| it.name == name) {
            let firing = view.alerts.into_iter().filter(|it| it.state == AlertState::Firing);
            let before = all.len();
            all.extend(firing.map(|it| {
                let mut firing = Firing { labels: it.labels, annotations: it.annotations };
                compare::without_empty(&mut firing);
                firing
            }));
            if u64::try_from(all.len() - before).ok() != Some(view.firing) {
                return Err(format!("{} alerts of {name} fire: too many to compare", view.firing));
            }
        }
        Ok(all)
    }

    fn expressions(&self, report: &mut TestReport) {
        for test in &self.test.promql_expr_test {
            report.checks += 1;
            report.faults.extend(match self.value(test) {
                Ok(value) => compare::samples(test, value, self.fuzzy),
                Err(problem) => {
                    Some(Fault::Input { problem: format!("expression {}: {problem}", test.expr) })
                }
            });
        }
    }

    fn value(&self, test: &ExpressionTest) -> Result<ops_promql::Value, String> {
        let query = Query::parse(&test.expr).map_err(|error| error.to_string())?;
        let answer = query.instant(&self.source, ms(test.eval_time), &Limits::default());
        answer.map(|it| it.value).map_err(|error| error.to_string())
    }
}

/// The latest time that anything is compared at.
fn last(test: &TestGroup) -> Duration {
    let alerts = test.alert_rule_test.iter().map(|it| it.eval_time);
    alerts.chain(test.promql_expr_test.iter().map(|it| it.eval_time)).max().unwrap_or_default()
}

/// The series of a test, with a point every `interval_ms` from 0 on.
fn series(test: &TestGroup, interval_ms: i64) -> Result<Memory, String> {
    let mut source = Memory::default();
    let mut count = 0;
    for input in &test.input_series {
        let wrong = |error: notation::NotationError| format!("series {:?}: {error}", input.series);
        let labels = notation::labels(&input.series).map_err(wrong)?;
        let points = notation::points(&input.values).map_err(wrong)?;
        count += points.len();
        if count > MOST_POINTS {
            return Err(format!("the series have more than {MOST_POINTS} points"));
        }
        let times = (0_i64..).map(|place| place.saturating_mul(interval_ms));
        for (point, at_ms) in points.into_iter().zip(times) {
            let value = match point {
                Point::Gap => continue,
                Point::Value(value) => value,
                Point::Stale => STALE,
                Point::Histogram => {
                    return Err(format!("series {:?}: native histograms are not supported", input.series));
                }
            };
            source.push(&labels, Sample { at_ms, value });
        }
    }
    Ok(source)
}

/// Series in a test end when their points do, and that is meant: nothing is held for want of data.
struct Plain<'a>(Local<'a>);

impl Backend for Plain<'_> {
    fn instant(&self, query: &Query, at_ms: i64) -> Result<Vec<VectorSample>, String> {
        self.0.instant(query, at_ms)
    }

    fn lives(&self, _: &[Matcher], _: i64) -> Result<Vec<(Labels, Life)>, String> {
        Ok(Vec::new())
    }
}
