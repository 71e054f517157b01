//! Rules at work: which there are, what they say, and what of it is stored. The engine itself is pure and stands in
//! `ops-alerts`; here it gets its files, its data and its memory.
//!
//! What an evaluation changes is stored before it counts. Whatever is lost between the two is found again by the next
//! evaluation, which comes to the same.

mod explore;
mod files;
mod pass;
mod remote;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ops_alerts::rules::{Engine, Settings};
use ops_contract::{RuleView, Stack};
use ops_samples::Labels;
use ops_tasks::Activator;
use secrecy::SecretString;

pub(crate) use explore::explore;
pub(crate) use files::expand;
pub(crate) use pass::{LEASE, Pass, Passed};
use remote::Remote;
pub(crate) use view::view;

use crate::{App, clock};

/// What rules need, shared by the task that evaluates and the pages that show.
pub(crate) struct Alerting {
    /// Has woken rules evaluated now.
    pub(crate) wake: Activator,
    /// `None` until the store has told what fired before.
    engine: Mutex<Option<Engine>>,
    load_faults: Mutex<Vec<String>>,
    remote: Option<Remote>,
    settings: Settings,
}

impl Alerting {
    /// Takes up what the stack says. Must be called on the runtime.
    pub(crate) fn new(
        stack: &Stack,
        external_url: &str,
        query_token: Option<SecretString>,
    ) -> anyhow::Result<Self> {
        let remote = match &stack.alerts.query_url {
            Some(url) => Some(Remote::new(url, query_token)?),
            None => None,
        };
        let interval_ms = i64::try_from(stack.alerts.evaluation_interval.as_millis()).unwrap_or(15_000);
        let settings = Settings {
            evaluation_interval_ms: interval_ms,
            external_labels: Labels::new(&stack.alerts.external_labels)?,
            external_url: external_url.to_owned(),
            ..Settings::default()
        };
        Ok(Self {
            wake: Activator::default(),
            engine: Mutex::default(),
            load_faults: Mutex::default(),
            remote,
            settings,
        })
    }

    /// Samples arrived: wakes the rules that read them.
    pub(crate) fn arrived(&self, changed: &[Arc<str>], touched: &[Arc<str>]) {
        // With another backend what arrives here is not what the rules read.
        if self.remote.is_some() {
            return;
        }
        if let Some(engine) = self.engine().as_mut() {
            engine.arrived(changed, touched, clock::now().0.div_euclid(1_000));
        }
        self.wake.activate();
    }

    /// Every rule in the order of the files, from memory alone.
    pub(crate) fn rules(&self) -> Vec<RuleView> {
        self.engine().as_ref().map(Engine::views).unwrap_or_default()
    }

    fn engine(&self) -> MutexGuard<'_, Option<Engine>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Vec<String>> {
        self.load_faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the rules woken by whatever samples arrive from now on.
pub(crate) fn listen(app: &Arc<App>) {
    // The series belong to the app: a strong reference would keep both for ever.
    let app_again = Arc::downgrade(app);
    app.series.on_arrival(move |appended| {
        if let Some(app) = app_again.upgrade()
            && !appended.touched.is_empty()
        {
            app.alerting.arrived(&appended.changed, &appended.touched);
        }
    });
}
