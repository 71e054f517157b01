//! The audit log as the server keeps it: appended to, signed, laid down outside, exported, verified.
//!
//! `libs/audit` knows what a log is; here it gets a store, a clock and a key. An entry counts when its transaction is
//! committed; many that come at once share one ([`Audit::append`]). What must change together with an entry takes
//! [`append_in`] into its own transaction. All appends wait for one row, so that no two ever continue the same end.
//!
//! Nothing here trusts the store: the key, the mark of how far the log was seen, and the anchors lie elsewhere.

mod append;
mod draft;
mod export;
mod keys;
mod places;
mod receipt;
mod seal;
pub(crate) mod sources;
mod statements;
mod verify;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use ops_audit::anchor::HighWater;
use ops_audit::chain::Head;
use ops_audit::key::{LocalKey, PublicKey, Signer};
use ops_contract::{AuditSpec, AuditVerified};
use ops_tasks::Activator;

pub(crate) use append::{Refused, append_in, is_taken};
pub(crate) use draft::{Entry, of_agent, of_operator, of_system, stranger};
pub(crate) use export::export;
pub(crate) use places::Anchoring;
pub(crate) use receipt::receipt;
pub(crate) use verify::verify;
pub(crate) use view::{entry_view, row_view, view};

use crate::clock;
use crate::store::{Store, audit as table};

/// The server's side of the log.
pub(crate) struct Audit {
    /// The log's name, also that of its keys.
    pub(crate) origin: String,
    pub(crate) spec: AuditSpec,
    /// Where key and mark lie; `None`: in memory only, as tests have it.
    folder: Option<PathBuf>,
    key: Mutex<Arc<LocalKey>>,
    /// One change of keys at a time.
    handing_over: tokio::sync::Mutex<()>,
    /// The first key that signed, as this host knows it.
    pub(crate) first_key: PublicKey,
    /// Has what waits appended now.
    pub(crate) wake: Activator,
    /// Has the log signed now.
    pub(crate) seal: Activator,
    /// Has new entries judged now.
    pub(crate) appended: Activator,
    waiting: Mutex<Vec<append::Waiting>>,
    memory: Mutex<Memory>,
}

/// What memory knows of the log; all of it can be lost.
#[derive(Default)]
struct Memory {
    /// How far this process, or the mark in its folder, has seen the log.
    seen: Option<HighWater>,
    /// The mark that the folder has.
    marked: Option<HighWater>,
    sealed: Option<(u64, i64)>,
    /// Why the log takes no entries, or is not signed.
    append_fault: Option<String>,
    seal_fault: Option<String>,
    /// What this host saw is not in the log any more.
    cut: Option<String>,
    verified: Option<AuditVerified>,
    /// Why the last anchor did not get to a place.
    anchor_faults: BTreeMap<String, String>,
}

impl Audit {
    /// Opens the log of the stack `name` and says in it that the server has started.
    pub(crate) async fn open(
        store: &Store,
        spec: AuditSpec,
        folder: Option<&Path>,
        name: &str,
        holder: &str,
    ) -> anyhow::Result<Self> {
        let origin = format!("insightdesk/{name}/audit");
        let keys = keys::open(folder, spec.key_file.as_deref().map(Path::new), &origin)?;
        let head = Head::new(&origin).context("the stack's name cannot name an audit log")?;
        let mut db = store.begin().await?;
        table::begin(&mut db, &head).await?;
        let head = table::lock(&mut db).await?;
        ensure!(head.origin == origin, "the store has the audit log {}, not {origin}", head.origin);
        let known = table::keys(&mut db).await?;
        if known.is_empty() {
            table::insert_key(&mut db, &keys.key.public().to_string(), head.size()).await?;
        }
        let marked = keys::mark(folder);
        let mut cut = None;
        for mark in keys::marks_aside(folder).into_iter().chain(marked) {
            if !append::stands(&mut db, &head, &mark).await? {
                cut = Some(mark);
            }
        }
        db.commit().await?;
        let key = keys::choose(keys, known.last().map(String::as_str));
        let first_key = match keys::pinned(folder)? {
            Some(first) => first,
            None => {
                let first = known.first().map(|it| it.parse()).transpose();
                let first = first.context("the store's first audit key is none")?;
                let first = first.unwrap_or_else(|| key.key.public().clone());
                keys::pin(folder, &first)?;
                first
            }
        };
        let memory = Memory { seal_fault: key.fault, marked, ..Memory::default() };
        let audit = Self {
            origin,
            spec,
            folder: folder.map(Path::to_owned),
            key: Mutex::new(Arc::new(key.key)),
            handing_over: tokio::sync::Mutex::default(),
            first_key,
            wake: Activator::default(),
            seal: Activator::default(),
            appended: Activator::default(),
            waiting: Mutex::default(),
            memory: Mutex::new(memory),
        };
        audit.compare(&head, cut);
        audit.start(store, holder).await?;
        Ok(audit)
    }

    /// Says that the server has started, and signs it: so that the pause before is explained.
    async fn start(&self, store: &Store, holder: &str) -> anyhow::Result<()> {
        let mut entry = of_system(ops_audit::entry::action::START, &self.origin)
            .detail("holder", holder)
            .detail("version", env!("CARGO_PKG_VERSION"));
        if let Some(cut) = self.memory().cut.clone() {
            entry = entry.detail("discrepancy", cut);
        }
        let mut db = store.begin().await?;
        let appended = append_in(&mut db, self, vec![entry.draft()]).await?;
        db.commit().await?;
        self.saw(&appended);
        self.seal_now(store).await?;
        Ok(())
    }

    /// Tells when the store's log is not what this host has seen: `cut` is the mark that it contradicts.
    fn compare(&self, head: &Head, cut: Option<HighWater>) {
        let mut memory = self.memory();
        if let Some(mark) = cut {
            let what = format!(
                "this host saw {} entries ending in {}, the store has {} ending in {}; audit.mark.* in the state folder is the evidence",
                mark.size,
                mark.head,
                head.size(),
                head.link
            );
            tracing::error!("the audit log was cut or replaced: {what}");
            memory.cut = Some(what);
        }
        if memory.marked.is_some() && memory.marked == cut {
            memory.marked = None;
            keys::put_mark_aside(self.folder.as_deref(), clock::now());
        } else {
            memory.seen = memory.marked;
        }
    }

    /// The key that signs now.
    pub(crate) fn public_key(&self) -> PublicKey {
        self.key().public().clone()
    }

    fn key(&self) -> Arc<LocalKey> {
        Arc::clone(&self.key.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_key(&self, key: LocalKey) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }

    /// Why the record cannot be relied on now, if so: not appended to, not signed, or cut.
    pub(crate) fn fault(&self) -> Option<String> {
        let memory = self.memory();
        memory.append_fault.clone().or_else(|| memory.cut.clone()).or_else(|| memory.seal_fault.clone())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
