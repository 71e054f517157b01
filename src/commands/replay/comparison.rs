//! Runs policies on one trace, each on a thread of its own, and takes the mean over the seeds.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ops_engine::scale::Autoscaler;
use ops_engine::simulate::policies::{self, Boxed};
use ops_engine::simulate::{
    Config, Outcome, Point, Scenario, Setting, Wishes, bound, bound_over_time, run as simulate,
};

use super::progress::Progress;
use super::sources::Source;
use crate::failure::{Failure, Result};

/// The bound that every cost is measured by, as a row among the policies.
pub(super) const CLAIRVOYANT: &str = "clairvoyant";
/// Nobody can be in time more often than with all replicas at all times.
pub(super) const MOST: &str = "static-max";
/// Our own policy.
pub(super) const OURS: &str = "insightdesk";

/// Moments of the bound's timeline.
const STEPS: usize = 360;

/// One trace, all policies.
#[derive(Debug)]
pub(super) struct Comparison {
    /// The trace's name.
    pub(super) trace: String,
    /// Its length in seconds.
    pub(super) length_s: f64,
    /// What the policies knew.
    pub(super) setting: Setting,
    /// What the means are over.
    pub(super) seeds: Vec<u64>,
    /// One row for each policy.
    pub(super) rows: Vec<Row>,
}

/// One policy on one trace; numbers are means over the seeds.
#[derive(Debug)]
pub(super) struct Row {
    /// The policy.
    pub(super) name: String,
    /// What it came to; the timeline is that of the first seed.
    pub(super) outcome: Outcome,
}

/// The policies that were asked for, or all.
pub(super) fn chosen(wanted: &[String]) -> Result<Vec<String>> {
    let known: Vec<&str> = [OURS].into_iter().chain(policies::names()).chain([CLAIRVOYANT]).collect();
    if wanted.is_empty() {
        return Ok(known.into_iter().map(str::to_owned).collect());
    }
    for name in wanted {
        let fixed = name.strip_prefix("fixed-").is_some_and(|it| it.parse::<u32>().is_ok());
        if !fixed && !known.contains(&name.as_str()) {
            return Err(Failure::usage(format!(
                "there is no policy {name}; there are {} and fixed-N",
                known.join(", ")
            )));
        }
    }
    Ok(wanted.to_vec())
}

/// A policy, fresh.
fn make(name: &str, setting: &Setting) -> Option<Boxed> {
    match name {
        OURS => Some(Box::new(Autoscaler::new(setting))),
        peer => policies::by_name(peer, setting),
    }
}

/// Runs every policy with every seed.
pub(super) fn run(
    source: &Source,
    wishes: &Wishes,
    seeds: &[u64],
    policies: &[String],
    kill: bool,
) -> Comparison {
    let mut comparison = Comparison {
        trace: source.name().to_owned(),
        length_s: 0.0,
        setting: Setting {
            target_wait_s: 0.0,
            concurrency: 0,
            bounds: (0, 0),
            mean_run_s: 0.0,
            mean_start_s: 0.0,
            limit_per_s: None,
        },
        seeds: seeds.to_vec(),
        rows: Vec::new(),
    };
    let progress = Progress::new(source.name(), policies.len() * seeds.len());
    let mut of_seeds: Vec<Vec<Option<Outcome>>> = Vec::new();
    for (index, seed) in seeds.iter().enumerate() {
        let Some(scenario) = source.scenario(wishes, *seed) else { continue };
        if index == 0 {
            for remark in &scenario.remarks {
                progress.note(remark);
            }
            comparison.length_s = scenario.trace.length_s;
            comparison.setting = scenario.setting.clone();
        }
        of_seeds.push(one_seed(&scenario, *seed, policies, kill, &progress));
    }
    for (policy, name) in policies.iter().enumerate() {
        let outcomes = of_seeds.iter_mut().filter_map(|outcomes| outcomes[policy].take());
        if let Some(outcome) = mean(outcomes.collect()) {
            comparison.rows.push(Row { name: name.clone(), outcome });
        }
    }
    comparison
}

/// Threads take the next policy until none is left.
fn one_seed(
    scenario: &Scenario,
    seed: u64,
    policies: &[String],
    kill: bool,
    progress: &Progress,
) -> Vec<Option<Outcome>> {
    let mut config = scenario.config(seed);
    config.kill_on_scale_down = kill;
    let outcomes: Vec<Mutex<Option<Outcome>>> = policies.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(name), Some(slot)) = (policies.get(index), outcomes.get(index)) else { return };
            let outcome = outcome(name, scenario, &config);
            if let Ok(mut slot) = slot.lock() {
                *slot = outcome;
            }
            progress.done(name);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(policies.len());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    outcomes.into_iter().map(|it| it.into_inner().unwrap_or_default()).collect()
}

fn outcome(name: &str, scenario: &Scenario, config: &Config) -> Option<Outcome> {
    if name == CLAIRVOYANT {
        return Some(clairvoyant(scenario));
    }
    let mut policy = make(name, &scenario.setting)?;
    Some(simulate(&scenario.trace, config, policy.as_mut()))
}

/// Every job is taken up at its deadline at the latest, which is all that is known of its wait.
fn clairvoyant(scenario: &Scenario) -> Outcome {
    let paid = bound(&scenario.trace, &scenario.setting);
    let step_s = scenario.trace.length_s / STEPS as f64;
    let replicas =
        bound_over_time(&scenario.trace, &scenario.setting, STEPS).into_iter().map(|it| it.round() as u32);
    let timeline = replicas.enumerate().map(|(step, replicas)| Point {
        at_s: step as f64 * step_s,
        ready: replicas,
        desired: replicas,
        ..Point::default()
    });
    let timeline = timeline.collect();
    Outcome {
        jobs: scenario.trace.jobs.len() as u64,
        p50_wait_s: scenario.setting.target_wait_s,
        p95_wait_s: scenario.setting.target_wait_s,
        p99_wait_s: scenario.setting.target_wait_s,
        max_wait_s: scenario.setting.target_wait_s,
        replica_seconds: paid,
        lower_bound_replica_seconds: paid,
        cost_ratio: 1.0,
        timeline,
        ..Outcome::default()
    }
}

/// The mean of the numbers; the timeline of the first.
fn mean(outcomes: Vec<Outcome>) -> Option<Outcome> {
    let count = outcomes.len() as f64;
    let of = |field: fn(&Outcome) -> f64| outcomes.iter().map(field).sum::<f64>() / count;
    let whole = |field: fn(&Outcome) -> u64| {
        (outcomes.iter().map(|it| field(it) as f64).sum::<f64>() / count).round() as u64
    };
    Some(Outcome {
        jobs: whole(|it| it.jobs),
        late: whole(|it| it.late),
        late_share: of(|it| it.late_share),
        p50_wait_s: of(|it| it.p50_wait_s),
        p95_wait_s: of(|it| it.p95_wait_s),
        p99_wait_s: of(|it| it.p99_wait_s),
        max_wait_s: of(|it| it.max_wait_s),
        replica_seconds: of(|it| it.replica_seconds),
        lower_bound_replica_seconds: of(|it| it.lower_bound_replica_seconds),
        cost_ratio: of(|it| it.cost_ratio),
        actions: whole(|it| it.actions),
        actions_per_hour: of(|it| it.actions_per_hour),
        flips: whole(|it| it.flips),
        scaled_down: whole(|it| it.scaled_down),
        killed: whole(|it| it.killed),
        unfinished: whole(|it| it.unfinished),
        timeline: outcomes.first()?.timeline.clone(),
    })
}
