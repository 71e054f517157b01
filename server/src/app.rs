use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ops_contract::{
    AgentName, AlertsView, Change, NowView, ScalingPoint, ScalingSignal, ServiceName, Signal, Stack,
    SystemState, Timestamp,
};
use ops_engine::{Intent, Plan, STALE_AFTER, Transition};
use ops_tasks::{Activator, Supervisor};
use ops_telemetry::Metrics;
use secrecy::SecretString;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::alerting::{self, Alerting};
use crate::answers::Answers;
use crate::audit::Audit;
use crate::audit::sources::Sources;
use crate::auth::Auth;
use crate::findings::Findings;
use crate::logs::Relay;
use crate::metrics::Own;
use crate::paging::Paging;
use crate::secrets::Secrets;
use crate::series::Series;
use crate::store::Store;
use crate::{clock, view};

/// How many changes memory keeps for the time the store is away.
const REMEMBERED: usize = 50;

/// All that requests and tasks share.
pub(crate) struct App {
    /// What should run.
    pub(crate) stack: Stack,
    /// How browsers reach the server, without a slash at the end.
    pub(crate) external_url: String,
    pub(crate) store: Store,
    pub(crate) series: Arc<Series>,
    /// The rules.
    pub(crate) alerting: Alerting,
    /// The record of who read which secret.
    pub(crate) audit: Audit,
    /// What was found in it.
    pub(crate) findings: Findings,
    /// Other systems that tell of accesses.
    pub(crate) sources: Sources,
    /// Where secrets lie, and who may have them.
    pub(crate) vault: Secrets,
    /// Who is told, and whether it arrived.
    pub(crate) paging: Paging,
    /// Secrets that the server itself needs, by name.
    pub(crate) secrets: BTreeMap<String, SecretString>,
    /// What `.env` says: the Alertmanager file may name it.
    pub(crate) variables: BTreeMap<String, SecretString>,
    pub(crate) auth: Auth,
    pub(crate) relay: Relay,
    pub(crate) answers: Answers,
    pub(crate) metrics: Metrics,
    pub(crate) own: Own,
    pub(crate) supervisor: Supervisor,
    /// Streams and long polls end with it.
    pub(crate) shutdown: CancellationToken,
    /// Has the plan made now.
    pub(crate) plan: Activator,
    /// Has renewals of secrets taken on now.
    pub(crate) rotate: Activator,
    /// Has the own metrics put among the series now.
    pub(crate) measure: Activator,
    /// Has numbers of replicas decided now.
    pub(crate) scale: Activator,
    /// Counts plans that ended, well or not.
    pub(crate) planned: watch::Sender<u64>,
    /// Rings when there may be work for an agent.
    pub(crate) work: Notify,
    /// What the autoscaler last decided, by service; empty until it has.
    pub(crate) scaling: watch::Sender<Arc<BTreeMap<ServiceName, ScalingSignal>>>,
    /// Tells the processes that share a store apart.
    pub(crate) holder: String,
    /// What is known now. Changed by [`App::observe`] and [`App::judge`] only.
    state: watch::Sender<Arc<SystemState>>,
    memory: Mutex<Memory>,
}

/// What the server remembers beside the state; all of it can be lost.
#[derive(Default)]
struct Memory {
    /// Newest first.
    changes: VecDeque<Change>,
    /// Why the store cannot be used.
    store_fault: Option<String>,
    /// What the plan last read.
    desired: BTreeMap<ServiceName, u16>,
    intent: Intent,
    /// The last hour of each service that scales, oldest first.
    scaling: BTreeMap<ServiceName, Vec<ScalingPoint>>,
    /// Agents whose inventory arrived since this process started.
    inventories: BTreeSet<AgentName>,
}

