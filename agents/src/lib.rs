//! The agent: runs next to the services, looks after their replicas, tells the server what it sees.
//!
//! `drivers` act (start, stop), `probes` look (health, data stores), `queues` do to queues what an operator asks, and none of
//! them decides: what is started, stopped or restarted is the server's word, by actions that this agent leases. Whatever runs
//! goes on without the server, and without this agent: each replica is kept alive by a shim of its own (`insightdesk-shim`),
//! and an agent that starts adopts what it finds.
//!
//! To add a probe or a driver: see the `mod.rs` of its folder.

mod actions;
mod agent;
mod balancer;
mod clock;
mod control;
mod drivers;
mod environment;
mod evidence;
mod files;
mod fleet;
mod logs;
mod meaning;
mod outbox;
mod paths;
mod probes;
mod procfs;
mod queues;
mod records;
mod samples;
mod secrets;
mod session;
mod sockets;
mod tasks;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use ops_tasks::{Activator, Backoff};
use rustix::fs::{FlockOperation, flock};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::agent::Agent;

/// Pauses between two tries to reach the server.
const RECONNECT: Backoff = Backoff { first: Duration::from_millis(50), max: Duration::from_secs(2) };
/// Pause between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Longest wait for an earlier agent to let go of the state folder.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// Longest wait for background work at the end.
const GRACE: Duration = Duration::from_secs(2);

/// What an agent needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the server, such as `http://127.0.0.1:7700`.
    pub server_url: String,
    /// The agent's token.
    pub token: SecretString,
    /// The state folder, `.insightdesk`.
    pub state_dir: PathBuf,
    /// Path of `insightdesk-shim`.
    pub shim: PathBuf,
}

/// Runs an agent until `shutdown` is cancelled. What it looks after runs on.
///
/// # Errors
///
/// When another agent has the state folder, or the configuration cannot be used.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let state_dir = std::path::absolute(&config.state_dir)?;
    std::fs::create_dir_all(&state_dir).with_context(|| format!("cannot make {}", state_dir.display()))?;
    let agent = Agent::new(Config { state_dir, ..config }, shutdown.clone())?;
    let _lock = lock(&agent).await?;

    secrets::delete_old(&agent.paths);
    agent.use_last_stack();
    drivers::process::adopt_all(&agent);
    agent.supervisor.spawn(tasks::Heartbeat::new(&agent), HEARTBEAT, &Activator::default());
    agent.spawn("balancer", |agent, stop| async move {
        stop.run_until_cancelled(balancer::run(agent)).await.unwrap_or(Ok(()))
    });
    spawn_for_ever(&agent, "scrapes", probes::scrape::run);
    spawn_for_ever(&agent, "host", probes::host::run);
    spawn_for_ever(&agent, "samples", samples::run);
    let theirs = Arc::clone(&agent);
    agent.supervisor.spawn_service("session", RECONNECT, move |stop| {
        let agent = Arc::clone(&theirs);
        async move { stop.run_until_cancelled(session::run(agent)).await.unwrap_or(Ok(())) }
    });

    shutdown.cancelled().await;
    let stopped = agent.supervisor.shut_down(GRACE).await;
    info!(left = stopped.left.len(), "agent stopped; what it looked after runs on");
    Ok(())
}

/// Runs what never ends by itself, again when it fails.
fn spawn_for_ever<R>(agent: &Arc<Agent>, name: &'static str, run: fn(Arc<Agent>) -> R)
where
    R: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let theirs = Arc::clone(agent);
    agent.supervisor.spawn_service(name, RECONNECT, move |stop| {
        let run = run(Arc::clone(&theirs));
        async move { stop.run_until_cancelled(run).await.unwrap_or(Ok(())) }
    });
}

/// Two agents in one state folder would each start what the other does.
async fn lock(agent: &Agent) -> anyhow::Result<File> {
    let path = agent.paths.agent_lock();
    let file = File::options().create(true).truncate(false).write(true).open(&path)?;
    let locked = tokio::time::timeout(LOCK_PATIENCE, async {
        while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    if locked.await.is_err() {
        bail!("another agent runs with this state folder: it holds {}", path.display());
    }
    Ok(file)
}
