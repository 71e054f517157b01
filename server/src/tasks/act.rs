use ops_contract::{
    Action, ActionCause, ActionKind, ActionStatus, AgentName, Change, ChangeKind, ReplicaId, SystemState,
    Timestamp,
};
use sqlx::AnyConnection;
use uuid::Uuid;

use crate::store;
use crate::store::rolling::Wish;

/// An action that the plan asks for.
pub(super) struct Draft<'a> {
    pub(super) id: &'a ReplicaId,
    pub(super) kind: ActionKind,
    pub(super) cause: ActionCause,
    pub(super) reason: &'a str,
    pub(super) now: Timestamp,
}

/// Writes an action down; `None` when one is open for the slot.
pub(super) async fn act(
    db: &mut AnyConnection,
    draft: Draft<'_>,
    state: &SystemState,
    wishes: &[Wish],
    agent: &AgentName,
) -> store::Result<Option<(Action, Change)>> {
    let Draft { id, kind, cause, reason, now } = draft;
    let replica = state.services.get(&id.service).and_then(|service| service.replicas.get(&id.slot));
    let known = replica.map_or(0, |it| it.generation);
    let generation = match kind {
        ActionKind::Start | ActionKind::Restart => store::slots::next_generation(db, id, known).await?,
        ActionKind::Stop => known,
    };
    let wish = wishes
        .iter()
        .find(|wish| cause == ActionCause::Operator && wish.service == id.service && wish.slot == id.slot);
    let reason = match wish.filter(|wish| !wish.reason.is_empty()) {
        Some(wish) => format!("{reason}: {}", wish.reason),
        None => reason.to_owned(),
    };
    let action = Action {
        id: Uuid::now_v7().to_string(),
        kind,
        replica: id.clone(),
        generation,
        cause,
        reason,
        requested_by: wish.map_or("engine", |wish| &wish.requested_by).to_owned(),
        requested_at: now,
        status: ActionStatus::Requested,
        error: None,
        finished_at: None,
    };
    if !store::actions::insert(db, &action, replica.map_or(agent, |it| &it.agent)).await? {
        return Ok(None);
    }
    if wish.is_some() {
        store::rolling::remove(db, id).await?;
    }
    let (change_kind, verb) = match kind {
        ActionKind::Start => (ChangeKind::Start, "start"),
        ActionKind::Restart => (ChangeKind::Start, "restart"),
        ActionKind::Stop => (ChangeKind::Stop, "stop"),
    };
    let summary = format!("{verb} {id}: {}", action.reason);
    let change = store::changes::new(change_kind, id.to_string(), action.requested_by.clone(), summary, now);
    store::changes::insert(db, &change).await?;
    Ok(Some((action, change)))
}
