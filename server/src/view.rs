//! Contract views from the state; pure.

use ops_contract::{
    Change, NowView, ReplicaPhase, ReplicaState, ReplicaView, ServiceName, ServiceView, Stack, SystemState,
    Timestamp,
};

const SHOWN_CHANGES: usize = 20;

/// What the first page shows. `changes` are newest first.
pub(crate) fn now(
    stack: &Stack,
    state: &SystemState,
    changes: &[Change],
    history_unavailable: Option<String>,
    now: Timestamp,
) -> NowView {
    let mut services: Vec<ServiceView> =
        stack.services.keys().filter_map(|name| service(stack, state, changes, name)).collect();
    services.sort_by(|a, b| (a.role, &a.name).cmp(&(b.role, &b.name)));
    NowView {
        stack: stack.name.clone(),
        verdict: ops_engine::explain(stack, state, changes, now),
        services,
        dependencies: state.dependencies.iter().map(|(name, it)| (name.clone(), it.clone())).collect(),
        changes: changes.iter().take(SHOWN_CHANGES).cloned().collect(),
        history_unavailable,
        at: now,
        data_age_s: state.agents.values().min().map(|seen| now.since(*seen).as_secs_f64()),
    }
}

/// One service; `None` when the stack has none of the name.
pub(crate) fn service(
    stack: &Stack,
    state: &SystemState,
    changes: &[Change],
    name: &ServiceName,
) -> Option<ServiceView> {
    let spec = stack.services.get(name)?;
    let known = state.services.get(name).cloned().unwrap_or_default();
    let slots = format!("{name}/");
    let last_change = changes
        .iter()
        .find(|change| change.subject == name.as_str() || change.subject.starts_with(&slots))
        .cloned();
    let wanted = ops_engine::wanted_replicas(&known);
    let is_ready = |it: &ReplicaState| it.phase == ReplicaPhase::Ready;
    let ready = wanted.iter().filter(|(_, it)| it.is_some_and(is_ready)).count();
    let slots: Vec<u16> = wanted.iter().map(|(slot, _)| *slot).collect();
    let replicas = known
        .replicas
        .iter()
        // A slot that is no longer wanted and has ended is history.
        .filter(|(slot, it)| slots.contains(slot) || it.phase.may_be_alive())
        .map(|(slot, it)| ReplicaView { slot: *slot, state: it.clone() })
        .collect();
    Some(ServiceView {
        name: name.clone(),
        role: spec.role,
        status: known.status,
        since: known.since,
        reason: known.reason,
        ready: u16::try_from(ready).unwrap_or(u16::MAX),
        desired: known.desired,
        bounds: spec.replicas,
        replicas,
        last_change,
    })
}
