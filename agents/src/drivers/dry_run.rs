use ops_contract::{ReplicaId, ReplicaPhase, ReplicaReport, ServiceSpec};
use tracing::info;

use crate::agent::Agent;
use crate::clock;

/// Says what would be started.
pub(super) fn start(
    agent: &Agent,
    replica: &ReplicaId,
    generation: i64,
    spec: &ServiceSpec,
) -> Result<(), String> {
    info!(%replica, generation, program = spec.program.command.first(), "would start {replica}");
    agent.fleet.put(report(replica, generation, ReplicaPhase::Ready), None);
    Ok(())
}

/// Says what would be stopped.
pub(super) fn stop(agent: &Agent, replica: &ReplicaId, generation: i64) -> Result<(), String> {
    info!(%replica, generation, "would stop {replica}");
    agent.fleet.put(report(replica, generation, ReplicaPhase::Stopped), None);
    Ok(())
}

fn report(replica: &ReplicaId, generation: i64, phase: ReplicaPhase) -> ReplicaReport {
    let at = clock::now();
    ReplicaReport {
        replica: replica.clone(),
        generation,
        phase,
        since: at,
        pid: None,
        port: None,
        started_at: None,
        detail: Some("dry run: nothing runs".to_owned()),
        unresponsive: false,
        usage: None,
        at,
    }
}
