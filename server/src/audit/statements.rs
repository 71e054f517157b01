use std::path::Path;

use ops_audit::entry::{Actor, action};
use ops_audit::hash::{self, Hash};
use ops_audit::key::{LocalKey, PublicKey, Signer};
use ops_audit::statement::Statement;

use super::append::append_in;
use super::{Audit, keys};
use crate::clock;
use crate::store::{Store, audit as table};

/// Bodies that are dropped by one transaction.
const AT_ONCE: u64 = 5_000;

impl Audit {
    /// Drops what entries older than the retention say; their hashes, and so the proof of them, stay. Gives how many.
    pub(crate) async fn retain(&self, store: &Store) -> anyhow::Result<u64> {
        let Some(retention) = self.spec.retention else { return Ok(0) };
        let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let before_ms = (clock::now().0 / 1_000).saturating_sub(retention_ms);
        let mut dropped = 0;
        while self.memory().seal_fault.is_none() {
            let count = self.retain_some(store, before_ms).await?;
            dropped += count;
            if count < AT_ONCE {
                break;
            }
        }
        Ok(dropped)
    }

    async fn retain_some(&self, store: &Store, before_ms: i64) -> anyhow::Result<u64> {
        let mut db = store.begin().await?;
        let head = table::lock(&mut db).await?;
        let from = table::retained_below(&mut db).await?;
        let (mut low, mut high) = (from, head.size().min(from + AT_ONCE));
        // Times never go back in the log: the first one that is kept is found by halves.
        while low < high {
            let middle = low + (high - low) / 2;
            match table::row(&mut db, middle).await? {
                Some(row) if row.time_ms < before_ms => low = middle + 1,
                _ => high = middle,
            }
        }
        let Some(last) = low.checked_sub(1).filter(|last| *last >= from) else { return Ok(0) };
        // The columns are not believed: what is signed away is what the entry itself says of its time.
        let row = table::row(&mut db, last).await?;
        let bytes = row.as_ref().and_then(table::Row::bytes);
        let entry = row.as_ref().and_then(table::Row::entry);
        let leaf: Option<Hash> = row.as_ref().and_then(|it| Hash::parse(&it.leaf).ok());
        let is_true = entry.is_some_and(|it| it.time_ms < before_ms && it.seq == last)
            && bytes.map(|it| hash::leaf(&it)) == leaf;
        anyhow::ensure!(
            is_true,
            "entry {last} of the audit log is not as it was written: nothing is dropped"
        );
        let actor = super::of_system(action::RETENTION, &self.origin).actor();
        let statement = Statement::Retention { below: low, before_ms };
        let draft = statement.draft(&head, &*self.key(), actor, rand::random())?;
        let appended = append_in(&mut db, self, vec![draft]).await?;
        let count = table::drop_bodies(&mut db, from, low).await?;
        db.commit().await?;
        self.saw(&appended);
        tracing::info!(count, below = low, "what old entries of the audit log say was dropped");
        Ok(low - from)
    }

    /// Another key signs from now on: made here, told in the log by the old one, and put in its place. Killed at any
    /// moment, the next start takes the key that the log says.
    pub(crate) async fn hand_over(&self, store: &Store, actor: Actor) -> anyhow::Result<PublicKey> {
        let _one = self.handing_over.lock().await;
        if let Some(fault) = self.memory().seal_fault.clone() {
            anyhow::bail!(fault);
        }
        let next = LocalKey::from_seed(&self.origin, &rand::random())?;
        let to = next.public().clone();
        let file = keys::file(self.folder.as_deref(), self.spec.key_file.as_deref().map(Path::new));
        keys::write_next(file.as_deref(), &next)?;
        let mut db = store.begin().await?;
        let head = table::lock(&mut db).await?;
        let statement = Statement::Handover { to: Box::new(to.clone()) };
        let draft = statement.draft(&head, &*self.key(), actor, rand::random())?;
        let appended = append_in(&mut db, self, vec![draft]).await?;
        table::insert_key(&mut db, &to.to_string(), head.size()).await?;
        db.commit().await?;
        self.saw(&appended);
        match file {
            Some(_) => self.follow(&to.to_string()),
            None => self.set_key(next),
        }
        self.seal_now(store).await?;
        Ok(to)
    }

    /// Takes the key that the log says signs now, which this server or another one on this host has put there.
    pub(super) fn follow(&self, signs: &str) {
        if self.key().public().to_string() == signs {
            return;
        }
        let file = self.spec.key_file.as_deref().map(Path::new);
        let chosen = keys::open(self.folder.as_deref(), file, &self.origin)
            .map(|found| keys::choose(found, Some(signs)));
        match chosen {
            Ok(chosen) => {
                self.set_key(chosen.key);
                self.memory().seal_fault = chosen.fault;
            }
            Err(error) => self.memory().seal_fault = Some(format!("{error:#}")),
        }
    }
}
