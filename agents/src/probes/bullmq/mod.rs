//! Looks at the BullMQ queues of a Valkey.
//!
//! Every two seconds at all of them, and between two looks at those that had nothing to do, as soon as something comes: whoever
//! sleeps at no replica is to be woken at once. That waits on a connection of its own, so that looks never wait for it.

mod report;

use std::sync::Arc;
use std::time::Duration;

use ops_bullmq::Error;
use ops_bullmq::watch::{Look, Watch};
use ops_contract::{QueueSpec, Stack, ValkeySpec};
use ops_tasks::ServiceHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::{dependency, valkey};
use crate::agent::Agent;

/// Longest look.
const TIMEOUT: Duration = Duration::from_secs(2);
/// From the begin of a look to the next, after one that went well and one that did not.
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);
/// Between two looks at what has just come.
const PAUSE_BETWEEN_ARRIVALS: Duration = Duration::from_millis(50);
/// How much later than asked for the server may say that nothing came.
const LATENESS: Duration = Duration::from_millis(500);

/// The queues of one Valkey.
#[derive(Clone)]
struct Target {
    store: String,
    address: String,
    password_secret: Option<String>,
    queues: QueueSpec,
    /// Queues that services follow; known even before anything is in them.
    named: Vec<String>,
}

/// Looks at its queues until stopped, if it has any.
pub(super) fn begin(
    agent: &Arc<Agent>,
    stack: &Stack,
    name: &str,
    spec: &ValkeySpec,
) -> Option<ServiceHandle> {
    let queues = spec.queues.clone()?;
    let store = format!("valkey.{name}");
    let followed = stack.services.values().filter_map(|service| service.scale.as_ref());
    let followed = followed.flat_map(|scale| &scale.queues);
    let named = followed.filter_map(|queue| queue.strip_prefix(&*store)?.strip_prefix('/'));
    let target = Target {
        named: named.map(str::to_owned).collect(),
        store,
        address: spec.address.clone(),
        password_secret: spec.password_secret.clone(),
        queues,
    };
    Some(agent.spawn(&format!("queues of {}", target.store), move |agent, stop| {
        let target = target.clone();
        async move {
            let _ = stop.run_until_cancelled(Probe::new(&agent, target).run()).await;
            Ok(())
        }
    }))
}

struct Probe<'a> {
    agent: &'a Agent,
    target: Target,
    watch: Watch,
    looking: Option<valkey::Connection>,
    waiting: Option<valkey::Connection>,
}

impl<'a> Probe<'a> {
    fn new(agent: &'a Agent, target: Target) -> Self {
        let watch = Watch::new(&target.queues.prefix, target.named.iter().cloned());
        Self { agent, target, watch, looking: None, waiting: None }
    }

    async fn run(mut self) {
        loop {
            let began = Instant::now();
            let seen = match timeout(TIMEOUT, self.look()).await {
                Ok(seen) => seen,
                Err(_) => Err(format!("no answer within {TIMEOUT:?}")),
            };
            let went_well = seen.is_ok();
            self.tell(seen, began);
            if went_well {
                self.wait(began + PAUSE).await;
            } else {
                // What was under way is of unknown state.
                (self.looking, self.waiting) = (None, None);
                sleep_until(began + PAUSE_AFTER_FAULT).await;
            }
        }
    }

    /// Looks through the open connection; a broken one is replaced once, so that only what is true now is told.
    async fn look(&mut self) -> Result<Look, String> {
        if let Some(mut open) = self.looking.take()
            && let Ok(look) = self.watch.look(&mut open).await
        {
            self.looking = Some(open);
            return Ok(look);
        }
        let mut open = self.connect().await?;
        let look = self.watch.look(&mut open).await.map_err(|error| in_words(&error))?;
        self.looking = Some(open);
        Ok(look)
    }

    /// Waits for the next look, and tells of what comes meanwhile. Whatever fails here shows in the next look.
    async fn wait(&mut self, until: Instant) {
        while Instant::now() < until {
            let Some(come) = self.arrival(until).await else {
                self.waiting = None;
                break;
            };
            let began = Instant::now();
            let (Some(open), false) = (&mut self.looking, come.is_empty()) else { break };
            match timeout(TIMEOUT, self.watch.glance(open, &come)).await {
                Ok(Ok(Some(look))) => self.tell(Ok(look), began),
                Ok(Ok(None)) => {}
                Ok(Err(_)) | Err(_) => {
                    self.looking = None;
                    return;
                }
            }
            sleep_until(began + PAUSE_BETWEEN_ARRIVALS).await;
        }
        sleep_until(until).await;
    }

    async fn arrival(&mut self, until: Instant) -> Option<Vec<String>> {
        let all = async {
            if self.waiting.is_none() {
                self.waiting = Some(self.connect().await.ok()?);
            }
            let left = until.saturating_duration_since(Instant::now());
            self.watch.arrival(self.waiting.as_mut()?, left).await.ok()
        };
        tokio::time::timeout_at(until + LATENESS, all).await.ok().flatten()
    }

    async fn connect(&self) -> Result<valkey::Connection, String> {
        let password = dependency::password(self.agent, self.target.password_secret.as_deref())?;
        valkey::open(&self.target.address, self.target.queues.database, password).await
    }

    fn tell(&self, seen: Result<Look, String>, began: Instant) {
        let report = report::of(&self.target.store, self.watch.epoch(), seen, began.elapsed());
        self.agent.outbox.queues(report);
    }
}

/// Why there was no good look, without anything of what was sent.
fn in_words(error: &Error) -> String {
    match error {
        Error::Server(error) => valkey::in_words(error),
        _ => "no good answer".to_owned(),
    }
}
