//! The team's own rules through an incident, beside Prometheus' state machine written down a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ops_alerts::rules::{RuleFile, RuleSet, Settings, Simulation};
use ops_promql::{Limits, Value};
use ops_samples::{Labels, NAME, Sample};
use ops_series::{Memory, Source};

use crate::files::shared;
use crate::world::labels;

const STEP_MS: i64 = 15_000;
/// When what breaks is broken, in steps.
const BROKEN: std::ops::Range<i64> = 40..160;
const STEPS: i64 = 320;

/// Name and labels of an alert, and since when it holds: `None` after it fired.
type Known = BTreeMap<(String, Labels), (i64, bool)>;
type Story = BTreeSet<(i64, String, &'static str)>;

/// Counters and gauges of the stack at one step.
fn push(memory: &mut Memory, step: i64) {
    let broken = BROKEN.contains(&step);
    let bad_steps = (step.min(BROKEN.end) - BROKEN.start).max(0) as f64;
    let (steps, at_ms) = (step as f64, step * STEP_MS);
    let pick = |bad: f64, good: f64| if broken { bad } else { good };
    let mut push = |text: &str, value: f64| memory.push(&labels(text), Sample { at_ms, value });
    push("__name__=up,job=api,instance=a", pick(0.0, 1.0));
    push("__name__=up,job=api,instance=b", 1.0);
    push("__name__=insightdesk_http_requests_total,status=200", steps * 150.0);
    push("__name__=insightdesk_http_requests_total,status=500", bad_steps * 30.0);
    let bucket = "__name__=insightdesk_http_request_duration_seconds_bucket,instance=a";
    push(&format!("{bucket},le=1"), (steps - bad_steps) * 10.0);
    push(&format!("{bucket},le=5"), steps * 10.0);
    push(&format!("{bucket},le=+Inf"), steps * 10.0);
    push("__name__=node_memory_MemTotal_bytes,instance=a", 100.0);
    push("__name__=node_memory_MemAvailable_bytes,instance=a", pick(5.0, 50.0));
    let idle = (steps - bad_steps) * 14.0 + bad_steps;
    push("__name__=node_cpu_seconds_total,mode=idle,cpu=0,instance=a", idle);
    push("__name__=node_filesystem_avail_bytes,mountpoint=/,instance=a", pick(10.0, 40.0));
    push("__name__=node_filesystem_size_bytes,mountpoint=/,instance=a", 100.0);
    push("__name__=insightdesk_db_pool_size,state=waiting", pick(20.0, 0.0));
    push("__name__=insightdesk_active_tickets,status=open", pick(250.0, 10.0));
    push("__name__=insightdesk_job_queue_size,status=waiting,queue=mail", pick(5_000.0, 0.0));
}

/// What Prometheus does with a rule at one time: pending, firing after `for`, gone at the first miss.
fn reference(file: &RuleFile, memory: &dyn Source, at_ms: i64, known: &mut Known, story: &mut Story) {
    for rule in file.groups.iter().flat_map(|group| &group.rules) {
        let answer = rule.query.instant(memory, at_ms, &Limits::default()).unwrap();
        let Value::Vector(samples) = answer.value else { panic!("{} gives no vector", rule.name) };
        let mut there = BTreeSet::new();
        for sample in samples {
            let key = (rule.name.clone(), sample.labels.to_builder().remove(NAME).build().unwrap());
            let (since, fires) = known.entry(key.clone()).or_insert_with(|| {
                story.insert((at_ms, rule.name.clone(), "Pending"));
                (at_ms, false)
            });
            if !*fires && at_ms - *since >= rule.for_ms() {
                *fires = true;
                story.insert((at_ms, rule.name.clone(), "Firing"));
            }
            there.insert(key);
        }
        known.retain(|key, (_, fires)| {
            let stays = key.0 != rule.name || there.contains(key);
            if !stays && *fires {
                story.insert((at_ms, rule.name.clone(), "Resolved"));
            }
            stays
        });
    }
}

#[test]
fn the_teams_rules_fire_and_resolve_when_prometheus_would() {
    let Some(path) = shared().map(|it| it.join("data/rules/insightdesk-alerts.yml")) else {
        println!("skipped: shared data absent");
        return;
    };
    let file = RuleFile::parse("insightdesk-alerts.yml", &std::fs::read_to_string(path).unwrap()).unwrap();
    let set = Arc::new(RuleSet::new(vec![file.clone()], &Settings::default()));
    let mut simulation = Simulation::new(set, Memory::default());
    let (mut wanted, mut found, mut known) = (Story::new(), Story::new(), Known::new());
    for step in 0..STEPS {
        push(&mut simulation.source, step);
        let at_ms = step * STEP_MS;
        reference(&file, &simulation.source, at_ms, &mut known, &mut wanted);
        for it in simulation.step_to(at_ms) {
            let state = match it.alert.state {
                ops_contract::AlertState::Pending => "Pending",
                ops_contract::AlertState::Firing => "Firing",
                ops_contract::AlertState::Resolved => "Resolved",
            };
            found.insert((at_ms, it.alert.labels["alertname"].clone(), state));
        }
    }
    assert_eq!(found, wanted);
    let of =
        |state: &str| found.iter().filter(|it| it.2 == state).map(|it| it.1.as_str()).collect::<Vec<_>>();
    // 30 minutes of trouble: everything but the backlog of tickets, which needs more than that.
    assert_eq!(of("Firing").len(), 8, "{found:?}");
    assert_eq!(of("Resolved").len(), 8, "{found:?}");
    let broken_ms = BROKEN.start * STEP_MS;
    assert!(found.contains(&(broken_ms, "ServiceDown".to_owned(), "Pending")));
    assert!(found.contains(&(broken_ms + 60_000, "ServiceDown".to_owned(), "Firing")));
    assert!(found.contains(&(BROKEN.end * STEP_MS, "ServiceDown".to_owned(), "Resolved")));
    assert!(found.contains(&(broken_ms + 300_000, "DiskSpaceLow".to_owned(), "Firing")));
}
