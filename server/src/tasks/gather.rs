use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{Action, ActionKind, ActionStatus, ReplicaId, ServiceName, SystemState, Timestamp};
use ops_engine::{Intent, PastExit};

use crate::store::rolling::Wish;
use crate::store::{self, Store};

/// How long an action that succeeded may stay unseen in the agent's reports.
const SETTLES: Duration = Duration::from_secs(15);
/// How long the evidence of a failed one may take; without it, it is tried again.
const FAILURE_SETTLES: Duration = Duration::from_secs(3);

/// What a plan rests on besides the state: read from the store for each plan.
pub(super) struct Stored {
    pub(super) intent: Intent,
    pub(super) desired: BTreeMap<ServiceName, u16>,
    pub(super) open: Vec<Action>,
    /// Ended a moment ago.
    pub(super) done: Vec<Action>,
    pub(super) exits: BTreeMap<ReplicaId, Vec<PastExit>>,
    pub(super) wishes: Vec<Wish>,
}

/// Reads it.
pub(super) async fn gather(store: &Store, now: Timestamp) -> store::Result<Stored> {
    let mut db = store.connection().await?;
    let intent = store::meta::get(&mut db, store::meta::INTENT).await?;
    Ok(Stored {
        intent: if intent.as_deref() == Some("stopped") { Intent::Stopped } else { Intent::Running },
        desired: store::services::desired(&mut db).await?,
        open: store::actions::open(&mut db).await?,
        done: store::actions::ended_since(&mut db, now - SETTLES).await?,
        exits: store::exits::since_reset(&mut db).await?,
        wishes: store::rolling::list(&mut db).await?,
    })
}

impl Stored {
    /// Open actions, and those whose outcome the agent's reports do not show yet: an agent tells of an action's end
    /// and of what it sees on two paths, and a plan made between the two must not act again.
    pub(super) fn unsettled(&self, state: &SystemState, now: Timestamp) -> Vec<Action> {
        let done = self.done.iter().filter(|action| !self.is_seen(action, state, now));
        self.open.iter().chain(done).cloned().collect()
    }

    fn is_seen(&self, action: &Action, state: &SystemState, now: Timestamp) -> bool {
        let id = &action.replica;
        let replica = state.services.get(&id.service).and_then(|service| service.replicas.get(&id.slot));
        let ended =
            || self.exits.get(id).is_some_and(|all| all.iter().any(|it| it.generation >= action.generation));
        if action.status == ActionStatus::Failed {
            let since = action.finished_at.map_or(Duration::MAX, |at| now.since(at));
            return ended() || since > FAILURE_SETTLES;
        }
        match action.kind {
            ActionKind::Start | ActionKind::Restart => {
                replica.is_some_and(|it| it.generation >= action.generation) || ended()
            }
            ActionKind::Stop => {
                replica.is_none_or(|it| it.generation > action.generation || !it.phase.may_be_alive())
            }
        }
    }
}
