//! What is said of a service's number of replicas when the autoscaler has not decided, or not lately.

use std::time::Duration;

use ops_contract::{
    ReplicaPhase, ScalingSignal, ScalingState, ServiceName, ServiceSpec, ServiceState, Timestamp,
};

use crate::words;

/// How long a number that follows from the stack file alone holds; it is said anew at each question.
const FIXED_FOR: Duration = Duration::from_secs(60);

/// The signal of a service: what was `decided`, if that still holds; else that nothing is known and what runs is kept.
///
/// `wanted` is what the stack file and operators ask for. An unknown signal never asks for fewer than run.
pub fn scaling_signal(
    decided: Option<&ScalingSignal>,
    name: &ServiceName,
    spec: &ServiceSpec,
    wanted: u16,
    known: Option<&ServiceState>,
    now: Timestamp,
) -> ScalingSignal {
    match decided {
        Some(signal) if signal.valid_until >= now => signal.clone(),
        Some(signal) => overdue(signal, now),
        None => undecided(name, spec, wanted, known.map_or(0, current), now),
    }
}

/// Replicas that are alive and stay.
pub fn current(service: &ServiceState) -> u16 {
    let alive = service
        .replicas
        .values()
        .filter(|it| it.phase.may_be_alive() && it.phase != ReplicaPhase::Draining)
        .count();
    u16::try_from(alive).unwrap_or(u16::MAX)
}

fn overdue(signal: &ScalingSignal, now: Timestamp) -> ScalingSignal {
    let since = words::clock(signal.decided_at);
    let age = words::age(now.since(signal.decided_at));
    ScalingSignal {
        state: ScalingState::Unknown,
        reason: format!("nothing was decided since {since} ({age}); {} replicas are held", signal.desired),
        ..signal.clone()
    }
}

fn undecided(
    name: &ServiceName,
    spec: &ServiceSpec,
    wanted: u16,
    current: u16,
    now: Timestamp,
) -> ScalingSignal {
    let signal = |desired, state, reason, valid_until| ScalingSignal {
        service: name.clone(),
        desired,
        current,
        bounds: spec.replicas,
        state,
        reason,
        held: Vec::new(),
        inputs: Default::default(),
        manual: None,
        decided_at: now,
        valid_until,
    };
    if spec.scale.is_none() {
        let reason = format!(
            "the stack file says nothing of what {name} scales by: {wanted} stay until an operator sets another number"
        );
        return signal(wanted, ScalingState::Fixed, reason, now + FIXED_FOR);
    }
    let kept = wanted.max(current);
    let reason = format!("nothing has been decided yet; {kept} are held");
    // It holds for no moment longer than it is said.
    signal(kept, ScalingState::Unknown, reason, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const NOW: Timestamp = Timestamp(1_792_000_000_000_000);

    #[test]
    fn a_decision_holds_until_its_time_and_is_then_unknown() {
        let (name, spec) = testing::service("worker", true);
        let mut decided = scaling_signal(None, &name, &spec, 3, None, NOW);
        decided.state = ScalingState::Measured;
        decided.valid_until = NOW + Duration::from_secs(10);
        let at = |seconds| {
            let now = NOW + Duration::from_secs(seconds);
            scaling_signal(Some(&decided), &name, &spec, 1, None, now)
        };
        assert_eq!(at(10), decided);
        let late = at(190);
        assert_eq!((late.state, late.desired), (ScalingState::Unknown, 3));
        assert_eq!(late.reason, "nothing was decided since 17:46:40 UTC (3 min); 3 replicas are held");
    }

    #[test]
    fn without_a_decision_what_runs_is_kept() {
        let (name, spec) = testing::service("worker", true);
        let mut known = ServiceState::default();
        for (slot, phase) in
            [ReplicaPhase::Ready, ReplicaPhase::Unknown, ReplicaPhase::Draining].iter().enumerate()
        {
            known.replicas.insert(slot as u16, testing::replica(*phase, NOW));
        }
        let signal = scaling_signal(None, &name, &spec, 1, Some(&known), NOW);
        assert_eq!((signal.state, signal.desired, signal.current), (ScalingState::Unknown, 2, 2));
    }

    #[test]
    fn a_service_that_follows_nothing_is_fixed() {
        let (name, spec) = testing::service("api", false);
        let signal = scaling_signal(None, &name, &spec, 2, None, NOW);
        assert_eq!((signal.state, signal.desired), (ScalingState::Fixed, 2));
        assert!(signal.valid_until > NOW);
    }
}
