//! Rules, a clock, and what the expressions give.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ops_alerts::rules::{Backend, Engine, Life, Outcome, RuleFile, RuleSet, Settings, Step, Transition};
use ops_contract::{Alert, AlertState, RuleView};
use ops_promql::{Query, VectorSample};
use ops_samples::{Labels, Sample};
use ops_series::Matcher;

/// 2023-11-14, on the minute.
pub(crate) const START: i64 = 1_700_000_040_000;

type Given = Result<Vec<(Labels, f64)>, String>;

/// What expressions give, by their text, and how series do, by metric name.
#[derive(Default)]
pub(crate) struct Answers {
    values: Mutex<BTreeMap<String, Given>>,
    lives: Mutex<BTreeMap<String, Vec<(Labels, Life)>>>,
}

impl Answers {
    pub(crate) fn give(&self, expr: &str, values: &[(&str, f64)]) {
        let values = values.iter().map(|(text, value)| (labels(text), *value)).collect();
        self.values.lock().unwrap().insert(expr.to_owned(), Ok(values));
    }

    pub(crate) fn fail(&self, expr: &str) {
        self.values.lock().unwrap().insert(expr.to_owned(), Err("it broke".to_owned()));
    }

    pub(crate) fn live(&self, metric: &str, series: &[(&str, Life)]) {
        let series = series.iter().map(|(text, life)| (labels(text), *life)).collect();
        self.lives.lock().unwrap().insert(metric.to_owned(), series);
    }
}

impl Backend for Answers {
    fn instant(&self, query: &Query, at_ms: i64) -> Result<Vec<VectorSample>, String> {
        let values = self.values.lock().unwrap().get(query.text()).cloned().unwrap_or(Ok(Vec::new()))?;
        let sample = |(labels, value)| VectorSample { labels, sample: Sample { at_ms, value } };
        Ok(values.into_iter().map(sample).collect())
    }

    fn lives(&self, matchers: &[Matcher], _: i64) -> Result<Vec<(Labels, Life)>, String> {
        let name = matchers.iter().find(|it| it.name() == "__name__").map_or("", Matcher::value);
        Ok(self.lives.lock().unwrap().get(name).cloned().unwrap_or_default())
    }
}

pub(crate) fn labels(text: &str) -> Labels {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    Labels::new(pairs).unwrap()
}

pub(crate) fn rules(yaml: &str) -> Arc<RuleSet> {
    let file = RuleFile::parse("rules.yml", yaml).unwrap();
    Arc::new(RuleSet::new(vec![file], &Settings::default()))
}

/// An engine with its store: what was stored survives [`World::crash`].
pub(crate) struct World {
    pub(crate) answers: Answers,
    pub(crate) engine: Engine,
    pub(crate) stored: BTreeMap<String, Alert>,
    pub(crate) told: Vec<Transition>,
    pub(crate) samples: Vec<(Labels, Sample)>,
    rules: Arc<RuleSet>,
    pub(crate) now_ms: i64,
}

impl World {
    pub(crate) fn new(yaml: &str) -> Self {
        let rules = rules(yaml);
        Self {
            answers: Answers::default(),
            engine: Engine::new(rules.clone(), Vec::new(), START),
            stored: BTreeMap::new(),
            told: Vec::new(),
            samples: Vec::new(),
            rules,
            now_ms: START,
        }
    }

    /// Everything that is due, now.
    pub(crate) fn pass(&mut self) {
        for outcome in self.outcomes() {
            let step = self.engine.plan(&outcome);
            self.store(&step);
            self.told.extend(step.transitions.clone());
            self.samples.extend(step.samples.clone());
            self.engine.apply(step);
            let again = self.engine.plan(&outcome);
            assert!(!again.changed, "planning what was applied changes nothing: {again:?}");
        }
    }

    pub(crate) fn outcomes(&mut self) -> Vec<Outcome> {
        let jobs = self.engine.due(self.now_ms);
        jobs.iter().map(|job| job.run(&self.answers, self.now_ms)).collect()
    }

    pub(crate) fn store(&mut self, step: &Step) {
        for alert in &step.ended {
            if alert.state == AlertState::Resolved {
                self.stored.insert(alert.id.clone(), alert.clone());
            } else {
                self.stored.remove(&alert.id);
            }
        }
        for alert in &step.upserts {
            self.stored.insert(alert.id.clone(), alert.clone());
        }
    }

    /// Lets time pass, with the timer ringing when it says.
    pub(crate) fn wait(&mut self, seconds: i64) {
        let end = self.now_ms + seconds * 1_000;
        while let Some(next) = self.engine.next_due_ms().filter(|at| *at <= end) {
            self.now_ms = self.now_ms.max(next);
            self.pass();
        }
        self.now_ms = end;
    }

    /// Samples of a metric arrive.
    pub(crate) fn arrive(&mut self, metric: &str) {
        self.engine.arrived(&[metric.into()], &[], self.now_ms);
        self.pass();
    }

    /// The process dies and another begins with what was stored.
    pub(crate) fn crash(&mut self) {
        let stored = self.stored.values().cloned().collect();
        self.engine = Engine::new(self.rules.clone(), stored, self.now_ms);
    }

    pub(crate) fn rule(&self, name: &str) -> RuleView {
        self.engine.views().into_iter().find(|it| it.name == name).unwrap()
    }

    pub(crate) fn states(&self, name: &str) -> Vec<AlertState> {
        self.rule(name).alerts.iter().map(|it| it.state).collect()
    }

    /// What was told so far, as words.
    pub(crate) fn story(&self) -> Vec<String> {
        self.told
            .iter()
            .map(|it| {
                let name = it.alert.labels.get("alertname").cloned().unwrap_or_default();
                format!("{name} {:?}", it.alert.state)
            })
            .collect()
    }
}
