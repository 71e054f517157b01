//! Signals into state. Idempotent and tolerant of order: what is older never overwrites what is newer.

use std::collections::BTreeSet;

use ops_contract::{
    AgentName, DependencyReport, DependencyState, Exit, ReplicaId, ReplicaPhase, ReplicaReport, ReplicaState,
    Signal, SystemState, Timestamp,
};

use crate::queues;

/// Folds one signal of `agent`, received at `now`, into the state.
pub fn fold(state: &mut SystemState, agent: &AgentName, signal: &Signal, now: Timestamp) {
    state.agents.insert(agent.clone(), now);
    match signal {
        Signal::Replica(report) => replica(state, agent, report, now),
        Signal::Inventory { replicas } => inventory(state, agent, replicas, now),
        Signal::ReplicaExited(exit) => exited(state, agent, exit, now),
        Signal::Dependency(report) => dependency(state, report, now),
        Signal::Queues(report) => queues::fold(state, report, now),
        Signal::DeepCheck { service, good, detail, .. } => {
            state.services.entry(service.clone()).or_default().deep_check = Some((*good, detail.clone()));
        }
    }
}

fn inventory(state: &mut SystemState, agent: &AgentName, reports: &[ReplicaReport], now: Timestamp) {
    for report in reports {
        replica(state, agent, report, now);
    }
    let named: BTreeSet<&ReplicaId> = reports.iter().map(|report| &report.replica).collect();
    for (service, known) in &mut state.services {
        // What is over stays as evidence; what was alive and is no longer named is gone.
        known.replicas.retain(|slot, replica| {
            let id = ReplicaId { service: service.clone(), slot: *slot };
            replica.agent != *agent || !replica.phase.may_be_alive() || named.contains(&id)
        });
    }
}

fn replica(state: &mut SystemState, agent: &AgentName, report: &ReplicaReport, now: Timestamp) {
    let service = state.services.entry(report.replica.service.clone()).or_default();
    let before = service.replicas.get(&report.replica.slot);
    if before.is_some_and(|it| it.generation > report.generation) {
        return;
    }
    let same = before.filter(|it| it.generation == report.generation);
    // The server's own judgement of an ended generation (backing off, gave up) outlives the agent's "exited".
    let judged = same.filter(|it| {
        matches!(it.phase, ReplicaPhase::BackingOff | ReplicaPhase::GaveUp)
            && report.phase == ReplicaPhase::Exited
    });
    let ended = same.filter(|it| !it.phase.may_be_alive() && report.phase.may_be_alive());
    if ended.is_some() {
        return;
    }
    let folded = ReplicaState {
        agent: agent.clone(),
        generation: report.generation,
        phase: judged.map_or(report.phase, |it| it.phase),
        since: judged.map_or(report.since, |it| it.since),
        pid: report.pid,
        port: report.port,
        started_at: report.started_at,
        detail: report.detail.clone(),
        unresponsive: report.unresponsive,
        usage: report.usage.or(same.and_then(|it| it.usage)),
        last_exit: before.and_then(|it| it.last_exit.clone()),
        failures: before.map_or(0, |it| it.failures),
        retry_at: judged.and_then(|it| it.retry_at),
        seen_at: now,
    };
    service.replicas.insert(report.replica.slot, folded);
}

fn exited(state: &mut SystemState, agent: &AgentName, exit: &Exit, now: Timestamp) {
    let service = state.services.entry(exit.replica.service.clone()).or_default();
    let replica = service.replicas.entry(exit.replica.slot).or_insert_with(|| ReplicaState {
        agent: agent.clone(),
        generation: exit.generation,
        phase: ReplicaPhase::Exited,
        since: exit.at,
        pid: None,
        port: None,
        started_at: exit.started_at,
        detail: None,
        unresponsive: false,
        usage: None,
        last_exit: None,
        failures: 0,
        retry_at: None,
        seen_at: now,
    });
    let newest = replica.last_exit.as_ref().is_none_or(|it| it.generation <= exit.generation);
    if newest {
        // The lines are evidence for the store; the state is sent to every open page.
        replica.last_exit = Some(Exit { last_lines: Vec::new(), ..exit.clone() });
    }
    if replica.generation == exit.generation && replica.phase.may_be_alive() {
        let asked = exit.reason == ops_contract::ExitReason::Asked;
        replica.phase = if asked { ReplicaPhase::Stopped } else { ReplicaPhase::Exited };
        replica.since = exit.at;
        replica.pid = None;
        replica.usage = None;
        replica.unresponsive = false;
        replica.detail = Some(exit.meaning.clone());
        replica.seen_at = now;
    }
}

fn dependency(state: &mut SystemState, report: &DependencyReport, now: Timestamp) {
    let before = state.dependencies.get(&report.name);
    let since = before.filter(|it| it.status == report.status).map_or(report.at, |it| it.since);
    let folded = DependencyState {
        kind: report.kind,
        status: report.status,
        since,
        detail: report.detail.clone(),
        latency_ms: report.latency_ms,
        seen_at: now,
    };
    state.dependencies.insert(report.name.clone(), folded);
}
