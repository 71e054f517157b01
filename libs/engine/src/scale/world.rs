//! From the system's state to the input of a decision.

use std::collections::BTreeMap;

use ops_contract::{
    ManualScale, QueueReport, QueueSample, ReplicaPhase, ReplicaState, ServiceName, ServiceSpec, SystemState,
    Timestamp,
};

use super::{Fleet, QueueInput, QueueLook, ReplicaUse, ScaleInput};
use crate::wanted_replicas;

/// What a service's decision is made from.
#[derive(Clone, Debug)]
pub struct ScaleWorld<'a> {
    /// The service.
    pub name: &'a ServiceName,
    /// What the stack file says of it.
    pub spec: &'a ServiceSpec,
    /// What is known.
    pub state: &'a SystemState,
    /// Replicas that were last asked for.
    pub desired: u16,
    /// The number that an operator set.
    pub manual: Option<ManualScale>,
    /// Why no replica may be taken away now.
    pub frozen: Option<String>,
}

/// Everything that a decision may depend on; `None` for a service that follows nothing.
pub fn scale_input(world: &ScaleWorld<'_>, now: Timestamp) -> Option<ScaleInput> {
    let spec = world.spec.scale.clone()?;
    let mut fleet = Fleet::default();
    let mut usage = Vec::new();
    let mut frozen = world.frozen.clone();
    let service = world.state.services.get(world.name).map(|known| {
        let mut known = known.clone();
        known.desired = world.desired;
        known
    });
    for (slot, replica) in service.iter().flat_map(wanted_replicas) {
        match replica.map(|it| it.phase) {
            Some(ReplicaPhase::Ready) => {
                fleet.ready += 1;
                usage.push(replica.and_then(used));
            }
            Some(ReplicaPhase::Unknown) => {
                // It may run and work; what it does cannot be told.
                fleet.ready += 1;
                usage.push(None);
                frozen.get_or_insert_with(|| format!("{}/{slot} has not been reported", world.name));
            }
            Some(ReplicaPhase::GaveUp) => fleet.lost += 1,
            Some(ReplicaPhase::Starting) => fleet.starting_s.push(replica.map_or(0.0, |it| age_s(it, now))),
            _ => fleet.starting_s.push(0.0),
        }
    }
    let queues =
        spec.queues.iter().filter_map(|name| Some((name.clone(), queue(world.state, name, now)?))).collect();
    Some(ScaleInput {
        now,
        bounds: world.spec.replicas,
        spec,
        desired: world.desired,
        fleet,
        usage,
        queues,
        start_delays_s: Vec::new(),
        frozen,
        manual: world.manual.clone(),
    })
}

fn age_s(replica: &ReplicaState, now: Timestamp) -> f64 {
    now.since(replica.started_at.unwrap_or(replica.since)).as_secs_f64()
}

fn used(replica: &ReplicaState) -> Option<ReplicaUse> {
    let usage = replica.usage?;
    Some(ReplicaUse { cpu_cores: usage.cpu_cores, connections: usage.connections })
}

/// A queue by its full name, `valkey.main/email`.
fn queue(state: &SystemState, name: &str, now: Timestamp) -> Option<QueueInput> {
    let (store, queue) = name.rsplit_once('/')?;
    let store = state.queues.get(store)?;
    let last = store.last.as_ref()?;
    let sample = last.queues.get(queue)?;
    Some(QueueInput {
        look: look(last, sample),
        age_s: now.since(store.seen_at).as_secs_f64(),
        fault: store.fault.as_ref().map(|(fault, _)| fault.clone()),
    })
}

fn look(report: &QueueReport, sample: &QueueSample) -> QueueLook {
    QueueLook {
        at_s: report.at.as_seconds(),
        waiting: sample.claimable() as f64,
        active: sample.active as f64,
        oldest_s: sample.oldest_age_s.unwrap_or(0.0),
        arrived: sample.arrivals_total as f64,
        started: sample.started_total as f64,
        finished: (sample.finished_total() + sample.retries_total) as f64,
        due: sample.due.iter().map(|it| (it.in_s, it.jobs as f64)).collect(),
        run_s: sample.run_time.filter(|it| it.count > 0).map(|it| it.mean_s),
        limit_per_s: sample.limit.filter(|it| it.per_s > 0.0).map(|it| f64::from(it.max) / it.per_s),
        most_active: sample.global_concurrency.map(f64::from),
        paused: sample.paused,
    }
}

/// Tells of each replica once how long it took from its start to ready.
#[derive(Clone, Debug, Default)]
pub struct StartTimes {
    /// The generation of each slot that was seen starting, or that has been told of.
    starting: BTreeMap<u16, i64>,
}

impl StartTimes {
    /// Start times of the replicas that became ready since the last call. One that was ready when it was first seen tells
    /// nothing: it may have been unready and back since.
    pub fn notice(&mut self, name: &ServiceName, state: &SystemState) -> Vec<f64> {
        let Some(service) = state.services.get(name) else { return Vec::new() };
        self.starting.retain(|slot, _| service.replicas.contains_key(slot));
        let mut took = Vec::new();
        for (slot, replica) in &service.replicas {
            match replica.phase {
                ReplicaPhase::Starting => {
                    self.starting.insert(*slot, replica.generation);
                }
                ReplicaPhase::Ready if self.starting.get(slot) == Some(&replica.generation) => {
                    self.starting.remove(slot);
                    took.extend(replica.started_at.map(|at| replica.since.since(at).as_secs_f64()));
                }
                _ => {}
            }
        }
        took
    }
}
