//! The one sentence: what is broken, since when, why, and what changed before.

use std::time::Duration;

use ops_contract::{
    Change, ChangeKind, DependencyState, DependencyStatus, ReplicaPhase, ServiceName, ServiceRole,
    ServiceState, ServiceStatus, Stack, SystemState, Timestamp, Tone, Verdict,
};

use crate::dependencies::{self, stands_on};
use crate::judge::in_words;
use crate::words;

/// A store that the stack itself started a moment ago is starting, not down.
const STORE_START: Duration = Duration::from_secs(15);

/// A change longer before the onset is not mentioned.
const NEAR: Duration = Duration::from_secs(3_600);

/// Something that is not as it should be.
struct Fault<'a> {
    name: &'a str,
    label: String,
    tone: Tone,
    since: Timestamp,
    state: &'static str,
    why: &'a str,
    role: ServiceRole,
}

/// Says how the system does. `changes` are the latest ones, newest first.
pub fn explain(stack: &Stack, state: &SystemState, changes: &[Change], now: Timestamp) -> Verdict {
    if state.agents.is_empty() {
        return plain(Tone::Unknown, "No agent has reported yet: nothing is known of what runs".to_owned());
    }
    let mut faults = faults(stack, state, now);
    if faults.is_empty() {
        return well(stack, state, changes, now);
    }
    faults.sort_by_key(rank);
    let root = root(stack, &faults);
    let fault = &faults[root];
    let affected: Vec<String> = faults
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != root)
        .map(|(_, other)| other.name.to_owned())
        .collect();
    let tone = faults.iter().map(|fault| fault.tone).max().unwrap_or(Tone::Unknown);
    let mut sentence = format!(
        "{} is {} since {} ({})",
        fault.label,
        fault.state,
        words::clock(fault.since),
        words::age(now.since(fault.since))
    );
    if !fault.why.is_empty() {
        sentence.push_str(": ");
        sentence.push_str(fault.why);
    }
    if !affected.is_empty() {
        sentence.push_str(" · also unwell: ");
        sentence.push_str(&affected.join(", "));
    }
    Verdict {
        tone,
        sentence,
        root: Some(fault.name.to_owned()),
        since: Some(fault.since),
        affected,
        nearest_change: nearest(changes, fault).cloned(),
    }
}

fn faults<'a>(stack: &'a Stack, state: &'a SystemState, now: Timestamp) -> Vec<Fault<'a>> {
    let stores =
        state.dependencies.iter().filter_map(|(name, store)| store_fault(stack, state, name, store, now));
    let services = stack.services.iter().filter_map(|(name, spec)| {
        let service = state.services.get(name)?;
        let tone = service_tone(service.status)?;
        // A store and the process that runs it are one thing, told once and by the store's name.
        let store = dependencies::store_of(state, name);
        if store.is_some_and(|store| state.dependencies[store].status != DependencyStatus::Up) {
            return None;
        }
        let tone =
            if spec.role == ServiceRole::Frontend || tone < Tone::Degraded { tone } else { Tone::Degraded };
        let label = store
            .map_or_else(|| name.to_string(), |store| words::store(store, state.dependencies[store].kind));
        Some(Fault {
            name: store.unwrap_or(name.as_str()),
            label,
            tone,
            since: service.since,
            state: in_words(service.status),
            why: &service.reason,
            role: spec.role,
        })
    });
    stores.chain(services).collect()
}

fn store_fault<'a>(
    stack: &Stack,
    state: &'a SystemState,
    name: &'a str,
    store: &'a DependencyState,
    now: Timestamp,
) -> Option<Fault<'a>> {
    let own = dependencies::service_of(stack, name).and_then(|service| state.services.get(&service));
    let (tone, word) = match store.status {
        DependencyStatus::Up => return None,
        // A store that the stack is still starting, or has stopped, is told by its service.
        _ if own.is_some_and(|it| it.status == ServiceStatus::Stopped || is_starting(it, now)) => {
            return None;
        }
        DependencyStatus::Down => (Tone::Degraded, "down"),
        DependencyStatus::Unknown => (Tone::Unknown, "unknown"),
    };
    let label = words::store(name, store.kind);
    Some(Fault {
        name,
        label,
        tone,
        since: store.since,
        state: word,
        // Why its process ended says more than that nobody answers.
        why: own.filter(|it| it.status == ServiceStatus::Down).map_or(&store.detail, |it| &it.reason),
        role: ServiceRole::Infrastructure,
    })
}

