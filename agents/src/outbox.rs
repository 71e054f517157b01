use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ops_contract::{DependencyReport, Exit, QueueReport, ReplicaId, ReplicaReport, ServiceName, Signal};
use tokio::sync::Notify;

/// Most signals in one report.
const BATCH: usize = 500;

/// What the server has yet to be told. Newest state per replica, store and service wins; exits are all kept.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    sequence: u64,
    exits: VecDeque<(u64, Exit)>,
    replicas: BTreeMap<ReplicaId, (u64, ReplicaReport)>,
    inventory: Option<(u64, Vec<ReplicaReport>)>,
    dependencies: BTreeMap<String, (u64, DependencyReport)>,
    deep_checks: BTreeMap<ServiceName, (u64, Signal)>,
    queues: BTreeMap<String, (u64, QueueReport)>,
}

/// Signals in the order in which they came about, each with the number that takes it off the list.
pub(crate) struct Batch(Vec<(u64, Signal)>);

impl Batch {
    /// The signals.
    pub(crate) fn signals(&self) -> Vec<Signal> {
        self.0.iter().map(|(_, signal)| signal.clone()).collect()
    }
}

impl Outbox {
    pub(crate) fn exit(&self, exit: Exit) {
        self.put(|waiting, number| waiting.exits.push_back((number, exit)));
    }

    pub(crate) fn replica(&self, report: ReplicaReport) {
        self.put(|waiting, number| {
            waiting.replicas.insert(report.replica.clone(), (number, report));
        });
    }

    pub(crate) fn inventory(&self, replicas: Vec<ReplicaReport>) {
        self.put(|waiting, number| waiting.inventory = Some((number, replicas)));
    }

    pub(crate) fn dependency(&self, report: DependencyReport) {
        self.put(|waiting, number| {
            waiting.dependencies.insert(report.name.clone(), (number, report));
        });
    }

    pub(crate) fn deep_check(&self, service: ServiceName, signal: Signal) {
        self.put(|waiting, number| {
            waiting.deep_checks.insert(service, (number, signal));
        });
    }

    pub(crate) fn queues(&self, report: QueueReport) {
        self.put(|waiting, number| {
            waiting.queues.insert(report.store.clone(), (number, report));
        });
    }

    /// Waits until there is something to tell. It stays here until it is acknowledged.
    pub(crate) async fn next(&self) -> Batch {
        loop {
            let more = self.more.notified();
            let batch = self.peek();
            if !batch.0.is_empty() {
                return batch;
            }
            more.await;
        }
    }

    /// The server has the batch; what came since stays.
    pub(crate) fn acknowledge(&self, batch: &Batch) {
        let numbers: Vec<u64> = batch.0.iter().map(|(number, _)| *number).collect();
        let told = |number: &u64| numbers.binary_search(number).is_ok();
        let mut waiting = self.lock();
        waiting.exits.retain(|(number, _)| !told(number));
        waiting.replicas.retain(|_, (number, _)| !told(number));
        waiting.dependencies.retain(|_, (number, _)| !told(number));
        waiting.deep_checks.retain(|_, (number, _)| !told(number));
        waiting.queues.retain(|_, (number, _)| !told(number));
        waiting.inventory = waiting.inventory.take().filter(|(number, _)| !told(number));
    }

    fn peek(&self) -> Batch {
        let waiting = self.lock();
        let mut signals: Vec<(u64, Signal)> = Vec::new();
        signals.extend(waiting.exits.iter().map(|(n, exit)| (*n, Signal::ReplicaExited(exit.clone()))));
        signals.extend(waiting.replicas.values().map(|(n, report)| (*n, Signal::Replica(report.clone()))));
        let inventory =
            |(n, all): &(u64, Vec<ReplicaReport>)| (*n, Signal::Inventory { replicas: all.clone() });
        signals.extend(waiting.inventory.iter().map(inventory));
        signals.extend(
            waiting.dependencies.values().map(|(n, report)| (*n, Signal::Dependency(report.clone()))),
        );
        signals.extend(waiting.deep_checks.values().cloned());
        signals.extend(waiting.queues.values().map(|(n, report)| (*n, Signal::Queues(report.clone()))));
        drop(waiting);
        signals.sort_by_key(|(number, _)| *number);
        signals.truncate(BATCH);
        Batch(signals)
    }

    fn put(&self, change: impl FnOnce(&mut Waiting, u64)) {
        let mut waiting = self.lock();
        waiting.sequence += 1;
        let number = waiting.sequence;
        change(&mut waiting, number);
        drop(waiting);
        self.more.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
