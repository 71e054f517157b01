//! How each service and store does, from what its replicas and probes say and from their silence.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{
    DependencyStatus, ReplicaId, ReplicaPhase, ReplicaState, ServiceName, ServiceSpec, ServiceState,
    ServiceStatus, Stack, SystemState, Timestamp,
};

use crate::Intent;
use crate::slots::wanted_replicas;
use crate::words;

/// Three heartbeats of an agent: what was not reported for so long is unknown.
pub const STALE_AFTER: Duration = Duration::from_secs(15);

/// A service or store that does otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Which.
    pub subject: String,
    /// In one sentence.
    pub summary: String,
}

/// Wanted replicas of a service: what was asked for, within its bounds.
pub fn desired(name: &ServiceName, spec: &ServiceSpec, overrides: &BTreeMap<ServiceName, u16>) -> u16 {
    overrides
        .get(name)
        .map_or(spec.replicas.min, |wanted| (*wanted).clamp(spec.replicas.min, spec.replicas.max))
}

/// Judges everything at `now` and tells what has changed.
pub fn judge(
    state: &mut SystemState,
    stack: &Stack,
    overrides: &BTreeMap<ServiceName, u16>,
    intent: Intent,
    now: Timestamp,
) -> Vec<Transition> {
    let mut transitions = Vec::new();
    for (name, store) in &mut state.dependencies {
        if store.status != DependencyStatus::Unknown && now.since(store.seen_at) > STALE_AFTER {
            store.status = DependencyStatus::Unknown;
            store.since = store.seen_at + STALE_AFTER;
            store.detail = "no report".to_owned();
            let summary = format!(
                "{} is unknown: no report for {}",
                words::store(name, store.kind),
                words::age(now.since(store.seen_at))
            );
            transitions.push(Transition { subject: name.clone(), summary });
        }
    }
    let agents_known = !state.agents.is_empty();
    for (name, spec) in &stack.services {
        let service = state.services.entry(name.clone()).or_default();
        service.desired = match intent {
            Intent::Running => desired(name, spec, overrides),
            Intent::Stopped => 0,
        };
        for replica in service.replicas.values_mut() {
            mark_stale(replica, now);
        }
        let (status, reason) = if agents_known {
            status(name, service)
        } else {
            (ServiceStatus::Unknown, "no agent has reported".to_owned())
        };
        if status != service.status {
            let summary = if reason.is_empty() {
                format!("{name} is serving")
            } else {
                format!("{name} is {}: {reason}", in_words(status))
            };
            transitions.push(Transition { subject: name.to_string(), summary });
            service.since = now;
        }
        service.status = status;
        service.reason = reason;
    }
    transitions
}

/// A status as it follows "is".
pub(crate) fn in_words(status: ServiceStatus) -> &'static str {
    match status {
        ServiceStatus::Unknown => "unknown",
        ServiceStatus::Serving => "serving",
        ServiceStatus::Starting => "starting",
        ServiceStatus::Degraded => "degraded",
        ServiceStatus::Down => "down",
        ServiceStatus::Stopped => "stopped",
    }
}

fn mark_stale(replica: &mut ReplicaState, now: Timestamp) {
    if !replica.phase.may_be_alive()
        || replica.phase == ReplicaPhase::Unknown
        || now.since(replica.seen_at) <= STALE_AFTER
    {
        return;
    }
    replica.detail = Some(format!("was {} when last reported", words::phase(replica.phase)));
    replica.phase = ReplicaPhase::Unknown;
    replica.since = replica.seen_at + STALE_AFTER;
}

fn status(name: &ServiceName, service: &ServiceState) -> (ServiceStatus, String) {
    let alive = service.replicas.values().filter(|it| it.phase.may_be_alive()).count();
    if service.desired == 0 {
        let reason =
            if alive > 0 { format!("{alive} still to stop") } else { "stopped on purpose".to_owned() };
        return (ServiceStatus::Stopped, reason);
    }
    let standing = wanted_replicas(service);
    let wanted = || standing.iter().copied();
    let ready = wanted().filter(|(_, it)| phase(*it) == Some(ReplicaPhase::Ready)).count();
    if ready == usize::from(service.desired) {
        return match &service.deep_check {
            Some((false, detail)) => {
                (ServiceStatus::Degraded, format!("all replicas answer, but the deep check fails: {detail}"))
            }
            _ => (ServiceStatus::Serving, String::new()),
        };
    }
    let mut faults: Vec<String> = wanted().filter_map(|(slot, it)| fault(name, slot, it)).collect();
    let more = faults.len().saturating_sub(3);
    faults.truncate(3);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    let reason = format!("{ready} of {} replicas ready; {}", service.desired, faults.join(", "));
    let unknown = wanted().any(|(_, it)| phase(it) == Some(ReplicaPhase::Unknown));
    let bad = wanted().any(|(_, it)| is_bad(it));
    let status = match (ready, bad, unknown) {
        (_, false, false) => ServiceStatus::Starting,
        (0, false, true) => ServiceStatus::Unknown,
        (0, true, _) => ServiceStatus::Down,
        _ => ServiceStatus::Degraded,
    };
    (status, reason)
}

/// Whether a wanted replica that is not ready is so for a reason that nobody asked for.
fn is_bad(replica: Option<&ReplicaState>) -> bool {
    replica.is_some_and(|it| match it.phase {
        ReplicaPhase::NotReady | ReplicaPhase::Exited | ReplicaPhase::BackingOff | ReplicaPhase::GaveUp => {
            true
        }
        ReplicaPhase::Starting => it.failures > 0 || it.unresponsive,
        _ => false,
    })
}

fn phase(replica: Option<&ReplicaState>) -> Option<ReplicaPhase> {
    replica.map(|it| it.phase)
}

/// Why a wanted replica is not ready, in words; `None` when it is.
fn fault(service: &ServiceName, slot: u16, replica: Option<&ReplicaState>) -> Option<String> {
    let id = ReplicaId { service: service.clone(), slot };
    let Some(replica) = replica else { return Some(format!("{id} is not started")) };
    let last = replica.last_exit.as_ref().map_or("", |exit| exit.meaning.as_str());
    let detail = replica.detail.as_deref().unwrap_or_default();
    let words = match replica.phase {
        ReplicaPhase::Ready => return None,
        ReplicaPhase::GaveUp => {
            format!("{id} gave up after {} failures, last {last}", replica.failures.max(1))
        }
        ReplicaPhase::BackingOff => format!("{id} starts again soon, {last}"),
        ReplicaPhase::Exited if last.is_empty() => format!("{id} ended"),
        ReplicaPhase::Exited => format!("{id}: {last}"),
        ReplicaPhase::Stopped => format!("{id} is stopped"),
        other if replica.unresponsive => format!("{id} is {} and does not answer", words::phase(other)),
        other if detail.is_empty() => format!("{id} is {}", words::phase(other)),
        other => format!("{id} is {}: {detail}", words::phase(other)),
    };
    Some(words)
}
