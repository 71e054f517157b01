use ops_audit::anchor::HighWater;
use ops_audit::checkpoint::Cadence;
use ops_audit::checkpoint::Signed;

use super::{Audit, keys};
use crate::clock;
use crate::store::{self, Store, audit as table};

/// At the latest after so many entries the log is signed.
const ENTRIES: u64 = 1_000;

impl Audit {
    /// Signs the log if that is due.
    pub(crate) async fn seal_if_due(&self, store: &Store) -> anyhow::Result<bool> {
        let every_ms = i64::try_from(self.spec.seal_every.as_millis()).unwrap_or(i64::MAX);
        let cadence = Cadence { entries: ENTRIES, every_ms };
        let mut db = store.connection().await?;
        let (head, last) = (table::head(&mut db).await?, table::last_checkpoint(&mut db).await?);
        drop(db);
        let last = last.and_then(|it| Signed::parse(&it.checkpoint).ok()).map(|it| it.checkpoint);
        if !cadence.is_due(last.as_ref(), head.size(), clock::now().0 / 1_000) {
            return Ok(false);
        }
        self.seal_now(store).await?;
        Ok(true)
    }

    /// Signs the log as it is now; without the right key it is left unsigned, and that is told.
    pub(crate) async fn seal_now(&self, store: &Store) -> anyhow::Result<Option<Signed>> {
        let mut db = store.begin().await?;
        let mut head = table::lock(&mut db).await?;
        // Nothing is signed that took the place of what was seen.
        if let Err(error) = self.is_continued(&mut db, &head).await {
            self.memory().append_fault = Some(error.to_string());
            return Err(error.into());
        }
        if let Some(signs) = table::keys(&mut db).await?.last() {
            self.follow(signs);
        }
        if self.memory().seal_fault.is_some() {
            return Ok(None);
        }
        let before = (head.size(), head.link);
        let now_ms = clock::now().0 / 1_000;
        let last = table::last_checkpoint(&mut db).await?;
        if last
            .as_ref()
            .is_some_and(|last| last.size == head.size() && last.time_ms >= now_ms.max(head.time_ms))
        {
            // Somebody signed just this.
            return Ok(last.and_then(|it| Signed::parse(&it.checkpoint).ok()));
        }
        let checkpoint = head.checkpoint(now_ms);
        let signed = checkpoint.sign(&*self.key())?;
        table::insert_checkpoint(&mut db, &signed).await?;
        if !table::replace(&mut db, before, &head).await? {
            return Err(anyhow::anyhow!("the end of the audit log changed under its lock"));
        }
        db.commit().await?;
        self.memory().sealed = Some((checkpoint.size, checkpoint.time_ms));
        Ok(Some(signed))
    }

    /// Writes down, outside the store, how far the log was seen.
    pub(crate) fn mark(&self) {
        let (seen, marked): (Option<HighWater>, Option<HighWater>) = {
            let memory = self.memory();
            (memory.seen, memory.marked)
        };
        let Some(seen) = seen.filter(|seen| marked.is_none_or(|marked| marked.size < seen.size)) else {
            return;
        };
        match keys::write_mark(self.folder.as_deref(), &seen) {
            Ok(()) => self.memory().marked = Some(seen),
            Err(error) => tracing::warn!(%error, "could not write down how far the audit log was seen"),
        }
    }

    /// The newest signed state.
    pub(crate) async fn last_seal(&self, store: &Store) -> store::Result<Option<Signed>> {
        let last = table::last_checkpoint(&mut *store.connection().await?).await?;
        Ok(last.and_then(|it| Signed::parse(&it.checkpoint).ok()))
    }
}
