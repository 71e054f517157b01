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
use secrecy::SecretString;
use tokio::time::{Instant, sleep_until, timeout};

use super::dependency::{Fault, TIMEOUT};
use super::valkey;
use crate::agent::Agent;

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
    /// As it was last known to be.
    password: Option<SecretString>,
}

impl<'a> Probe<'a> {
    fn new(agent: &'a Agent, target: Target) -> Self {
        let watch = Watch::new(&target.queues.prefix, target.named.iter().cloned());
        Self { agent, target, watch, looking: None, waiting: None, password: None }
    }

    async fn run(mut self) {
        loop {
            let began = Instant::now();
            let seen = self.look().await;
            let went_well = seen.is_ok();
            self.tell(seen.map_err(Fault::words), began);
            if went_well {
                self.wait(began + PAUSE).await;
            } else {
                // What was under way is of unknown state.
                (self.looking, self.waiting) = (None, None);
                sleep_until(began + PAUSE_AFTER_FAULT).await;
            }
        }
    }

    /// One look, and one more with the password of now when the store refuses the one that was known.
    async fn look(&mut self) -> Result<Look, Fault> {
        let (agent, store) = (self.agent, self.target.store.clone());
        let secret = self.target.password_secret.clone();
        let known = agent.secrets.password(&agent.control, &store, secret.as_deref()).await;
        self.password = known.map_err(Fault::NoPassword)?;
        match self.look_in_time().await {
            Err(Fault::Password(words)) => {
                let refused = self.password.as_ref();
                match agent.secrets.renewed(&agent.control, &store, secret.as_deref(), refused).await {
                    Some(renewed) => {
                        self.password = Some(renewed);
                        self.look_in_time().await
                    }
                    None => Err(Fault::Password(words)),
                }
            }
            seen => seen,
        }
    }

    async fn look_in_time(&mut self) -> Result<Look, Fault> {
        timeout(TIMEOUT, self.look_through()).await.unwrap_or(Err(Fault::Silence))
    }

    /// Looks through the open connection; a broken one is replaced once, so that only what is true now is told.
    async fn look_through(&mut self) -> Result<Look, Fault> {
        if let Some(mut open) = self.looking.take()
            && let Ok(look) = self.watch.look(&mut open).await
        {
            self.looking = Some(open);
            return Ok(look);
        }
        let mut open = self.connect().await?;
        let look = self.watch.look(&mut open).await.map_err(|error| fault(&error))?;
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

    async fn connect(&self) -> Result<valkey::Connection, Fault> {
        let target = &self.target;
        let open = valkey::open(&target.address, target.queues.database, self.password.clone()).await;
        if let Err(Fault::Password(_)) = &open {
            // An open connection may go on looking: it is asked for anew before the next look all the same.
            self.agent.secrets.refused(
                &target.store,
                target.password_secret.as_deref(),
                self.password.as_ref(),
            );
        }
        open
    }

    fn tell(&self, seen: Result<Look, String>, began: Instant) {
        let report = report::of(&self.target.store, self.watch.epoch(), seen, began.elapsed());
        self.agent.outbox.queues(report);
    }
}

/// Why there was no good look, without anything of what was sent.
fn fault(error: &Error) -> Fault {
    match error {
        Error::Server(error) => valkey::fault(error),
        _ => Fault::Other("no good answer".to_owned()),
    }
}
