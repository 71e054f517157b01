use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ops_contract::{ReplicaId, ReplicaPhase, ServiceName, Stack};
use rustix::process::{Pid, Signal, kill_process};
use tracing::warn;

use crate::agent::Agent;
use crate::files;
use crate::fleet::Fleet;
use crate::procfs;

/// Where a service without a ready replica is sent: nobody listens there, so clients get 502 at once.
const NOWHERE: u16 = 1;
/// The signal that makes nginx read its files again.
const HANGUP: u32 = 1;
/// Pause before a balancer that cannot be told yet is told again.
const RETRY: Duration = Duration::from_millis(200);

/// Tells the development balancer (nginx) which replicas serve.
pub(crate) struct Balancer {
    path: PathBuf,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    text: Option<String>,
    /// The file has changed and the balancer has not been told.
    untold: bool,
}

impl Balancer {
    /// Writes to `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::default() }
    }

    /// Writes the file when the set of serving replicas has changed, and tells the balancer. Says whether it has heard.
    pub(crate) fn apply(&self, stack: &Stack, fleet: &Fleet) -> bool {
        let text = upstreams(stack, fleet);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.text.as_ref() != Some(&text) {
            if let Err(error) = files::write_atomically(&self.path, text.as_bytes()) {
                warn!(%error, "cannot write {}", self.path.display());
                return false;
            }
            last.text = Some(text);
            last.untold = true;
        }
        if last.untold {
            last.untold = !tell(fleet);
        }
        !last.untold
    }
}

/// Keeps the balancer informed until the agent ends.
pub(crate) async fn run(agent: Arc<Agent>) -> anyhow::Result<()> {
    let mut changes = agent.fleet.changes();
    loop {
        let stack = agent.stack.borrow().clone();
        let heard = stack.is_none_or(|stack| agent.balancer.apply(&stack, &agent.fleet));
        if heard {
            changes.changed().await?;
        } else {
            let _ = tokio::time::timeout(RETRY, changes.changed()).await;
        }
    }
}

fn upstreams(stack: &Stack, fleet: &Fleet) -> String {
    let mut text = String::from(
        "# Written by the agent whenever a replica becomes ready or leaves. Changes are lost.\n",
    );
    for (name, spec) in &stack.services {
        let Some(route) = &spec.route else { continue };
        let _ = writeln!(text, "upstream {name} {{");
        if route == "/socket.io/" {
            text.push_str("    ip_hash;\n");
        }
        let mut ports = fleet.serving_ports(name);
        if ports.is_empty() {
            ports.push(NOWHERE);
        }
        for port in ports {
            let _ = writeln!(text, "    server 127.0.0.1:{port} max_fails=0;");
        }
        text.push_str("}\n");
    }
    text
}

/// True when there is nobody to tell, or it was told. A process without a handler would be ended by the signal: it has
/// not read its files yet, or is not nginx.
fn tell(fleet: &Fleet) -> bool {
    let balancer = ReplicaId { service: ServiceName::from("balancer"), slot: 0 };
    let Some(running) = fleet.running(&balancer) else { return true };
    let draining = fleet.report(&balancer).is_some_and(|report| report.phase == ReplicaPhase::Draining);
    if draining || !running.record.is_alive() {
        return true;
    }
    let Some(pid) = i32::try_from(running.record.pid).ok().and_then(Pid::from_raw) else { return true };
    procfs::catches(running.record.pid, HANGUP) && kill_process(pid, Signal::HUP).is_ok()
}
