use std::sync::Arc;
use std::time::Duration;

use ops_contract::{ExitReason, ReplicaId, ServiceSpec};
use tokio::time::Instant;

use super::launch::{Answer, launch, order};
use super::{adopt, launch, port, watch};
use crate::agent::Agent;
use crate::drivers::Values;
use crate::evidence::{self, End};
use crate::fleet::Running;
use crate::paths::{entries, number_of};
use crate::records::ProcessRecord;

/// How long a slot may stay held after its program has ended: its shim ends what the program left behind.
const SLOT_PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks at a slot.
const PAUSE: Duration = Duration::from_millis(25);

/// Asks for the secrets of a start to come, unless the generation was started before.
pub(crate) async fn prepare(
    agent: &Arc<Agent>,
    replica: &ReplicaId,
    generation: i64,
    spec: &ServiceSpec,
) -> Result<Option<Values>, String> {
    if ProcessRecord::read(&agent.paths.generation(replica, generation)).is_some() {
        return Ok(None);
    }
    let names = launch::secrets(spec)?;
    agent.secrets.for_start(&agent.control, replica, generation, &names).await.map(Some)
}

/// Starts `generation` in the slot, once.
pub(crate) async fn start(
    agent: &Arc<Agent>,
    replica: &ReplicaId,
    generation: i64,
    spec: &ServiceSpec,
    values: Option<Values>,
) -> Result<(), String> {
    let slot_dir = agent.paths.slot(replica);
    let deadline = Instant::now() + SLOT_PATIENCE;
    loop {
        if let Some(running) = running(agent, replica) {
            return is_wanted(&running, generation);
        }
        if let Some(newer) = newest(agent, replica).filter(|newest| *newest > generation) {
            return Err(format!("generation {newer} was started since"));
        }
        let held = adopt::slot_is_held(&slot_dir);
        if !held && ProcessRecord::read(&agent.paths.generation(replica, generation)).is_some() {
            // It was started, and has ended: both have been told, or are about to be.
            return Ok(());
        }
        if !held {
            break;
        }
        if Instant::now() >= deadline {
            return Err(format!("slot {replica} is held by a process that this agent does not know"));
        }
        tokio::time::sleep(PAUSE).await;
    }

    match try_start(agent, replica, generation, spec, values).await {
        Ok(()) => Ok(()),
        Err(error) => {
            let end = End { reason: ExitReason::StartFailed, error: Some(error.clone()), ..End::unknown() };
            evidence::tell(agent, replica, generation, end).await;
            Err(error)
        }
    }
}

async fn try_start(
    agent: &Arc<Agent>,
    replica: &ReplicaId,
    generation: i64,
    spec: &ServiceSpec,
    values: Option<Values>,
) -> Result<(), String> {
    // Asked before the port is chosen: the longer a free port waits, the sooner somebody else has it.
    let values = match values {
        Some(values) => values,
        None => {
            let names = launch::secrets(spec)?;
            agent.secrets.for_start(&agent.control, replica, generation, &names).await?
        }
    };
    let port = match spec.port {
        Some(port) => port,
        None => port::free().map_err(|error| format!("no free port: {error}"))?,
    };
    evidence::prune(&agent.paths, replica);
    let order = order(agent, replica, generation, spec, port, &values)?;
    match launch(agent, &order).await {
        Answer::Failed(error) => Err(error),
        Answer::Runs | Answer::Taken(_) if take_up(agent, replica, generation) => Ok(()),
        Answer::Runs => Err("the shim says that it runs, but has not written it down".to_owned()),
        Answer::Taken(error) => Err(error),
    }
}

/// Reads what the shim wrote down. A program that has ended meanwhile was started all the same.
fn take_up(agent: &Arc<Agent>, replica: &ReplicaId, generation: i64) -> bool {
    let generation_dir = agent.paths.generation(replica, generation);
    let Some(record) = ProcessRecord::read(&generation_dir) else { return false };
    if record.is_alive() {
        adopt::take_up(agent, replica, record, &generation_dir, false);
    } else {
        watch::collect_later(agent, replica, generation, Some(record));
    }
    true
}

/// What runs in the slot, found anew if this agent does not know it yet.
fn running(agent: &Arc<Agent>, replica: &ReplicaId) -> Option<Arc<Running>> {
    let known = agent.fleet.running(replica).filter(|running| !running.ended.is_cancelled());
    known.or_else(|| {
        let generation_dir = agent.paths.generation(replica, newest(agent, replica)?);
        let record = ProcessRecord::read(&generation_dir).filter(ProcessRecord::is_alive)?;
        adopt::take_up(agent, replica, record, &generation_dir, true)
    })
}

/// The highest generation that has left a trace.
fn newest(agent: &Agent, replica: &ReplicaId) -> Option<i64> {
    let generations = entries(&agent.paths.slot(replica));
    generations.iter().filter(|path| path.is_dir()).filter_map(|path| number_of(path)).max()
}

fn is_wanted(running: &Running, generation: i64) -> Result<(), String> {
    let record = &running.record;
    if record.generation == generation {
        return Ok(());
    }
    Err(format!("generation {} runs in the slot, with process id {}", record.generation, record.pid))
}
