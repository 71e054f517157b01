//! What is unusual or unauthorised in the audit log: the rules of `ops-engine` over its entries, one server at a time.
//!
//! `fold` reads the log from where it stood and keeps what the rules remember; `world` says what the rules judge against;
//! `alert` tells people. What is remembered is written with what was found, and now and then: entries that are judged again
//! after a crash come to the same findings, because a finding is one by its key.

mod alert;
mod close;
mod fold;
mod view;
mod world;

use std::sync::{Mutex, PoisonError};

use ops_contract::FindingSeverity;

use crate::{App, store};

pub(crate) use close::{Closing, close};
pub(crate) use fold::{Fold, Folded, LEASE};
pub(crate) use view::{latest, page};

/// What requests and tasks share; all of it can be lost.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Open ones by severity, as last counted; `None`: never yet.
    open: Mutex<Option<Vec<(String, i64)>>>,
}

impl Findings {
    /// Open ones by severity, as last counted.
    pub(crate) fn open(&self) -> Option<Vec<(String, i64)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, open: Vec<(String, i64)>) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
    }
}

/// Counts the open findings anew.
async fn recount(app: &App) -> store::Result<()> {
    let mut open = store::findings::count_open(&mut *app.store.connection().await?).await?;
    for severity in [FindingSeverity::Info, FindingSeverity::Warning, FindingSeverity::Critical] {
        let severity = store::word(&severity)?;
        if !open.iter().any(|(it, _)| *it == severity) {
            open.push((severity, 0));
        }
    }
    app.findings.count(open);
    Ok(())
}
