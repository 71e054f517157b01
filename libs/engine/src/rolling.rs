//! Restarts that operators asked for: one slot at a time, the next when all others are ready again.

use ops_contract::{ActionCause, ActionKind, DecisionKind, ReplicaId, ReplicaPhase, ServiceName};

use crate::{Facts, Plan, Rolling, slots};

pub(crate) fn plan(facts: &Facts<'_>, plan: &mut Plan) {
    for rolling in facts.rolling {
        if rolling.patient {
            if let Some(slot) = rolling.slots.first() {
                restart(facts, rolling, *slot, plan);
            }
        } else {
            for slot in &rolling.slots {
                restart(facts, rolling, *slot, plan);
            }
        }
    }
}

fn restart(facts: &Facts<'_>, rolling: &Rolling, slot: u16, plan: &mut Plan) {
    let id = ReplicaId { service: rolling.service.clone(), slot };
    if facts.open_action(&id).is_some() {
        return;
    }
    let replica = facts.state.services.get(&rolling.service).and_then(|service| service.replicas.get(&slot));
    let phase = replica.map_or(ReplicaPhase::Stopped, |it| it.phase);
    if phase == ReplicaPhase::Unknown {
        return;
    }
    let waits_for = (rolling.patient && phase == ReplicaPhase::Ready)
        .then(|| busy(facts, &rolling.service, slot))
        .flatten();
    // The operator's wish replaces whatever was decided about the slot before.
    plan.decisions.retain(|decision| of(&decision.kind) != Some(&id));
    if let Some(other) = waits_for {
        let reason = format!("{id} is restarted when {other} is ready again");
        return plan.decide(DecisionKind::Hold { replica: id }, reason, &[]);
    }
    let action = if phase.may_be_alive() { ActionKind::Restart } else { ActionKind::Start };
    let reason = format!("{} asked for a restart of {id}", rolling.requested_by);
    plan.act(id, action, ActionCause::Operator, reason, &[]);
}

/// A wanted replica of the service, other than `slot`, that is not ready or is being acted on.
fn busy(facts: &Facts<'_>, service: &ServiceName, slot: u16) -> Option<ReplicaId> {
    let known = facts.state.services.get(service)?;
    slots::choose(facts, service)
        .wanted
        .into_iter()
        .filter(|other| *other != slot)
        .map(|slot| ReplicaId { service: service.clone(), slot })
        .find(|id| {
            let ready = known.replicas.get(&id.slot).is_some_and(|it| it.phase == ReplicaPhase::Ready);
            !ready || facts.open_action(id).is_some()
        })
}

fn of(kind: &DecisionKind) -> Option<&ReplicaId> {
    match kind {
        DecisionKind::Act { replica, .. }
        | DecisionKind::BackOff { replica, .. }
        | DecisionKind::GiveUp { replica }
        | DecisionKind::Hold { replica } => Some(replica),
    }
}