/// What [`App`] is made of.
pub(crate) struct Parts {
    pub(crate) stack: Stack,
    pub(crate) external_url: String,
    pub(crate) store: Store,
    pub(crate) series: Arc<Series>,
    pub(crate) alerting: Alerting,
    pub(crate) audit: Audit,
    pub(crate) vault: Secrets,
    pub(crate) holder: String,
    pub(crate) secrets: BTreeMap<String, SecretString>,
    pub(crate) variables: BTreeMap<String, SecretString>,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: CancellationToken,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        let own = Own::register(&parts.metrics);
        Self {
            sources: Sources::new(&parts.stack),
            stack: parts.stack,
            external_url: parts.external_url,
            store: parts.store,
            series: parts.series,
            alerting: parts.alerting,
            audit: parts.audit,
            findings: Findings::default(),
            vault: parts.vault,
            paging: Paging::new(),
            secrets: parts.secrets,
            variables: parts.variables,
            auth: Auth::default(),
            relay: Relay::default(),
            answers: Answers::default(),
            metrics: parts.metrics,
            own,
            supervisor: Supervisor::new(parts.shutdown.clone()),
            shutdown: parts.shutdown,
            plan: Activator::default(),
            rotate: Activator::default(),
            measure: Activator::default(),
            scale: Activator::default(),
            planned: watch::Sender::new(0),
            work: Notify::new(),
            scaling: watch::Sender::new(Arc::default()),
            holder: parts.holder,
            state: watch::Sender::new(Arc::default()),
            memory: Mutex::default(),
        }
    }

    /// What is known now.
    pub(crate) fn state(&self) -> Arc<SystemState> {
        self.state.borrow().clone()
    }

    /// Tells each change of what is known.
    pub(crate) fn watch_state(&self) -> watch::Receiver<Arc<SystemState>> {
        self.state.subscribe()
    }

    /// Folds what an agent saw into the state, and has a plan made where it matters to one.
    pub(crate) fn observe(&self, agent: &AgentName, signals: &[Signal]) {
        let now = clock::now();
        let mut news = false;
        self.state.send_modify(|state| {
            let state = Arc::make_mut(state);
            let before = gist(state);
            for signal in signals {
                ops_engine::fold(state, agent, signal, now);
            }
            news = before != gist(state);
        });
        if signals.iter().any(|signal| matches!(signal, Signal::Inventory { .. })) {
            news |= self.memory().inventories.insert(agent.clone());
        }
        self.own.signals.inc_by(signals.len() as u64);
        if signals.iter().any(|signal| matches!(signal, Signal::Queues(_))) {
            self.scale.activate();
        }
        if news || signals.iter().any(|signal| matches!(signal, Signal::Queues(_))) {
            self.measure.activate();
        }
        if news {
            self.plan.activate();
        }
    }

    /// An agent says hello: what it had told before counts, but it must tell all of it again before anything is done.
    pub(crate) fn greet(&self, agent: &AgentName) {
        self.memory().inventories.remove(agent);
    }

    /// Whether every agent that is heard has told all that it has since this process started, and one at least is.
    pub(crate) fn inventory_known(&self) -> bool {
        let heard = self.heard();
        let memory = self.memory();
        !heard.is_empty() && heard.iter().all(|agent| memory.inventories.contains(agent))
    }

    /// Who gets the work: with one agent, that one. One that has fallen silent is nobody.
    pub(crate) fn agent(&self) -> Option<AgentName> {
        let heard = self.heard();
        let memory = self.memory();
        heard.into_iter().find(|agent| memory.inventories.contains(agent))
    }

    /// Agents that were heard a moment ago.
    fn heard(&self) -> Vec<AgentName> {
        let now = clock::now();
        let state = self.state();
        let fresh = state.agents.iter().filter(|(_, at)| now.since(**at) < STALE_AFTER);
        fresh.map(|(agent, _)| agent.clone()).collect()
    }

    /// Judges the state anew, with what was last read of the store.
    pub(crate) fn judge(&self) -> Vec<Transition> {
        let (desired, intent) = {
            let memory = self.memory();
            (memory.desired.clone(), memory.intent)
        };
        let mut transitions = Vec::new();
        self.state.send_if_modified(|state| {
            let state = Arc::make_mut(state);
            let before = gist(state);
            transitions = ops_engine::judge(state, &self.stack, &desired, intent, clock::now());
            before != gist(state)
        });
        if !transitions.is_empty() {
            self.measure.activate();
        }
        transitions
    }

    /// Shows what a plan knows of the slots.
    pub(crate) fn show(&self, plan: &Plan, agent: &AgentName) {
        let changed = self.state.send_if_modified(|state| {
            let before = gist(state);
            ops_engine::apply(Arc::make_mut(state), plan, agent, clock::now());
            before != gist(state)
        });
        if changed {
            self.measure.activate();
        }
    }

    /// Remembers what the store says of wishes, for judging while it is away.
    pub(crate) fn remember_wishes(&self, desired: BTreeMap<ServiceName, u16>, intent: Intent) {
        let changed = {
            let mut memory = self.memory();
            memory.desired = desired;
            std::mem::replace(&mut memory.intent, intent) != intent
        };
        if changed {
            self.work.notify_waiters();
        }
    }

    /// Whether the stack should run, as last read.
    pub(crate) fn intent(&self) -> Intent {
        self.memory().intent
    }

    /// Keeps the last hour of a service for its chart.
    pub(crate) fn keep_scaling_history(&self, name: &ServiceName, points: Vec<ScalingPoint>) {
        self.memory().scaling.insert(name.clone(), points);
    }

    /// The last hour of a service that scales, oldest first; empty when nothing was decided.
    pub(crate) fn scaling_history(&self, name: &ServiceName) -> Vec<ScalingPoint> {
        self.memory().scaling.get(name).cloned().unwrap_or_default()
    }

    /// Wanted replicas of each service where they were changed.
    pub(crate) fn desired(&self) -> BTreeMap<ServiceName, u16> {
        self.memory().desired.clone()
    }

    /// Puts changes that are in the store into memory, and tells the open pages.
    pub(crate) fn remember(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        {
            let mut memory = self.memory();
            for change in changes {
                if !memory.changes.iter().any(|known| known.id == change.id) {
                    memory.changes.push_front(change.clone());
                }
            }
            memory.changes.make_contiguous().sort_by(|a, b| b.id.cmp(&a.id));
            memory.changes.truncate(REMEMBERED);
        }
        self.state.send_modify(|_| ());
    }

    /// Notes whether the store can be used.
    pub(crate) fn note_store(&self, fault: Option<String>) {
        let changed = {
            let mut memory = self.memory();
            let changed = memory.store_fault.is_some() != fault.is_some();
            memory.store_fault = fault;
            changed
        };
        if changed {
            self.state.send_modify(|_| ());
        }
    }

    /// Why the store cannot be used, when it cannot.
    pub(crate) fn store_fault(&self) -> Option<String> {
        self.memory().store_fault.clone()
    }

    /// What the first page shows, from memory alone.
    pub(crate) fn now_view(&self) -> NowView {
        let (changes, fault) = {
            let memory = self.memory();
            (memory.changes.iter().cloned().collect::<Vec<_>>(), memory.store_fault.clone())
        };
        view::now(&self.stack, &self.state(), &changes, fault, clock::now())
    }

    /// What fires, since when, and whether every rule works, from memory alone.
    pub(crate) fn alerts_view(&self) -> AlertsView {
        alerting::view(self)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of the state that plans and readers care for: all but the times of reports and what replicas use.
fn gist(state: &SystemState) -> Vec<(String, String, Timestamp)> {
    let replicas = state.services.iter().flat_map(|(name, service)| {
        let head = (
            format!("{name}"),
            format!("{:?} {} {:?}", service.status, service.reason, service.deep_check),
            service.since,
        );
        let slots = service.replicas.iter().map(move |(slot, it)| {
            let exit = it.last_exit.as_ref().map(|exit| exit.generation);
            let words = format!(
                "{} {:?} {} {:?} {:?} {:?} {}",
                it.generation, it.phase, it.unresponsive, exit, it.detail, it.retry_at, it.failures
            );
            (format!("{name}/{slot}"), words, it.since)
        });
        std::iter::once(head).chain(slots)
    });
    let stores = state
        .dependencies
        .iter()
        .map(|(name, it)| (name.clone(), format!("{:?} {}", it.status, it.detail), it.since));
    replicas.chain(stores).collect()
}
