use std::collections::HashSet;
use std::time::Duration;

use ops_audit::anchor::HighWater;
use ops_audit::chain::{Appended, Head};
use ops_audit::entry::{Draft, EntryError, Source};
use ops_audit::hash::Hash;
use sqlx::AnyConnection;
use std::sync::PoisonError;
use tokio::sync::oneshot;

use super::Audit;
use crate::clock;
use crate::store::secret_handouts::{self, Handout};
use crate::store::{Store, audit as table};

/// Most entries of one transaction, and most that wait.
const BATCH: usize = 512;
const MOST_WAITING: usize = 10_000;
/// Longest wait for a place in the log.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why an entry is not in the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// It is larger than its limits or not well formed.
    #[error("the audit log does not take this entry: {0}")]
    Entry(#[from] EntryError),
    /// The store does not take it.
    #[error("the audit log cannot be written: {0}")]
    Store(#[from] sqlx::Error),
    /// Too many wait, or it took too long.
    #[error("the audit log cannot be written: {0}")]
    Busy(&'static str),
    /// The store's log is not the one that this server has written.
    #[error("the audit log in the store was changed by somebody else: {0}")]
    Foreign(String),
}

/// Entries that wait for their transaction, and who waits for them.
pub(super) struct Waiting {
    drafts: Vec<Draft>,
    /// What they record as handed out; written in the same transaction, with the number of the first.
    handout: Option<Handout>,
    done: oneshot::Sender<Result<Vec<Appended>, Refused>>,
}

impl Audit {
    /// Appends entries; when it returns well, they are on the disk. Entries of others may stand between them.
    pub(crate) async fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Appended>, Refused> {
        self.append_within(PATIENCE, drafts, None).await
    }

    /// Like [`Self::append`], with what they record as handed out.
    pub(crate) async fn append_with(
        &self,
        drafts: Vec<Draft>,
        handout: Option<Handout>,
    ) -> Result<Vec<Appended>, Refused> {
        self.append_within(PATIENCE, drafts, handout).await
    }

    /// For whoever cannot wait for long. What is refused because of that may be in the log all the same.
    pub(crate) async fn append_within(
        &self,
        patience: Duration,
        drafts: Vec<Draft>,
        handout: Option<Handout>,
    ) -> Result<Vec<Appended>, Refused> {
        let (done, appended) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= MOST_WAITING {
                return Err(Refused::Busy("too many entries wait for it"));
            }
            waiting.push(Waiting { drafts, handout, done });
        }
        self.wake.activate();
        match tokio::time::timeout(patience, appended).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refused::Busy("the server is ending")),
            Err(_) => Err(Refused::Busy("it took too long")),
        }
    }

    /// Appends what waits, one transaction for many. Gives how many entries there were.
    pub(crate) async fn append_waiting(&self, store: &Store) -> Result<usize, Refused> {
        let mut count = 0;
        loop {
            let batch = self.take();
            if batch.is_empty() {
                return Ok(count);
            }
            count += batch.iter().map(|it| it.drafts.len()).sum::<usize>();
            self.append_batch(store, batch).await?;
        }
    }

    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody acts on an entry that nobody waits for.
        waiting.retain(|it| !it.done.is_closed());
        let mut entries = 0;
        let count = waiting
            .iter()
            .take_while(|it| {
                entries += it.drafts.len();
                entries <= BATCH || entries == it.drafts.len()
            })
            .count();
        waiting.drain(..count).collect()
    }

    /// All of a batch or nothing of it; one bad entry among them is told to who sent it, and the others go on.
    async fn append_batch(&self, store: &Store, batch: Vec<Waiting>) -> Result<(), Refused> {
        let (good, bad): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|it| (check(&it.drafts), it)).partition(|(fault, _)| fault.is_none());
        for (fault, it) in bad {
            if let Some(fault) = fault {
                let _ = it.done.send(Err(fault.into()));
            }
        }
        let counts: Vec<usize> = good.iter().map(|(_, it)| it.drafts.len()).collect();
        let drafts = good.iter().flat_map(|(_, it)| it.drafts.clone()).collect();
        let appended = async {
            let mut db = store.begin().await?;
            let appended = append_each(&mut db, self, drafts).await?;
            for (_, it) in &good {
                let (Some(handout), Some(draft)) = (&it.handout, it.drafts.first()) else { continue };
                let first = appended.iter().flatten().find(|it| it.entry.salt == draft.salt);
                let seq = first.and_then(|it| i64::try_from(it.entry.seq).ok()).unwrap_or_default();
                secret_handouts::insert(&mut db, &Handout { seq, ..handout.clone() }).await?;
            }
            db.commit().await?;
            Ok::<_, Refused>(appended)
        };
        match appended.await {
            Ok(appended) => {
                self.saw(appended.iter().flatten());
                self.memory().append_fault = None;
                let mut appended = appended.into_iter();
                for ((_, it), count) in good.into_iter().zip(counts) {
                    let _ = it.done.send(Ok(appended.by_ref().take(count).flatten().collect()));
                }
                Ok(())
            }
            Err(error) => {
                let words = error.to_string();
                self.memory().append_fault = Some(words.clone());
                for (_, it) in good {
                    let _ = it.done.send(Err(Refused::Store(sqlx::Error::Protocol(words.clone()))));
                }
                Err(error)
            }
        }
    }

    /// Remembers how far the log was seen, once it is committed.
    pub(crate) fn saw<'a>(&self, appended: impl IntoIterator<Item = &'a Appended>) {
        let Some(last) = appended.into_iter().last() else { return };
        let mark = HighWater { size: last.entry.seq + 1, head: last.link, time_ms: last.entry.time_ms };
        let mut memory = self.memory();
        if memory.seen.is_none_or(|seen| seen.size < mark.size) {
            memory.seen = Some(mark);
        }
        drop(memory);
        self.appended.activate();
    }

    /// Refuses a log that does not go on from where this process has seen it: one that was cut, also when as many entries
    /// were put in the place of what is gone.
    pub(super) async fn is_continued(&self, db: &mut AnyConnection, head: &Head) -> Result<(), Refused> {
        let Some(seen) = self.memory().seen else { return Ok(()) };
        if stands(db, head, &seen).await? {
            return Ok(());
        }
        Err(Refused::Foreign(format!(
            "it has {} entries, and not those that this server has seen up to {}",
            head.size(),
            seen.size
        )))
    }
}

