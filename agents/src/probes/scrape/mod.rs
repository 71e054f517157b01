//! Asks what answers with metrics: every replica of a service that has them, and the targets of the stack.
//!
//! One loop for each target, kept by [`run`] for as long as the target is wanted, whatever else changes in the stack: a
//! gap in its series would let alerts that wait begin anew. A failed target is a signal (`up` is 0), never an error. A
//! replica that ends or changes its state is asked, or told to be down, at once.

mod answer;
mod families;
mod known;
mod plan;
mod target;

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_contract::{ReplicaPhase, ReplicaReport, Stack};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use self::plan::Plan;
use crate::agent::Agent;

/// What is wanted of a target's loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    /// It may be asked; another number: at once. A replica's port changes with each start.
    Ask(u64, Option<u16>),
    /// It is not there, and should be.
    Down(u64),
    /// It is not to be there: its series end, `up` too.
    Gone,
}

struct Loop {
    plan: Plan,
    want: watch::Sender<Want>,
    task: JoinHandle<()>,
}

/// The loops end with whoever keeps them.
impl Drop for Loop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps a loop for each target that the stack and the replicas ask for.
pub(crate) async fn run(agent: Arc<Agent>) -> anyhow::Result<()> {
    let client = answer::client()?;
    let (mut stack, mut fleet) = (agent.stack.subscribe(), agent.fleet.changes());
    let mut loops: BTreeMap<String, Loop> = BTreeMap::new();
    loop {
        fleet.mark_unchanged();
        let now = stack.borrow_and_update().clone();
        if let Some(now) = now {
            let wanted = wanted(&agent, &now, &loops);
            reconcile(&agent, &client, &mut loops, wanted).await;
        }
        tokio::select! {
            changed = stack.changed() => changed?,
            changed = fleet.changed() => changed?,
        }
    }
}

async fn reconcile(
    agent: &Arc<Agent>,
    client: &reqwest::Client,
    loops: &mut BTreeMap<String, Loop>,
    wanted: BTreeMap<String, (Plan, Want)>,
) {
    // All that ends is told so before any of it is waited for.
    let same = |name: &String, it: &Loop| wanted.get(name).is_some_and(|(plan, _)| *plan == it.plan);
    let names: Vec<String> =
        loops.iter().filter(|(name, it)| !same(name, it)).map(|(name, _)| name.clone()).collect();
    let mut ending: Vec<Loop> = names.iter().filter_map(|name| loops.remove(name)).collect();
    for it in &ending {
        it.want.send_replace(Want::Gone);
    }
    for it in &mut ending {
        let _ = (&mut it.task).await;
    }
    for (name, (plan, want)) in wanted {
        if let Some(it) = loops.get(&name) {
            it.want.send_if_modified(|before| std::mem::replace(before, want) != want);
            continue;
        }
        let (sender, receiver) = watch::channel(want);
        let target = target::Target::new(agent, client, plan.clone());
        loops.insert(name, Loop { plan, want: sender, task: tokio::spawn(target.run(receiver)) });
    }
}

/// What should be asked, by a name that tells targets apart.
fn wanted(agent: &Agent, stack: &Stack, loops: &BTreeMap<String, Loop>) -> BTreeMap<String, (Plan, Want)> {
    let mut all = BTreeMap::new();
    for report in agent.fleet.reports() {
        let spec = stack.services.get(&report.replica.service);
        let Some(path) = spec.and_then(|spec| spec.metrics.as_deref()) else { continue };
        let name = format!("replica {}", report.replica);
        let Some(want) = want_of(&report, loops.contains_key(&name)) else { continue };
        all.insert(name, (Plan::of_replica(&report.replica, path), want));
    }
    for spec in &stack.scrape {
        for plan in Plan::of_targets(spec).unwrap_or_else(|problem| {
            warn!(job = spec.job, "this job cannot be scraped: {problem}");
            Vec::new()
        }) {
            all.insert(plan.name(), (plan, Want::Ask(0, None)));
        }
    }
    all
}

/// A replica that was stopped on purpose is not missed, and one that starts for the first time is not yet.
fn want_of(report: &ReplicaReport, asked_before: bool) -> Option<Want> {
    // Another state, another generation: ask at once.
    let number = u64::try_from(report.generation).unwrap_or(0) * 16 + report.phase as u64;
    match (report.phase, report.port) {
        (ReplicaPhase::Stopped, _) => None,
        (ReplicaPhase::Starting, _) => asked_before.then_some(Want::Down(number)),
        (phase, Some(port)) if phase.may_be_alive() => Some(Want::Ask(number, Some(port))),
        _ => Some(Want::Down(number)),
    }
}
