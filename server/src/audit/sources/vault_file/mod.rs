//! Follows the file of a `file` device of OpenBao or Vault, across renaming, cutting and deleting.
//!
//! How far it was read changes in the transaction that appends what was read: killed at any moment, nothing is lost and
//! nothing is entered twice. A file that was cut or is gone is an entry itself: the store does not notice.

mod follow;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ops_audit::entry::{Draft, Outcome};
use ops_contract::AuditSourceSpec;

use super::{count, devices};
use crate::audit::{Entry, append_in, of_system};
use crate::store::audit_tails as table;
use crate::{App, audit};
use follow::{Event, Fault, Follower, Pass};

/// Most passes over one file before the others have their turn.
const PASSES: usize = 32;

/// All files that are followed.
pub(crate) struct Files {
    app: Arc<App>,
    /// Files of this name lie on each host.
    host: String,
    followers: BTreeMap<String, Arc<Mutex<Follower>>>,
}

impl Files {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let file = |(name, it): (&String, &super::Source)| match &it.spec {
            AuditSourceSpec::VaultFile { path } => {
                Some((name.clone(), Arc::new(Mutex::new(Follower::new(Path::new(path))))))
            }
            AuditSourceSpec::VaultHttp { .. } => None,
        };
        let followers = app.sources.by_name.iter().filter_map(file).collect();
        Self { app, host, followers }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.followers.is_empty()
    }

    /// Reads all of them on; gives how many lines there were and whether there may be more at once.
    pub(crate) async fn read_on(&self) -> anyhow::Result<(usize, bool)> {
        let (mut lines, mut more) = (0, false);
        let mut failed = Ok(());
        for name in self.followers.keys() {
            let mut again = true;
            for _ in 0..PASSES {
                match self.pass(name).await {
                    Ok((count, there_is_more)) => {
                        lines += count;
                        again = there_is_more;
                    }
                    Err(error) => (failed, again) = (Err(error), false),
                }
                if !again {
                    break;
                }
            }
            more |= again;
        }
        failed.map(|()| (lines, more))
    }

    async fn pass(&self, name: &str) -> anyhow::Result<(usize, bool)> {
        let Some(follower) = self.followers.get(name).map(Arc::clone) else { return Ok((0, false)) };
        let mut db = self.app.store.connection().await?;
        let known = table::get(&mut db, name, &self.host).await?;
        drop(db);
        let (mark, fault) = known.map_or((None, String::new()), |(mark, fault)| (Some(mark), fault));
        // Of a file that never was there is a row too, which names none.
        let mark = mark.filter(|it| !it.file.is_empty());
        let from = mark.clone();
        let read = move || follower.lock().unwrap_or_else(PoisonError::into_inner).pass(from.as_ref());
        let pass = tokio::task::spawn_blocking(read).await?;
        let now = pass.fault.map_or("", word);
        if pass.mark == mark && pass.events.is_empty() && now == fault {
            return Ok((0, pass.more));
        }
        let drafts = self.drafts(name, &pass, now, &fault);
        let mut db = self.app.store.begin().await?;
        let appended = append_in(&mut db, &self.app.audit, drafts).await?;
        let mark = pass.mark.clone().unwrap_or_default();
        table::put(&mut db, name, &self.host, &mark, now).await?;
        db.commit().await?;
        self.app.audit.saw(&appended);
        Ok((pass.lines.len(), pass.more))
    }

    fn drafts(&self, name: &str, pass: &Pass, now: &str, before: &str) -> Vec<Draft> {
        let mut drafts: Vec<Draft> = Vec::new();
        if now != before {
            let entry = match pass.fault {
                Some(fault) => of_system("audit.source_fault", name)
                    .outcome(Outcome::Failed)
                    .detail("error", words(fault)),
                None => of_system("audit.source_back", name).detail("was", before),
            };
            drafts.push(entry.detail("host", self.host.clone()).draft());
        }
        drafts.extend(pass.events.iter().map(|it| self.told(name, it).draft()));
        let mut rubbish: u64 = 0;
        let source = self.app.sources.by_name.get(name);
        for line in &pass.lines {
            let told = devices::read(name, line, &self.app.sources.places);
            // What the log would not take must not keep it from what follows.
            let told = told.ok().filter(|it| it.drafts.iter().all(audit::is_taken));
            match told {
                Some(told) => {
                    if let Some(source) = source {
                        count(&source.counts.taken, 1);
                        count(&source.counts.in_clear, u64::from(told.in_clear));
                    }
                    drafts.extend(told.drafts);
                }
                None => rubbish += 1,
            }
        }
        if rubbish > 0 {
            if let Some(source) = source {
                count(&source.counts.rubbish, rubbish);
            }
            let entry = of_system("audit.source_rubbish", name).outcome(Outcome::Failed);
            drafts.push(entry.detail("lines", rubbish.to_string()).detail("host", self.host.clone()).draft());
        }
        drafts
    }

    fn told(&self, name: &str, event: &Event) -> Entry {
        let entry =
            |action: &str| of_system(action, name).outcome(Outcome::Failed).detail("host", self.host.clone());
        match event {
            Event::Cut { had, has } => entry("audit.source_cut")
                .detail("had_bytes", had.to_string())
                .detail("has_bytes", has.to_string()),
            Event::Lost { had } => entry("audit.source_lost").detail("had_bytes", had.to_string()),
            Event::TooLong { at } => entry("audit.source_rubbish").detail("at_byte", at.to_string()),
        }
    }
}

const fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Missing => "missing",
        Fault::Deleted => "deleted",
        Fault::Unreadable => "unreadable",
    }
}

const fn words(fault: Fault) -> &'static str {
    match fault {
        Fault::Missing => "there is no file at its path",
        Fault::Deleted => "the file was deleted while the store writes to it: let the store open it anew",
        Fault::Unreadable => "the file cannot be read",
    }
}
