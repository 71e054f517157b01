//! One file (or folder) per driver. To add one: its file here, a variant of [`ops_contract::Driver`], an arm in each
//! `match` below.
//!
//! A driver starts and stops replicas, and nothing else: it is told the generation, and doing a thing twice is
//! harmless. What runs is kept in the fleet, so that health, logs and reports need not know the driver.

mod dry_run;
pub(crate) mod process;

use std::collections::BTreeMap;
use std::sync::Arc;

use ops_contract::{ExitReason, ReplicaId, ServiceSpec};
use secrecy::SecretString;

use crate::agent::Agent;

/// How long a stop may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The service's grace: somebody waits for the end.
    Grace,
    /// Until its jobs are done: it is only needed no more.
    Drain,
}

/// The drivers, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Driver {
    Process,
    DryRun,
}

/// The driver that a service asks for.
pub(crate) fn of(driver: ops_contract::Driver) -> Driver {
    match driver {
        ops_contract::Driver::Process => Driver::Process,
        ops_contract::Driver::DryRun => Driver::DryRun,
    }
}

/// Values of secrets by name, which a program is started with.
pub(crate) type Values = BTreeMap<String, SecretString>;

impl Driver {
    /// Asks for all that a start of `generation` takes; `None` when it needs nothing, or was started before.
    pub(crate) async fn prepare(
        self,
        agent: &Arc<Agent>,
        replica: &ReplicaId,
        generation: i64,
        spec: &ServiceSpec,
    ) -> Result<Option<Values>, String> {
        match self {
            Self::Process => process::prepare(agent, replica, generation, spec).await,
            Self::DryRun => Ok(None),
        }
    }

    /// Starts the slot under `generation`; succeeds when the program runs, or has run before under that generation.
    /// `values`: what [`Self::prepare`] gave; without it, it is asked for now.
    pub(crate) async fn start(
        self,
        agent: &Arc<Agent>,
        replica: &ReplicaId,
        generation: i64,
        spec: &ServiceSpec,
        values: Option<Values>,
    ) -> Result<(), String> {
        match self {
            Self::Process => process::start(agent, replica, generation, spec, values).await,
            Self::DryRun => dry_run::start(agent, replica, generation, spec),
        }
    }

    /// Drains and stops what runs in the slot up to `generation`; succeeds when nothing does.
    pub(crate) async fn stop(
        self,
        agent: &Arc<Agent>,
        replica: &ReplicaId,
        generation: i64,
        reason: ExitReason,
        patience: Patience,
    ) -> Result<(), String> {
        match self {
            Self::Process => process::stop(agent, replica, generation, reason, patience).await,
            Self::DryRun => dry_run::stop(agent, replica, generation),
        }
    }
}
