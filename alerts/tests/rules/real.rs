//! Real expressions on real samples: gaps, restarts, recorded series.

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_alerts::rules::{Engine, Local, RuleFile, RuleSet, Settings};
use ops_contract::{Alert, AlertState, RuleHealth};
use ops_promql::Limits;
use ops_samples::{STALE, Sample, is_stale};
use ops_series::Memory;

use crate::world::{START, labels};

const RULES: &str = r#"
groups:
  - name: g
    interval: 15s
    rules:
      - { alert: Load, expr: load > 1 }
      - { alert: Rate, expr: "rate(hits[1m]) > 1", for: 30s }
      - { record: "job:load", expr: sum by (job) (load) }
      - { alert: Recorded, expr: "job:load > 1" }
"#;
const A: &str = "__name__=load,job=n,instance=a";
const B: &str = "__name__=load,job=m,instance=b";
const HITS: &str = "__name__=hits,job=n,instance=a";

struct Real {
    engine: Engine,
    set: Arc<RuleSet>,
    source: Memory,
    stored: BTreeMap<String, Alert>,
    told: Vec<String>,
    now_ms: i64,
}

fn set(yaml: &str) -> Arc<RuleSet> {
    let file = RuleFile::parse("rules.yml", yaml).unwrap();
    Arc::new(RuleSet::new(vec![file], &Settings::default()))
}

impl Real {
    fn new() -> Self {
        let set = set(RULES);
        let engine = Engine::new(set.clone(), Vec::new(), START);
        let (source, stored) = (Memory::default(), BTreeMap::new());
        Self { engine, set, source, stored, told: Vec::new(), now_ms: START }
    }

    /// Everything that is due until nothing is.
    fn pass(&mut self) {
        for _ in 0..10 {
            for job in self.engine.due(self.now_ms) {
                let outcome = job.run(&Local::new(&self.source, Limits::default()), self.now_ms);
                let step = self.engine.plan(&outcome);
                for alert in step.upserts.iter().chain(&step.ended) {
                    self.stored.insert(alert.id.clone(), alert.clone());
                }
                let name = |alert: &Alert| alert.labels["alertname"].clone();
                let told =
                    step.transitions.iter().map(|it| format!("{} {:?}", name(&it.alert), it.alert.state));
                self.told.extend(told);
                let mut names: Vec<Arc<str>> = Vec::new();
                for (labels, sample) in &step.samples {
                    self.source.push(labels, *sample);
                    names.push(labels.metric().into());
                }
                self.engine.apply(step);
                self.engine.arrived(&names, &[], self.now_ms);
            }
        }
    }

    /// Samples arrive, then time passes until the next ones.
    fn scrape(&mut self, values: &[(&str, f64)]) {
        let mut names: Vec<Arc<str>> = Vec::new();
        for (text, value) in values {
            let labels = labels(text);
            self.source.push(&labels, Sample { at_ms: self.now_ms, value: *value });
            names.push(labels.metric().into());
        }
        self.engine.arrived(&names, &names, self.now_ms);
        self.pass();
        self.now_ms += 15_000;
        self.pass();
    }

    fn wait(&mut self, seconds: i64, values: &[(&str, f64)]) {
        (0..seconds / 15).for_each(|_| self.scrape(values));
    }

    fn restart(&mut self) {
        self.engine = Engine::new(self.set.clone(), self.stored.values().cloned().collect(), self.now_ms);
    }

    fn state(&self, name: &str) -> Option<AlertState> {
        let view = self.engine.views().into_iter().find(|it| it.name == name).unwrap();
        view.alerts.first().map(|it| it.state)
    }

    fn told(&self, what: &str) -> usize {
        self.told.iter().filter(|it| *it == what).count()
    }
}

#[test]
fn silence_holds_for_hours_though_other_instances_live() {
    let mut real = Real::new();
    real.wait(60, &[(A, 5.0), (B, 0.5)]);
    assert_eq!(real.state("Load"), Some(AlertState::Firing));
    real.wait(3 * 3_600, &[(B, 0.5)]);
    assert_eq!(real.state("Load"), Some(AlertState::Firing), "an hour later its series is forgotten");
    real.restart();
    real.wait(3_600, &[(B, 0.5)]);
    assert_eq!(real.state("Load"), Some(AlertState::Firing), "over a restart too");
    real.scrape(&[(A, 0.5), (B, 0.5)]);
    assert_eq!(real.state("Load"), Some(AlertState::Resolved));
    assert_eq!((real.told("Load Firing"), real.told("Load Resolved")), (1, 1));
}

