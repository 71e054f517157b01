//! Compares what is with what should be.

use std::collections::{BTreeMap, BTreeSet};

use ops_contract::{
    ActionCause, ActionKind, AgentName, Decision, DecisionKind, ReplicaId, ReplicaPhase, ReplicaState,
    ServiceName, ServiceSpec, SystemState, Timestamp,
};

use crate::{Facts, Intent, dependencies, rolling, slot, slots};

/// What to do, and what the slots that cannot be acted on wait for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Decisions; at most one per slot.
    pub decisions: Vec<Decision>,
    /// What the server itself knows of a slot, to be shown; see [`apply`].
    pub slots: BTreeMap<ReplicaId, SlotVerdict>,
    /// When to plan again if nothing else happens before.
    pub wake_at: Option<Timestamp>,
}

/// What the server itself knows of a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotVerdict {
    /// Backing off or gave up.
    pub phase: Option<ReplicaPhase>,
    /// Failures in the window.
    pub failures: u16,
    /// When it is started again.
    pub retry_at: Option<Timestamp>,
    /// In words.
    pub detail: Option<String>,
}

impl Plan {
    pub(crate) fn act(
        &mut self,
        replica: ReplicaId,
        action: ActionKind,
        cause: ActionCause,
        reason: String,
        inputs: &[(&str, String)],
    ) {
        self.decide(DecisionKind::Act { replica, action, cause }, reason, inputs);
    }

    pub(crate) fn decide(&mut self, kind: DecisionKind, reason: String, inputs: &[(&str, String)]) {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.decisions.push(Decision { kind, reason, inputs });
    }

    pub(crate) fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }
}

/// Plans. Same facts, same plan; a plan made again while its own actions are open has none of them.
pub fn plan(facts: &Facts<'_>) -> Plan {
    let mut plan = Plan::default();
    if !facts.inventory_known {
        return plan;
    }
    match facts.intent {
        Intent::Running => {
            for (name, spec) in &facts.stack.services {
                run(facts, name, spec, &mut plan);
            }
            rolling::plan(facts, &mut plan);
        }
        Intent::Stopped => stop_in_order(facts, &mut plan),
    }
    plan
}

/// Shows on the replicas what the plan knows of them: backing off, gave up, failures in the window.
pub fn apply(state: &mut SystemState, plan: &Plan, agent: &AgentName, now: Timestamp) {
    for (id, verdict) in &plan.slots {
        let Some(service) = state.services.get_mut(&id.service) else { continue };
        if verdict.phase.is_none() && !service.replicas.contains_key(&id.slot) {
            // It was never started; there is nothing to say about it yet.
            continue;
        }
        let replica = service.replicas.entry(id.slot).or_insert_with(|| unseen(agent, now));
        replica.failures = verdict.failures;
        if let Some(phase) = verdict.phase.filter(|_| !replica.phase.may_be_alive()) {
            if replica.phase != phase {
                replica.since = now;
            }
            replica.phase = phase;
        }
        replica.retry_at = verdict.retry_at;
        if verdict.detail.is_some() {
            replica.detail.clone_from(&verdict.detail);
        }
    }
}

fn unseen(agent: &AgentName, now: Timestamp) -> ReplicaState {
    ReplicaState {
        agent: agent.clone(),
        generation: 0,
        phase: ReplicaPhase::Exited,
        since: now,
        pid: None,
        port: None,
        started_at: None,
        detail: None,
        unresponsive: false,
        usage: None,
        last_exit: None,
        failures: 0,
        retry_at: None,
        seen_at: now,
    }
}

fn run(facts: &Facts<'_>, name: &ServiceName, spec: &ServiceSpec, plan: &mut Plan) {
    let wanted = facts.wanted(name, spec);
    let slots = slots::choose(facts, name);
    for slot in slots.wanted {
        slot::plan(facts, spec, &ReplicaId { service: name.clone(), slot }, plan);
    }
    let Some(service) = facts.state.services.get(name) else { return };
    for slot in slots.surplus {
        let id = ReplicaId { service: name.clone(), slot };
        let Some(replica) = service.replicas.get(&slot) else { continue };
        if replica.phase.may_be_alive()
            && replica.phase != ReplicaPhase::Unknown
            && facts.open_action(&id).is_none()
        {
            let busy = replica.usage.and_then(|usage| usage.active_jobs);
            let running = busy.map_or(String::new(), |jobs| format!(" (it runs {jobs} jobs)"));
            let reason = format!("{wanted} replicas of {name} are wanted, so {id} is drained{running}");
            plan.act(id, ActionKind::Stop, ActionCause::Scale, reason, &[("wanted", wanted.to_string())]);
        }
    }
}

/// What nothing else stands on any more is stopped: users' services first, stores last.
fn stop_in_order(facts: &Facts<'_>, plan: &mut Plan) {
    let alive: BTreeSet<&ServiceName> = facts
        .state
        .services
        .iter()
        .filter(|(_, service)| service.replicas.values().any(|it| it.phase.may_be_alive()))
        .map(|(name, _)| name)
        .collect();
    let dependents = dependencies::dependents(facts.stack);
    for name in &alive {
        let above = dependents.get(*name).into_iter().flatten();
        let waits_for: Vec<&str> = above.filter(|it| alive.contains(it)).map(ServiceName::as_str).collect();
        if !waits_for.is_empty() {
            continue;
        }
        for (slot, replica) in facts.state.services.get(*name).into_iter().flat_map(|it| &it.replicas) {
            let id = ReplicaId { service: (*name).clone(), slot: *slot };
            if replica.phase.may_be_alive()
                && replica.phase != ReplicaPhase::Unknown
                && facts.open_action(&id).is_none()
            {
                let reason =
                    format!("the stack is being stopped and nothing that runs stands on {name} any more");
                plan.act(id, ActionKind::Stop, ActionCause::StackStop, reason, &[]);
            }
        }
    }
}
