use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ops_contract::{ReplicaId, ReplicaPhase, ReplicaReport, ServiceName};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::watch;
use crate::agent::Agent;
use crate::clock;
use crate::fleet::Running;
use crate::paths::{entries, number_of};
use crate::records::{ProcessRecord, StopRecord};

/// Longest name of a service; a longer folder name is not ours.
const LONGEST_NAME: usize = 64;

/// Looks through `run/`: adopts what lives, collects what died. What is not ours is left alone.
pub(crate) fn adopt_all(agent: &Arc<Agent>) {
    for service_dir in entries(&agent.paths.run()) {
        let name = service_dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for slot_dir in entries(&service_dir) {
            let slot = slot_dir.is_dir().then(|| slot_dir.file_name()?.to_str()?.parse().ok()).flatten();
            match slot {
                Some(slot) if name.len() <= LONGEST_NAME => {
                    adopt(agent, &ReplicaId { service: ServiceName(name.clone()), slot });
                }
                _ => warn!(path = %slot_dir.display(), "left alone: not a slot"),
            }
        }
    }
}

/// Looks at one slot and takes up what is there; says whether a program runs in it.
pub(super) fn adopt(agent: &Arc<Agent>, replica: &ReplicaId) -> Option<Arc<Running>> {
    let slot_dir = agent.paths.slot(replica);
    let generation =
        entries(&slot_dir).iter().filter(|path| path.is_dir()).filter_map(|path| number_of(path)).max()?;
    let generation_dir = agent.paths.generation(replica, generation);
    let record = ProcessRecord::read(&generation_dir).filter(|record| record.generation == generation);
    match record {
        Some(record) if record.is_alive() => take_up(agent, replica, record, &generation_dir, true),
        record => {
            // A shim that still writes down the end holds the lock; one that has none is gone.
            let ending = record.as_ref().is_some_and(ProcessRecord::has_shim);
            if !ending && slot_is_held(&slot_dir) {
                let detail = "its slot is held, but who holds it cannot be read";
                put(agent, replica, generation, record.as_ref(), ReplicaPhase::Unknown, Some(detail), None);
            } else {
                put(agent, replica, generation, record.as_ref(), ReplicaPhase::Unknown, Some("ended"), None);
                watch::collect_later(agent, replica, generation, record);
            }
            None
        }
    }
}

/// Puts a running program into the fleet and watches it.
pub(super) fn take_up(
    agent: &Arc<Agent>,
    replica: &ReplicaId,
    record: ProcessRecord,
    generation_dir: &Path,
    adopted: bool,
) -> Option<Arc<Running>> {
    let pid = Pid::from_raw(i32::try_from(record.pid).ok()?)?;
    let pidfd = pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?;
    // The id may have been given to another process since the record was checked; not once the descriptor is open.
    if !record.is_alive() {
        watch::collect_later(agent, replica, record.generation, Some(record));
        return None;
    }
    let phase = match (StopRecord::read(generation_dir), adopted) {
        (Some(_), _) => ReplicaPhase::Draining,
        (None, true) => ReplicaPhase::Unknown,
        (None, false) => ReplicaPhase::Starting,
    };
    let running = Arc::new(Running {
        replica: replica.clone(),
        generation_dir: generation_dir.to_owned(),
        pidfd,
        adopted,
        ended: CancellationToken::new(),
        record,
    });
    if adopted {
        info!(%replica, pid = running.record.pid, generation = running.record.generation, "adopted {replica}");
    }
    let record = &running.record;
    put(agent, replica, record.generation, Some(record), phase, None, Some(Arc::clone(&running)));
    watch::begin(agent, Arc::clone(&running));
    Some(running)
}

/// Whether a shim holds the slot: its program lives, or cannot be told.
pub(super) fn slot_is_held(slot_dir: &Path) -> bool {
    let Ok(lock) = File::options().write(true).open(slot_dir.join("lock")) else { return false };
    flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err()
}

fn put(
    agent: &Agent,
    replica: &ReplicaId,
    generation: i64,
    record: Option<&ProcessRecord>,
    phase: ReplicaPhase,
    detail: Option<&str>,
    running: Option<Arc<Running>>,
) {
    let at = clock::now();
    let report = ReplicaReport {
        replica: replica.clone(),
        generation,
        phase,
        since: at,
        pid: running.as_ref().map(|running| running.record.pid),
        port: record.and_then(|record| record.port),
        started_at: record.map(|record| record.started_at),
        detail: detail.map(str::to_owned),
        unresponsive: false,
        usage: None,
        at,
    };
    agent.fleet.put(report, running);
}
