use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ops_contract::{
    Action, ActionStatus, ReplicaId, ReplicaPhase, ReplicaState, SecretRotation, ServiceName, ServiceState,
    Timestamp,
};
use ops_engine::Intent;

use crate::secrets::{hand, policy};
use crate::store::rolling::Wish;
use crate::store::{self, audit as entries, secret_rotations as table};
use crate::{App, clock};

/// Reads that are looked through, newest first.
const READS: u32 = 2_000;
/// Pause after a restart that failed.
const PAUSE: Duration = Duration::from_secs(10);
/// Most replicas that are named.
const NAMED: usize = 3;

/// Whether all that use a secret have read it in this phase of its renewal.
pub(super) enum Readers {
    All,
    /// Not yet, and who has not.
    Waits(String),
}

/// Looks who has read the secret anew in this phase, and has those restarted who have not, one after the other.
///
/// A replica has read it when its entry in the audit log names this renewal, this phase and the generation that runs.
pub(super) async fn look(app: &App, rotation: &SecretRotation) -> store::Result<Readers> {
    let services = policy::consumers(&app.stack).remove(&rotation.secret).unwrap_or_default();
    if services.is_empty() {
        return Ok(Readers::All);
    }
    if !app.inventory_known() {
        return Ok(Readers::Waits("an agent that tells what runs".to_owned()));
    }
    let of_us = |service: &ServiceName| services.contains(service.as_str());
    // What is open is read before the state is: what has just ended is seen in one of them.
    let mut db = app.store.connection().await?;
    let open: Vec<Action> =
        store::actions::open(&mut db).await?.into_iter().filter(|it| of_us(&it.replica.service)).collect();
    let ended = store::actions::ended_since(&mut db, rotation.phase_at).await?;
    let wishes = store::rolling::list(&mut db).await?;
    let read = generations_that_read(&mut db, rotation).await?;
    drop(db);
    let state = app.state();
    let mut behind = Vec::new();
    let mut restart = Vec::new();
    for (service, it) in state.services.iter().filter(|(service, _)| of_us(service)) {
        for (slot, replica) in it.replicas.iter().filter(|(_, it)| it.phase.may_be_alive()) {
            let id = ReplicaId { service: service.clone(), slot: *slot };
            if read.get(&id.to_string()) == Some(&replica.generation) {
                continue;
            }
            let is_under_way = open.iter().any(|it| it.replica == id)
                || wishes.iter().any(|it| it.service == *service && it.slot == *slot)
                || has_just_ended(&ended, &id, replica, clock::now());
            if !is_under_way && is_wanted(it, *slot, replica) {
                restart.push(id.clone());
            }
            behind.push(id.to_string());
        }
    }
    if !restart.is_empty() && app.intent() == Intent::Running {
        wish(app, rotation, &restart).await?;
    }
    behind.extend(open.iter().map(|it| it.replica.to_string()));
    let behind: BTreeSet<String> = behind.into_iter().collect();
    if behind.is_empty() {
        return Ok(Readers::All);
    }
    let named: Vec<&str> = behind.iter().take(NAMED).map(String::as_str).collect();
    let more = behind.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Ok(Readers::Waits(format!("{}{more} to be restarted and to read it", named.join(", "))))
}

/// The newest generation of each replica that has read the secret in this phase.
async fn generations_that_read(
    db: &mut sqlx::AnyConnection,
    rotation: &SecretRotation,
) -> store::Result<BTreeMap<String, i64>> {
    let wanted = entries::Wanted {
        action: hand::READ,
        subject: &rotation.secret,
        outcome: "allowed",
        ..Default::default()
    };
    let phase = store::word(&rotation.phase)?;
    let mut found = BTreeMap::new();
    for entry in entries::newest(db, &wanted, READS).await?.iter().filter_map(entries::Row::entry) {
        let of = |key: &str| entry.details.get(key).map(String::as_str);
        if of("rotation") != Some(&rotation.id) || of("phase") != Some(&phase) {
            continue;
        }
        if let (Some(replica), Some(Ok(generation))) =
            (of("replica"), of("generation").map(str::parse::<i64>))
        {
            let newest = found.entry(replica.to_owned()).or_insert(generation);
            *newest = generation.max(*newest);
        }
    }
    Ok(found)
}

/// Whether its restart has ended and the state does not show it yet, or has failed a moment ago.
fn has_just_ended(ended: &[Action], id: &ReplicaId, replica: &ReplicaState, now: Timestamp) -> bool {
    ended.iter().filter(|it| it.replica == *id).any(|it| match it.status {
        ActionStatus::Succeeded => it.generation > replica.generation,
        _ => it.finished_at.is_some_and(|at| now.since(at) < PAUSE),
    })
}

/// Surplus replicas end by themselves.
fn is_wanted(service: &ServiceState, slot: u16, replica: &ReplicaState) -> bool {
    replica.phase != ReplicaPhase::Draining
        && replica.phase != ReplicaPhase::Unknown
        && ops_engine::wanted_replicas(service).iter().any(|(it, _)| *it == slot)
}

async fn wish(app: &App, rotation: &SecretRotation, replicas: &[ReplicaId]) -> store::Result<()> {
    let now = clock::now();
    let mut db = app.store.begin().await?;
    // Whoever has gone on meanwhile restarts nobody for the phase before.
    let still = table::open_of(&mut db, &rotation.secret).await?;
    if still.is_none_or(|it| it.id != rotation.id || it.phase != rotation.phase) {
        return Ok(());
    }
    for id in replicas {
        let wish = Wish {
            service: id.service.clone(),
            slot: id.slot,
            patient: true,
            requested_by: rotation.by.clone(),
            reason: format!("{} is renewed", rotation.secret),
        };
        store::rolling::insert(&mut db, &wish, now).await?;
    }
    db.commit().await?;
    app.plan.activate();
    Ok(())
}
