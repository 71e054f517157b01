use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ops_contract::{ReplicaId, ReplicaPhase, ReplicaReport, ReplicaUsage, ServiceName};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::outbox::Outbox;
use crate::records::ProcessRecord;

/// Every replica that this agent has, as it looks now. Each change is told to the server and to the balancer.
pub(crate) struct Fleet {
    rows: Mutex<BTreeMap<ReplicaId, Row>>,
    changed: watch::Sender<u64>,
    outbox: Arc<Outbox>,
}

struct Row {
    report: ReplicaReport,
    running: Option<Arc<Running>>,
    /// Jobs that it works on, as its last health answer said.
    active_jobs: Option<u32>,
}

/// A program that runs under its shim.
pub(crate) struct Running {
    pub(crate) replica: ReplicaId,
    pub(crate) record: ProcessRecord,
    pub(crate) generation_dir: PathBuf,
    /// Readable once the program has ended; names the process even when its id is reused.
    pub(crate) pidfd: OwnedFd,
    /// Whether this agent found it running.
    pub(crate) adopted: bool,
    /// Cancelled once its end has been told.
    pub(crate) ended: CancellationToken,
}

impl Fleet {
    pub(crate) fn new(outbox: Arc<Outbox>) -> Self {
        Self { rows: Mutex::default(), changed: watch::Sender::new(0), outbox }
    }

    /// Puts a replica in its slot, in place of what was there.
    pub(crate) fn put(&self, report: ReplicaReport, running: Option<Arc<Running>>) {
        self.outbox.replica(report.clone());
        self.lock().insert(report.replica.clone(), Row { report, running, active_jobs: None });
        self.changed.send_modify(|count| *count += 1);
    }

    /// Changes what is known of one generation; nothing when the slot holds another. Tells whoever needs to know when
    /// it makes a difference.
    pub(crate) fn update(
        &self,
        replica: &ReplicaId,
        generation: i64,
        change: impl FnOnce(&mut ReplicaReport),
    ) {
        let mut rows = self.lock();
        let Some(row) = rows.get_mut(replica).filter(|row| row.report.generation == generation) else {
            return;
        };
        let before = row.report.clone();
        change(&mut row.report);
        row.report.at = clock::now();
        if row.report.phase != before.phase {
            row.report.since = row.report.at;
        }
        if !row.report.phase.may_be_alive() {
            row.running = None;
            row.report.usage = None;
        }
        let same = ReplicaReport { at: before.at, ..row.report.clone() } == before;
        let report = row.report.clone();
        drop(rows);
        if !same {
            self.outbox.replica(report);
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// Notes what a replica uses; the next heartbeat tells.
    pub(crate) fn set_usage(&self, replica: &ReplicaId, generation: i64, usage: ReplicaUsage) {
        let mut rows = self.lock();
        if let Some(row) = rows.get_mut(replica).filter(|row| row.report.generation == generation) {
            row.report.usage = Some(ReplicaUsage { active_jobs: row.active_jobs, ..usage });
        }
    }

    /// Notes on how many jobs a replica says it works; the next heartbeat tells.
    pub(crate) fn set_active_jobs(&self, replica: &ReplicaId, generation: i64, jobs: Option<u32>) {
        let mut rows = self.lock();
        if let Some(row) = rows.get_mut(replica).filter(|row| row.report.generation == generation) {
            row.active_jobs = jobs;
        }
    }

    /// All of them, looked at now.
    pub(crate) fn reports(&self) -> Vec<ReplicaReport> {
        let at = clock::now();
        self.lock().values().map(|row| ReplicaReport { at, ..row.report.clone() }).collect()
    }

    /// What is known of one slot.
    pub(crate) fn report(&self, replica: &ReplicaId) -> Option<ReplicaReport> {
        self.lock().get(replica).map(|row| row.report.clone())
    }

    /// What runs in one slot.
    pub(crate) fn running(&self, replica: &ReplicaId) -> Option<Arc<Running>> {
        self.lock().get(replica)?.running.clone()
    }

    /// Everything that runs.
    pub(crate) fn all_running(&self) -> Vec<Arc<Running>> {
        self.lock().values().filter_map(|row| row.running.clone()).collect()
    }

    /// Ports of a service's replicas that may be sent requests. One that was just adopted served a moment ago. When none
    /// is ready, those that were go on: a slow answer of the last one must not turn every request away.
    pub(crate) fn serving_ports(&self, service: &ServiceName) -> Vec<u16> {
        let serving = self.ports_in(service, &[ReplicaPhase::Ready, ReplicaPhase::Unknown]);
        if serving.is_empty() { self.ports_in(service, &[ReplicaPhase::NotReady]) } else { serving }
    }

    fn ports_in(&self, service: &ServiceName, phases: &[ReplicaPhase]) -> Vec<u16> {
        let rows = self.lock();
        let of_service =
            rows.values().filter(|row| &row.report.replica.service == service && row.running.is_some());
        of_service
            .filter(|row| phases.contains(&row.report.phase))
            .filter_map(|row| row.report.port)
            .collect()
    }

    /// Changes whenever a replica does.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ReplicaId, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
