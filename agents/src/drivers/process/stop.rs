use std::sync::Arc;
use std::time::Duration;

use ops_contract::{ExitReason, ReplicaId, ReplicaPhase};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, pidfd_send_signal};
use tracing::warn;

use super::adopt::slot_is_held;
use crate::agent::Agent;
use crate::drivers::Patience;
use crate::fleet::Running;
use crate::records::{ProcessRecord, StopRecord};
use crate::{balancer, clock, procfs};

/// Longest wait for the balancer to send requests elsewhere.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);
/// Wait for a balancer that does not say how it routes.
const DRAIN_DELAY: Duration = Duration::from_millis(500);
/// Time for what the balancer let in a moment before to arrive.
const ARRIVAL: Duration = Duration::from_millis(100);
/// Grace of a service that is no longer in the stack.
const GRACE: Duration = Duration::from_secs(30);
/// Longest wait for the end after SIGKILL: leftovers are ended by the shim meanwhile.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// Out of the balancer, the first signal to the process group, grace, SIGKILL.
pub(crate) async fn stop(
    agent: &Arc<Agent>,
    replica: &ReplicaId,
    generation: i64,
    reason: ExitReason,
    patience: Patience,
) -> Result<(), String> {
    let Some(running) = agent.fleet.running(replica) else {
        return match slot_is_held(&agent.paths.slot(replica)) && is_unknown(agent, replica) {
            true => Err(format!("slot {replica} is held by a process that this agent does not know")),
            false => Ok(()),
        };
    };
    if running.record.generation > generation {
        // What was to be stopped has ended, and something newer runs.
        return Ok(());
    }
    let spec = agent.spec(&replica.service);
    let grace = spec.as_ref().map_or(GRACE, |spec| match (patience, &spec.scale) {
        (Patience::Drain, Some(scale)) => scale.drain.max(spec.stop.grace),
        _ => spec.stop.grace,
    });
    let signal = spec.as_ref().map_or(Signal::TERM, |spec| signal_named(&spec.stop.signal));

    let earlier = StopRecord::read(&running.generation_dir);
    let signalled_at = match earlier.as_ref().and_then(|record| record.signalled_at) {
        Some(at) => at,
        None => {
            note(&running, StopRecord { reason, signalled_at: None })?;
            agent.fleet.update(replica, running.record.generation, |report| {
                report.phase = ReplicaPhase::Draining;
                report.detail = None;
            });
            agent.balance();
            if spec.as_ref().is_some_and(|spec| spec.route.is_some()) {
                let _ = running.ended.run_until_cancelled(out_of_the_balancer(agent)).await;
            }
            let at = clock::now();
            note(&running, StopRecord { reason, signalled_at: Some(at) })?;
            send(&running, signal);
            at
        }
    };

    let left = |grace: Duration| grace.saturating_sub(clock::now().since(signalled_at));
    let mut stopping = agent.stopping.subscribe();
    let ended = async {
        if tokio::time::timeout(left(grace), running.ended.cancelled()).await.is_err() {
            return false;
        }
        true
    };
    // When the whole stack is stopped, somebody waits after all.
    let hurry = async {
        if patience == Patience::Grace || stopping.wait_for(|it| *it).await.is_err() {
            std::future::pending::<()>().await;
        }
        let usual = spec.as_ref().map_or(GRACE, |spec| spec.stop.grace);
        tokio::time::timeout(usual, running.ended.cancelled()).await.is_ok()
    };
    let ended = tokio::select! {
        ended = ended => ended,
        ended = hurry => ended,
    };
    if ended {
        return Ok(());
    }
    warn!(%replica, "{replica} has not ended within {grace:?}, killing it");
    send(&running, Signal::KILL);
    kill_family(&running.record);
    match tokio::time::timeout(KILL_PATIENCE, running.ended.cancelled()).await {
        Ok(()) => Ok(()),
        Err(_) => Err(format!("process {} is still there after SIGKILL", running.record.pid)),
    }
}

/// Waits until no new request can come.
async fn out_of_the_balancer(agent: &Agent) {
    let settled = tokio::time::timeout(DRAIN_PATIENCE, balancer::settle(agent)).await;
    tokio::time::sleep(if settled == Ok(true) { ARRIVAL } else { DRAIN_DELAY }).await;
}

/// A slot that is held for a moment after its program's end is not unknown.
fn is_unknown(agent: &Agent, replica: &ReplicaId) -> bool {
    agent.fleet.report(replica).is_none_or(|report| report.phase == ReplicaPhase::Unknown)
}

/// The intent outlives this agent.
fn note(running: &Running, record: StopRecord) -> Result<(), String> {
    record.write(&running.generation_dir).map_err(|error| format!("cannot write down the stop: {error}"))
}

/// Signals the whole process group while its leader is the one we know; a program under `npm run` hears it too.
fn send(running: &Running, signal: Signal) {
    let Some(group) = i32::try_from(running.record.pid).ok().and_then(Pid::from_raw) else { return };
    if running.record.is_alive() && kill_process_group(group, signal).is_err() {
        let _ = pidfd_send_signal(&running.pidfd, signal);
    }
}

/// Kills whatever the program left behind in its shim's session, and its children.
pub(super) fn kill_family(record: &ProcessRecord) {
    // While anything is left of the session, no process can be given its number.
    let reused =
        procfs::process(record.shim_pid).is_some_and(|shim| shim.start_ticks != record.shim_start_ticks);
    if reused || record.boot_id != procfs::boot_id() {
        return;
    }
    for process in procfs::family(&procfs::all(), record.shim_pid) {
        if let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn signal_named(name: &str) -> Signal {
    match name {
        "INT" => Signal::INT,
        "QUIT" => Signal::QUIT,
        _ => Signal::TERM,
    }
}