/// Whether a store's own process is too young for its probe to mean anything.
fn is_starting(service: &ServiceState, now: Timestamp) -> bool {
    let young =
        service.replicas.values().filter_map(|it| it.started_at).any(|at| now.since(at) < STORE_START);
    service.status == ServiceStatus::Starting || (service.status == ServiceStatus::Serving && young)
}

fn service_tone(status: ServiceStatus) -> Option<Tone> {
    match status {
        ServiceStatus::Serving | ServiceStatus::Starting | ServiceStatus::Stopped => None,
        ServiceStatus::Unknown => Some(Tone::Unknown),
        ServiceStatus::Degraded => Some(Tone::Degraded),
        ServiceStatus::Down => Some(Tone::Down),
    }
}

/// Known faults before unknown ones, users' services before others, the worst first, the oldest first.
fn rank(fault: &Fault<'_>) -> (bool, ServiceRole, std::cmp::Reverse<Tone>, Timestamp) {
    (fault.tone == Tone::Unknown, fault.role, std::cmp::Reverse(fault.tone), fault.since)
}

/// The deepest fault below the first one.
fn root(stack: &Stack, faults: &[Fault<'_>]) -> usize {
    let mut root = 0;
    for _ in faults {
        let upper = ServiceName(faults[root].name.to_owned());
        match faults
            .iter()
            .position(|lower| lower.name != upper.as_str() && stands_on(stack, &upper, lower.name))
        {
            Some(lower) => root = lower,
            None => break,
        }
    }
    root
}

/// The newest change at or before the onset, other than the fault's own consequence.
fn nearest<'a>(changes: &'a [Change], fault: &Fault<'_>) -> Option<&'a Change> {
    changes.iter().find(|change| {
        let caused = !matches!(
            change.kind,
            ChangeKind::State
                | ChangeKind::Access
                | ChangeKind::Response
                | ChangeKind::Exit
                | ChangeKind::GaveUp
        );
        caused && change.at <= fault.since && fault.since.since(change.at) < NEAR
    })
}

fn well(stack: &Stack, state: &SystemState, changes: &[Change], now: Timestamp) -> Verdict {
    let services = || stack.services.keys().filter_map(|name| Some((name, state.services.get(name)?)));
    let ready = |service: &ServiceState| {
        service.replicas.values().filter(|it| it.phase == ReplicaPhase::Ready).count()
    };
    let (serving, wanted): (usize, usize) = services()
        .fold((0, 0), |(serving, wanted), (_, it)| (serving + ready(it), wanted + usize::from(it.desired)));
    let not_up = |name: &ServiceName| {
        let store = dependencies::store_of(state, name);
        store.is_some_and(|store| state.dependencies[store].status != DependencyStatus::Up)
    };
    let starting: Vec<&str> = services()
        .filter(|(name, it)| it.status == ServiceStatus::Starting || (it.desired > 0 && not_up(name)))
        .map(|(name, _)| name.as_str())
        .collect();
    if !starting.is_empty() {
        return plain(
            Tone::Starting,
            format!("Starting: {serving} of {wanted} replicas ready, {} to come", starting.join(", ")),
        );
    }
    if wanted == 0 {
        let alive =
            services().flat_map(|(_, it)| it.replicas.values()).filter(|it| it.phase.may_be_alive()).count();
        let sentence = if alive > 0 {
            format!("Stopping: {alive} replicas still run")
        } else {
            "Stopped on purpose".to_owned()
        };
        return plain(Tone::Stopped, sentence);
    }
    let last =
        changes.iter().find(|change| !matches!(change.kind, ChangeKind::Access | ChangeKind::Response));
    let quiet = last.map_or(String::new(), |change| {
        format!(" · nothing changed for {}", words::age(now.since(change.at)))
    });
    plain(Tone::Serving, format!("All {wanted} replicas serving{quiet}"))
}

fn plain(tone: Tone, sentence: String) -> Verdict {
    Verdict { tone, sentence, root: None, since: None, affected: Vec::new(), nearest_change: None }
}
