//! Who is told, when, and whether it arrived: the dispatcher of `ops-alerts` with its memory in the store, and the deliveries.
//!
//! What is to be told is stored with the change of the alert that it tells; deliveries are sent by whoever holds their lease.

#![allow(dead_code, reason = "the parts that need it follow within the hour")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ops_alerts::dispatch::Dispatcher;
use ops_alerts::routing::Routing;
use ops_alerts::templates::Templates;
use ops_tasks::Activator;

/// What tasks and requests share.
pub(crate) struct Paging {
    /// Groups and what was told of them; `None` until the store was read, and on servers that do not decide. Held for short:
    /// never while something is sent.
    pub(crate) dispatcher: tokio::sync::Mutex<Option<Dispatcher>>,
    /// Has deliveries sent now.
    pub(crate) deliver: Activator,
    config: Mutex<Arc<Config>>,
}

/// What the Alertmanager file says, as it last was without a fault.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) routing: Arc<Routing>,
    pub(crate) templates: Arc<Templates>,
    /// What is wrong with the file as it is now, in words.
    pub(crate) faults: Vec<String>,
    /// What of it is not used, in words.
    pub(crate) remarks: Vec<String>,
}

impl Paging {
    pub(crate) fn new() -> Self {
        Self {
            dispatcher: tokio::sync::Mutex::default(),
            deliver: Activator::default(),
            config: Mutex::new(Arc::new(Config::default())),
        }
    }

    /// Who is told of what, now.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.lock().clone()
    }

    pub(crate) fn set_config(&self, config: Config) {
        *self.lock() = Arc::new(config);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Config>> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            routing: Arc::new(Routing::default_for("log")),
            templates: Arc::default(),
            faults: Vec::new(),
            remarks: Vec::new(),
        }
    }
}
