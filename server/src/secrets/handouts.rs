//! Whether a value that was recorded as handed out was also sent. The entry comes first, with a row; the row goes when the
//! answer has been given to the connection whole. What is left of a connection that broke or a server that was killed is told
//! by an entry of its own: recorded, and not known to have been received.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ops_audit::entry::Outcome;
use ops_tasks::Activator;

use crate::store::{self, secret_handouts as table};
use crate::{App, audit, clock};

/// Name of the entry that says that nobody knows whether the value was received.
const UNCONFIRMED: &str = "secret.unconfirmed";
/// After so long an answer of another process is over: it has ended, or has told so.
const OTHERS: Duration = Duration::from_secs(10);
/// Most of them at once.
const AT_ONCE: u32 = 200;

/// Hand-outs of this process that have ended, one way or the other.
#[derive(Default)]
pub(crate) struct Ended {
    list: Mutex<Vec<(String, bool)>>,
    pub(crate) wake: Activator,
}

/// An answer with values that is under way. Dropped before [`Ticket::sent`], it counts as not sent.
pub(crate) struct Ticket {
    id: String,
    ended: Arc<Ended>,
    sent: bool,
}

impl Ticket {
    pub(super) fn new(id: String, ended: &Arc<Ended>) -> Self {
        Self { id, ended: ended.clone(), sent: false }
    }

    /// The answer has been given to the connection whole.
    pub(crate) fn sent(mut self) {
        self.sent = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.ended.list().push((std::mem::take(&mut self.id), self.sent));
        self.ended.wake.activate();
    }
}

impl Ended {
    fn list(&self) -> MutexGuard<'_, Vec<(String, bool)>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Settles what has ended, and what other processes have left. Gives how many are unconfirmed.
pub(crate) async fn settle(app: &App) -> anyhow::Result<u64> {
    let ended = std::mem::take(&mut *app.vault.ended.list());
    if let Err(error) = settle_own(app, &ended).await {
        app.vault.ended.list().extend(ended);
        return Err(error);
    }
    let own = ended.iter().filter(|(_, sent)| !sent).count() as u64;
    let before = clock::now() - OTHERS;
    let left = table::left(&mut *app.store.connection().await?, &app.holder, before, AT_ONCE).await?;
    if left.is_empty() {
        return Ok(own);
    }
    let mut db = app.store.begin().await?;
    let mut drafts = Vec::new();
    for it in &left {
        if table::remove(&mut db, &it.id).await? {
            drafts.push(unconfirmed(it, "the server ended before the answer was sent").draft());
        }
    }
    let appended = audit::append_in(&mut db, &app.audit, drafts).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    Ok(own + appended.len() as u64)
}

async fn settle_own(app: &App, ended: &[(String, bool)]) -> anyhow::Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut db = app.store.begin().await?;
    let mut drafts = Vec::new();
    for (id, sent) in ended {
        let row = if *sent { None } else { table::get(&mut db, id).await? };
        let removed = table::remove(&mut db, id).await?;
        if let Some(row) = row.filter(|_| removed) {
            drafts.push(unconfirmed(&row, "the connection broke before the answer was sent").draft());
        }
    }
    if drafts.is_empty() {
        db.commit().await?;
        return Ok(());
    }
    let appended = audit::append_in(&mut db, &app.audit, drafts).await?;
    db.commit().await?;
    app.audit.saw(&appended);
    Ok(())
}

fn unconfirmed(it: &store::secret_handouts::Handout, why: &str) -> audit::Entry {
    audit::of_system(UNCONFIRMED, &it.secrets)
        .outcome(Outcome::Failed)
        .why("recorded as handed out, and it is not known whether it was received")
        .detail("entry", it.seq.to_string())
        .detail("actor", &it.actor)
        .detail("error", why)
}