/// Whether the log that ends in `head` has the entries of `mark`, as far as its links tell. Verifying makes sure of the links.
pub(super) async fn stands(db: &mut AnyConnection, head: &Head, mark: &HighWater) -> sqlx::Result<bool> {
    if head.size() <= mark.size {
        return Ok(head.size() == mark.size && head.link == mark.head);
    }
    let Some(last) = mark.size.checked_sub(1) else { return Ok(true) };
    Ok(table::row(db, last).await?.is_some_and(|it| it.link == mark.head.to_string()))
}

/// Appends within the caller's transaction; call [`Audit::saw`] with the result once it is committed. What a device
/// told before is left out.
pub(crate) async fn append_in(
    db: &mut AnyConnection,
    audit: &Audit,
    drafts: Vec<Draft>,
) -> Result<Vec<Appended>, Refused> {
    Ok(append_each(db, audit, drafts).await?.into_iter().flatten().collect())
}

/// As [`append_in`], with nothing in the place of what is left out.
async fn append_each(
    db: &mut AnyConnection,
    audit: &Audit,
    drafts: Vec<Draft>,
) -> Result<Vec<Option<Appended>>, Refused> {
    let mut head = table::lock(db).await?;
    audit.is_continued(db, &head).await?;
    let before: (u64, Hash) = (head.size(), head.link);
    let now_ms = clock::now().0 / 1_000;
    let mut all = Vec::with_capacity(drafts.len());
    let (mut events, mut is_new) = (HashSet::new(), Vec::new());
    for draft in drafts {
        if let Source::External { device, event_id } = &draft.source
            && (!events.insert((device.clone(), event_id.clone()))
                || table::has_event(db, device, event_id).await?)
        {
            is_new.push(false);
            continue;
        }
        is_new.push(true);
        all.push(head.append(draft, now_ms)?);
    }
    table::insert(db, &all).await?;
    if !all.is_empty() && !table::replace(db, before, &head).await? {
        return Err(Refused::Foreign("its end changed under the lock".to_owned()));
    }
    let mut all = all.into_iter();
    Ok(is_new.into_iter().map(|it| if it { all.next() } else { None }).collect())
}

/// Whether the log takes an entry, as far as its form goes.
pub(crate) fn is_taken(draft: &Draft) -> bool {
    check(std::slice::from_ref(draft)).is_none()
}

fn check(drafts: &[Draft]) -> Option<EntryError> {
    drafts.iter().find_map(|draft| draft.clone().at(0, 0).encode().err())
}
