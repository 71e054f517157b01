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
/// Pause between two questions whether the balancer has taken a change.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Longest wait for one answer of the balancer.
const ANSWER: Duration = Duration::from_secs(1);
/// Answers in a row that must name the change: old and new workers answer side by side for a moment.
const ANSWERS: u32 = 3;

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

    /// What the balancer answers once it routes by the file as it is now.
    fn version(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.text.as_deref().map(version).unwrap_or_default()
    }
}

/// Waits until the balancer routes by what it was told last. False when it does not say how it routes.
pub(crate) async fn settle(agent: &Agent) -> bool {
    let Some(port) = agent.spec(&ServiceName::from("balancer")).and_then(|spec| spec.port) else {
        return false;
    };
    let url = format!("http://127.0.0.1:{port}/balancer-version");
    let mut answers = 0;
    while answers < ANSWERS {
        let wanted = agent.balancer.version();
        let told = match agent.http.get(&url).timeout(ANSWER).send().await {
            Ok(response) if response.status().is_success() => response.text().await.unwrap_or_default(),
            // A worker that leaves may cut an answer short; nobody at all is there when the connection is refused.
            Err(error) if !error.is_connect() => String::new(),
            _ => return false,
        };
        answers = if told.trim() == wanted { answers + 1 } else { 0 };
        tokio::time::sleep(ASK_EVERY).await;
    }
    true
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
    let routes = routes(stack, fleet);
    let version = version(&routes);
    format!(
        "# Written by the agent whenever a replica becomes ready or leaves. Changes are lost.\n\
         map \"\" $insightdesk_version {{ default \"{version}\"; }}\n{routes}"
    )
}

/// A fingerprint of what is routed where (FNV-1a); what names the version itself is not part of it.
fn version(text: &str) -> String {
    let routes = text.find("upstream ").map_or("", |start| &text[start..]);
    let hash = routes.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn routes(stack: &Stack, fleet: &Fleet) -> String {
    let mut text = String::new();
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