#[test]
fn a_mark_ends_it_at_once_unless_the_scrape_fails() {
    let up = "__name__=up,job=n,instance=a";
    for (value, state) in [(1.0, AlertState::Resolved), (0.0, AlertState::Firing)] {
        let mut real = Real::new();
        real.wait(60, &[(A, 5.0), (up, 1.0)]);
        real.scrape(&[(A, STALE), (up, value)]);
        assert_eq!(real.state("Load"), Some(state), "up is {value}");
    }
}

#[test]
fn a_gap_longer_than_the_range_does_not_resolve_a_rate() {
    let mut real = Real::new();
    let mut hits = 0.0;
    for _ in 0..20 {
        hits += 100.0;
        real.scrape(&[(HITS, hits)]);
    }
    assert_eq!(real.state("Rate"), Some(AlertState::Firing));
    // Two minutes and more: the range is empty, the series still counts as live.
    real.wait(150, &[]);
    assert_eq!(real.state("Rate"), Some(AlertState::Firing));
    assert_eq!(real.engine.views().iter().find(|it| it.name == "Rate").unwrap().health, RuleHealth::NoData);
    real.scrape(&[(HITS, hits)]);
    assert_eq!(real.state("Rate"), Some(AlertState::Firing), "one sample is no rate");
    real.scrape(&[(HITS, hits)]);
    assert_eq!(real.state("Rate"), Some(AlertState::Resolved));
}

#[test]
fn a_restart_after_a_gap_neither_resolves_nor_begins_anew() {
    let mut real = Real::new();
    let mut hits = 0.0;
    let mut more = |real: &mut Real, times: usize| {
        for _ in 0..times {
            hits += 100.0;
            real.scrape(&[(HITS, hits), (A, 5.0)]);
        }
    };
    more(&mut real, 2);
    assert_eq!(real.state("Rate"), Some(AlertState::Pending));
    let since = real.stored.values().find(|it| it.labels["alertname"] == "Rate").unwrap().active_at;
    real.now_ms += 150_000;
    real.restart();
    more(&mut real, 3);
    let alert = real.stored.values().find(|it| it.labels["alertname"] == "Rate").unwrap();
    assert_eq!((alert.state, alert.active_at), (AlertState::Firing, since));
    real.now_ms += 150_000;
    real.restart();
    more(&mut real, 4);
    assert_eq!((real.told("Rate Firing"), real.told("Rate Resolved")), (1, 0));
    assert_eq!((real.told("Load Firing"), real.told("Load Resolved")), (1, 0));
}

#[test]
fn a_recorded_series_whose_data_fell_silent_is_not_marked_as_ended() {
    let mut real = Real::new();
    real.wait(60, &[(A, 5.0)]);
    assert_eq!(real.state("Recorded"), Some(AlertState::Firing));
    real.wait(3 * 3_600, &[(B, 0.5)]);
    assert_eq!(real.state("Recorded"), Some(AlertState::Firing));
    real.scrape(&[(A, 0.5), (B, 0.5)]);
    assert_eq!(real.state("Recorded"), Some(AlertState::Resolved));

    let mut real = Real::new();
    real.wait(60, &[(A, 5.0)]);
    real.scrape(&[(A, STALE)]);
    assert_eq!(
        real.state("Recorded"),
        Some(AlertState::Resolved),
        "ended on purpose, so is what is recorded of it"
    );
}

#[test]
fn alerts_of_rules_that_are_gone_after_a_restart_end() {
    let mut real = Real::new();
    real.wait(60, &[(A, 5.0)]);
    real.set = set("groups: [{name: other, rules: [{alert: Load, expr: load > 1}]}]");
    real.restart();
    real.told.clear();
    real.wait(30, &[(A, 5.0)]);
    assert_eq!(real.told, ["Load Resolved", "Recorded Resolved", "Load Firing"]);
    let living: Vec<_> = real.stored.values().filter(|it| it.state == AlertState::Firing).collect();
    assert_eq!(living.len(), 1, "{living:?}");
    assert!(living[0].rule.starts_with("rules/other/"));
}

#[test]
fn two_files_of_one_name_have_rules_of_their_own() {
    let file = |name| RuleFile::parse(name, "groups: [{name: g, rules: [{alert: L, expr: load}]}]").unwrap();
    let set = RuleSet::new(vec![file("/a/rules.yml"), file("/b/rules.yml")], &Settings::default());
    let mut engine = Engine::new(Arc::new(set), Vec::new(), START);
    let mut source = Memory::default();
    source.push(&labels(A), Sample { at_ms: START, value: 1.0 });
    let mut ids = std::collections::BTreeSet::new();
    for job in engine.due(START) {
        let step = engine.plan(&job.run(&Local::new(&source, Limits::default()), START));
        ids.extend(step.upserts.iter().map(|it| it.id.clone()));
        assert!(!step.samples.iter().any(|(_, it)| is_stale(it.value)));
        engine.apply(step);
    }
    assert_eq!(ids.len(), 2);
}
