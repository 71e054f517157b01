use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use ops_contract::{ExitReason, ReplicaId};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::stop::kill_family;
use crate::agent::Agent;
use crate::evidence::{self, End};
use crate::fleet::Running;
use crate::probes;
use crate::records::{ExitRecord, ProcessRecord, StopRecord};

/// First and longest pause between two looks for what the shim writes last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// Looks after a running program until it ends: its health, then its end.
pub(super) fn begin(agent: &Arc<Agent>, running: Arc<Running>) {
    let name = format!("replica {} generation {}", running.replica, running.record.generation);
    agent.spawn(&name, move |agent, stop| {
        let running = Arc::clone(&running);
        async move {
            let ended = ended(running.pidfd.try_clone()?);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                result = ended => result?,
                () = probes::http::watch(&agent, &running) => {}
            }
            collect(&agent, &running.replica, running.record.generation, Some(&running.record)).await;
            running.ended.cancel();
            Ok(())
        }
    });
}

/// Waits until the process of a pidfd has ended. Its successor needs `unsafe`; this one owns its descriptor.
#[expect(deprecated, reason = "the replacement is an unsafe function, which this workspace forbids")]
async fn ended(pidfd: OwnedFd) -> io::Result<()> {
    let pidfd = AsyncFd::with_interest(pidfd, Interest::READABLE)?;
    pidfd.readable().await?.retain_ready();
    Ok(())
}

/// Collects the end of a program that nobody watched.
pub(super) fn collect_later(
    agent: &Arc<Agent>,
    replica: &ReplicaId,
    generation: i64,
    record: Option<ProcessRecord>,
) {
    let name = format!("end of {replica} generation {generation}");
    let replica = replica.clone();
    agent.spawn(&name, move |agent, stop| {
        let (replica, record) = (replica.clone(), record.clone());
        async move {
            let _ = stop.run_until_cancelled(collect(&agent, &replica, generation, record.as_ref())).await;
            Ok(())
        }
    });
}

/// Waits for the shim to write down the end, for as long as it lives, and tells it.
async fn collect(agent: &Arc<Agent>, replica: &ReplicaId, generation: i64, record: Option<&ProcessRecord>) {
    let generation_dir = agent.paths.generation(replica, generation);
    let mut pause = PAUSE.0;
    let exit = loop {
        let shim_lives = record.is_some_and(ProcessRecord::has_shim);
        match ExitRecord::read(&generation_dir) {
            Some(exit) => break Some(exit),
            None if !shim_lives => break None,
            None => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(PAUSE.1);
    };
    if let (None, Some(record)) = (&exit, record) {
        // The shim died first: nobody else ends what its program left behind.
        kill_family(record);
    }
    let stop = StopRecord::read(&generation_dir);
    let end = match exit {
        None => End { reason: stop.map_or(ExitReason::Lost, |stop| stop.reason), ..End::unknown() },
        Some(exit) => {
            let by_itself = match (&exit.error, exit.code) {
                (Some(_), _) => ExitReason::StartFailed,
                (None, Some(0)) => ExitReason::Finished,
                (None, _) => ExitReason::Failed,
            };
            End {
                reason: stop.map_or(by_itself, |stop| stop.reason),
                code: exit.code,
                signal: exit.signal,
                at: exit.at,
                error: exit.error,
                leftovers: exit.leftovers,
                started_at: None,
            }
        }
    };
    let end = End { started_at: record.map(|record| record.started_at), ..end };
    evidence::tell(agent, replica, generation, end).await;
}
