//! The conversation with the server: hello, then work in, signals and results out, until something breaks; then anew.

use std::sync::Arc;
use std::time::Duration;

use ops_contract::{ActionReport, Hello, Report};
use reqwest::StatusCode;
use tokio::time::Instant;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::agent::Agent;
use crate::control::ControlError;
use crate::{actions, logs, queues};

/// A refused token is said once in this time.
const REFUSED_EVERY: Duration = Duration::from_secs(60);
/// Longest random pause before a new try, so that agents do not come all at once.
const JITTER_MS: u64 = 50;

/// One conversation. Ends with an error, always: the supervisor begins the next.
pub(crate) async fn run(agent: Arc<Agent>) -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_millis(rand::random::<u64>() % JITTER_MS)).await;
    // A new name for each conversation: what was handed out to an earlier one is handed out again.
    let session = Uuid::new_v4().to_string();
    let hello = Hello { host: host(), pid: std::process::id(), session: session.clone() };
    let welcome = match agent.control.hello(&hello).await {
        Ok(welcome) => welcome,
        Err(error) => {
            if error.is(StatusCode::UNAUTHORIZED) {
                say_refused(&agent).await;
            }
            return Err(error.into());
        }
    };
    info!(agent.name = welcome.agent.as_str(), "the server knows this agent");
    agent.secrets.server_is_there();
    agent.use_stack(welcome.stack);
    agent.tell_everything();
    tokio::try_join!(take_work(&agent, &session), send_signals(&agent), send_results(&agent))?;
    Ok(())
}

/// Says that the token is refused and waits before it is tried again.
async fn say_refused(agent: &Agent) {
    error!("the server refuses this agent's token; what runs is looked after, nothing new is started");
    let _ = agent.shutdown.run_until_cancelled(tokio::time::sleep(REFUSED_EVERY)).await;
}

async fn take_work(agent: &Arc<Agent>, session: &str) -> Result<(), ControlError> {
    loop {
        let asked = Instant::now();
        let known = *agent.stopping.borrow();
        let lease = agent.control.lease(session, known).await?;
        agent.stopping.send_replace(lease.stopping);
        let nothing = lease.stopping == known
            && lease.actions.is_empty()
            && lease.logs.is_empty()
            && lease.queue_commands.is_empty();
        for action in lease.actions {
            actions::begin(agent, action);
        }
        for subscription in lease.logs {
            logs::begin(agent, subscription);
        }
        for command in lease.queue_commands {
            queues::begin(agent, command);
        }
        // A server that answers at once with nothing is not asked in a tight loop.
        if nothing && asked.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

async fn send_signals(agent: &Agent) -> Result<(), ControlError> {
    loop {
        let batch = agent.outbox.next().await;
        match agent.control.signals(&Report { signals: batch.signals() }).await {
            Ok(()) => agent.outbox.acknowledge(&batch),
            // The same would be refused for ever.
            Err(error) if error.is(StatusCode::BAD_REQUEST) || error.is(StatusCode::UNPROCESSABLE_ENTITY) => {
                error!(error = %error, "the server does not understand what this agent tells; dropped");
                agent.outbox.acknowledge(&batch);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn send_results(agent: &Agent) -> Result<(), ControlError> {
    loop {
        let (id, report) = agent.results.next().await;
        match agent.control.action(&id, &report).await {
            Ok(()) => agent.results.told(&id, &report),
            Err(error) if is_gone(&error) => {
                warn!(action.id = id, error = %error, "the server no longer wants this result");
                agent.results.told(&id, &report);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether what was asked for is over for the server.
pub(crate) fn is_gone(error: &ControlError) -> bool {
    [
        StatusCode::NOT_FOUND,
        StatusCode::CONFLICT,
        StatusCode::GONE,
        StatusCode::BAD_REQUEST,
        StatusCode::UNPROCESSABLE_ENTITY,
    ]
    .into_iter()
    .any(|status| error.is(status))
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// How actions went, until the server has been told.
#[derive(Default)]
pub(crate) struct Results {
    waiting: std::sync::Mutex<std::collections::BTreeMap<String, ActionReport>>,
    more: tokio::sync::Notify,
}

impl Results {
    /// Puts a result on the list; the newest of an action wins.
    pub(crate) fn put(&self, id: &str, report: ActionReport) {
        self.lock().insert(id.to_owned(), report);
        self.more.notify_one();
    }

    /// Whether an action's end waits to be told.
    pub(crate) fn holds(&self, id: &str) -> bool {
        self.lock().contains_key(id)
    }

    async fn next(&self) -> (String, ActionReport) {
        loop {
            let more = self.more.notified();
            let first = self.lock().iter().next().map(|(id, report)| (id.clone(), report.clone()));
            if let Some(first) = first {
                return first;
            }
            more.await;
        }
    }

    fn told(&self, id: &str, report: &ActionReport) {
        let mut waiting = self.lock();
        if waiting.get(id) == Some(report) {
            waiting.remove(id);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<String, ActionReport>> {
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
