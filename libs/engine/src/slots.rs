//! Which slots of a service hold the replicas that are wanted. Slots keep their number, so after a drain of `worker/0` the
//! two that are left may be 1 and 2: what runs stays, and the idlest goes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ops_contract::{
    ActionKind, ExitReason, ReplicaId, ReplicaPhase, ReplicaState, ServiceName, ServiceState,
};

use crate::Facts;

/// The slots of a service, chosen for a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    /// Where a replica is wanted.
    pub(crate) wanted: Vec<u16>,
    /// Where one is and is wanted no more, the idlest first.
    pub(crate) surplus: Vec<u16>,
}

/// Replicas that count towards what is wanted, by slot: those that stand best, and empty slots (`None`) for what is missing.
pub fn wanted_replicas(service: &ServiceState) -> Vec<(u16, Option<&ReplicaState>)> {
    let desired = usize::from(service.desired);
    let mut held: Vec<(u16, &ReplicaState)> = service
        .replicas
        .iter()
        .filter(|(_, it)| it.phase != ReplicaPhase::Stopped)
        .map(|(slot, it)| (*slot, it))
        .collect();
    held.sort_by_key(|(slot, it)| (keep(Some(it)), *slot));
    held.truncate(desired);
    let mut wanted: Vec<(u16, Option<&ReplicaState>)> =
        held.into_iter().map(|(slot, it)| (slot, Some(it))).collect();
    let taken: Vec<u16> = wanted.iter().map(|(slot, _)| *slot).collect();
    let free = (0..=u16::MAX).filter(|slot| !taken.contains(slot));
    // A stopped replica in a slot that will be used again is shown as what it is.
    let free = free.map(|slot| (slot, service.replicas.get(&slot)));
    let missing = desired - wanted.len();
    wanted.extend(free.take(missing));
    wanted.sort_by_key(|(slot, _)| *slot);
    wanted
}

/// Chooses for a plan: what runs or is about to run again holds its slot; the lowest free slots fill up what is missing.
pub(crate) fn choose(facts: &Facts<'_>, name: &ServiceName) -> Slots {
    let Some(spec) = facts.stack.services.get(name) else { return Slots::default() };
    let wanted = usize::from(facts.wanted(name, spec));
    let empty = BTreeMap::new();
    let replicas = facts.state.services.get(name).map_or(&empty, |service| &service.replicas);
    let mut slots: Vec<u16> = replicas.keys().copied().collect();
    let of_service = |id: &&ReplicaId| id.service == *name;
    slots.extend(facts.exits.keys().filter(of_service).map(|id| id.slot));
    slots.extend(facts.open_actions.iter().map(|it| &it.replica).filter(of_service).map(|id| id.slot));
    slots.sort_unstable();
    slots.dedup();

    let use_of = |slot: u16| slot_use(facts, &ReplicaId { service: name.clone(), slot }, replicas.get(&slot));
    let (mut held, mut leaving) = (Vec::new(), Vec::new());
    for slot in slots {
        match use_of(slot) {
            SlotUse::Held => held.push(slot),
            SlotUse::Leaving => leaving.push(slot),
            SlotUse::Free => {}
        }
    }
    held.sort_by_key(|slot| (keep(replicas.get(slot)), *slot));
    let surplus: Vec<u16> = held.split_off(wanted.min(held.len())).into_iter().rev().collect();
    let free = (0..=u16::MAX).filter(|slot| !held.contains(slot) && !leaving.contains(slot));
    let missing = wanted - held.len();
    let more: Vec<u16> = free.take(missing).collect();
    held.extend(more);
    held.sort_unstable();
    Slots { wanted: held, surplus }
}

/// What a slot is used for.
enum SlotUse {
    /// A replica runs there, or is on its way back.
    Held,
    /// One is on its way out.
    Leaving,
    Free,
}

fn slot_use(facts: &Facts<'_>, id: &ReplicaId, replica: Option<&ReplicaState>) -> SlotUse {
    match facts.open_action(id).map(|action| action.kind) {
        Some(ActionKind::Start | ActionKind::Restart) => return SlotUse::Held,
        Some(ActionKind::Stop) => return SlotUse::Leaving,
        None => {}
    }
    match replica.map(|it| it.phase) {
        Some(ReplicaPhase::Draining) => SlotUse::Leaving,
        Some(ReplicaPhase::Stopped) => SlotUse::Free,
        Some(_) => SlotUse::Held,
        // Nothing is there; unless it was asked to end, it is wanted back.
        None => match facts.exits_of(id).last() {
            Some(exit) if exit.reason != ExitReason::Asked => SlotUse::Held,
            _ => SlotUse::Free,
        },
    }
}

/// In which order replicas stay: those that serve, the busiest first; those that do not come up; last those that leave. One
/// that nothing is known of is never sent away.
fn keep(replica: Option<&ReplicaState>) -> (u8, Reverse<u32>, Reverse<u64>) {
    let Some(replica) = replica else { return (5, Reverse(0), Reverse(0)) };
    let rank = match replica.phase {
        ReplicaPhase::Unknown => 0,
        ReplicaPhase::Ready => 1,
        ReplicaPhase::NotReady => 2,
        ReplicaPhase::Starting => 3,
        ReplicaPhase::BackingOff | ReplicaPhase::Exited => 4,
        ReplicaPhase::GaveUp => 5,
        ReplicaPhase::Draining => 6,
        ReplicaPhase::Stopped => 7,
    };
    let usage = replica.usage.unwrap_or_default();
    // In hundredths of a core: smaller differences are noise.
    let cpu = (usage.cpu_cores.max(0.0) * 100.0) as u64;
    let load =
        usage.active_jobs.unwrap_or(0).max(u32::try_from(usage.connections.unwrap_or(0)).unwrap_or(u32::MAX));
    (rank, Reverse(load), Reverse(cpu))
}
