//! What to do about one slot in which a replica is wanted.

use std::time::Duration;

use ops_contract::{
    ActionCause, ActionKind, DecisionKind, ExitReason, ReplicaId, ReplicaPhase, RestartMode, ServiceSpec,
};

use crate::restart::{self, AfterExit};
use crate::{Facts, Plan, SlotVerdict, dependencies, slots, words};

/// Replicas of one service that hang within this time of each other hang for one cause.
const TOGETHER: Duration = Duration::from_secs(30);

pub(crate) fn plan(facts: &Facts<'_>, spec: &ServiceSpec, id: &ReplicaId, plan: &mut Plan) {
    if facts.open_action(id).is_some() {
        return;
    }
    let replica = facts.state.services.get(&id.service).and_then(|service| service.replicas.get(&id.slot));
    match replica {
        Some(it) if it.phase == ReplicaPhase::Unknown => {
            hold(plan, id, format!("{id} has not been reported, so nothing is done to it"))
        }
        Some(it) if it.phase.may_be_alive() => {
            let failures = facts.failures(id, &spec.restart, facts.now);
            plan.slots.insert(id.clone(), SlotVerdict { failures, ..SlotVerdict::default() });
            if it.unresponsive {
                unresponsive(facts, spec, id, failures, plan);
            }
        }
        _ => not_running(facts, spec, id, plan),
    }
}

fn not_running(facts: &Facts<'_>, spec: &ServiceSpec, id: &ReplicaId, plan: &mut Plan) {
    let exits = facts.exits_of(id);
    match restart::after_exit(spec, id, exits, facts.now) {
        AfterExit::Start { cause, reason, failures } => {
            plan.slots.insert(id.clone(), SlotVerdict { failures, ..SlotVerdict::default() });
            match dependencies::missing(facts.stack, facts.state, spec) {
                Some((name, why)) => {
                    let reason = format!("{id} waits for {name}: {why}");
                    if failures > 0 {
                        plan.slots.entry(id.clone()).or_default().detail = Some(reason.clone());
                    }
                    hold(plan, id, reason);
                }
                None => plan.act(
                    id.clone(),
                    ActionKind::Start,
                    cause,
                    reason,
                    &[("failures", failures.to_string())],
                ),
            }
        }
        AfterExit::Wait { until, failures, last } => {
            let verdict = SlotVerdict {
                phase: Some(ReplicaPhase::BackingOff),
                failures,
                retry_at: Some(until),
                detail: Some(last.meaning.clone()),
            };
            plan.slots.insert(id.clone(), verdict);
            let delay = until.since(last.at).as_secs_f64();
            let reason = format!(
                "{id} {}, failure {failures} of {}: it is started again {delay:.1} s after it ended",
                last.meaning, spec.restart.max
            );
            plan.wake(until);
            plan.decide(
                DecisionKind::BackOff { replica: id.clone(), until },
                reason,
                &[("failures", failures.to_string())],
            );
        }
        AfterExit::GiveUp { failures, reason } => {
            let verdict = SlotVerdict {
                phase: Some(ReplicaPhase::GaveUp),
                failures,
                retry_at: None,
                detail: Some(reason.clone()),
            };
            plan.slots.insert(id.clone(), verdict);
            plan.decide(
                DecisionKind::GiveUp { replica: id.clone() },
                reason,
                &[("failures", failures.to_string())],
            );
        }
        AfterExit::Stay { reason } => hold(plan, id, reason),
    }
}

/// A replica whose liveness failed is restarted, unless what it stands on is at fault or most others hang as well:
/// killing them all at once would mend nothing and lose what they do.
fn unresponsive(facts: &Facts<'_>, spec: &ServiceSpec, id: &ReplicaId, failures: u16, plan: &mut Plan) {
    if spec.restart.mode == RestartMode::Never {
        return hold(plan, id, format!("{id} does not answer; its policy is never to restart it"));
    }
    if let Some((name, why)) = dependencies::missing(facts.stack, facts.state, spec) {
        return hold(
            plan,
            id,
            format!("{id} does not answer, but {name} is at fault ({why}); nothing is restarted"),
        );
    }
    let (failing, of) = failing_together(facts, id);
    if failing >= 2 && failing * 2 > of {
        let reason = format!(
            "{failing} of {of} replicas of {} fail at once: one cause is likely, so none is restarted",
            id.service
        );
        return hold(plan, id, reason);
    }
    let inputs = [("failures", failures.to_string())];
    if failures + 1 >= spec.restart.max {
        let reason = format!(
            "{id} does not answer for the {}. time in {}: it is stopped and given up",
            failures + 1,
            words::age(spec.restart.window)
        );
        return plan.act(id.clone(), ActionKind::Stop, ActionCause::Unresponsive, reason, &inputs);
    }
    let reason =
        format!("{id} gave no answer {} times in a row", spec.health.as_ref().map_or(0, |it| it.retries));
    plan.act(id.clone(), ActionKind::Restart, ActionCause::Unresponsive, reason, &inputs);
}

/// How many wanted replicas of the service hang now or failed a moment ago, of how many.
fn failing_together(facts: &Facts<'_>, id: &ReplicaId) -> (usize, usize) {
    let wanted = slots::choose(facts, &id.service).wanted;
    let service = facts.state.services.get(&id.service);
    let failing = wanted.iter().filter(|slot| {
        let hangs = service.and_then(|it| it.replicas.get(*slot)).is_some_and(|it| it.unresponsive);
        let other = ReplicaId { service: id.service.clone(), slot: **slot };
        let recent = facts.exits_of(&other).iter().rev().take(1);
        hangs
            || recent
                .into_iter()
                .any(|exit| exit.reason == ExitReason::Unresponsive && facts.now.since(exit.at) < TOGETHER)
    });
    (failing.count(), wanted.len())
}

fn hold(plan: &mut Plan, id: &ReplicaId, reason: String) {
    plan.decide(DecisionKind::Hold { replica: id.clone() }, reason, &[]);
}
