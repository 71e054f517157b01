use ops_audit::entry::{ActorKind, Entry, Outcome, Source};
use ops_contract::{
    AuditActorKind, AuditAnchor, AuditEntry, AuditFilter, AuditOutcome, AuditState, AuditView, Timestamp,
};

use crate::store::{self, audit as table};
use crate::{App, clock};

/// How the log stands, and the newest entries that the filter lets through.
pub(crate) async fn view(
    app: &App,
    filter: AuditFilter,
    below: Option<u64>,
    limit: u32,
) -> store::Result<AuditView> {
    let mut db = app.store.connection().await?;
    let wanted = table::Wanted {
        actor: &filter.actor,
        action: &filter.action,
        subject: &filter.subject,
        outcome: &filter.outcome,
        below,
    };
    let mut rows = table::newest(&mut db, &wanted, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).and_then(|row| u64::try_from(row.seq).ok());
    let head = table::head(&mut db).await?;
    let sealed = table::last_checkpoint(&mut db).await?;
    let mut anchors = Vec::new();
    for spec in &app.audit.spec.anchors {
        let place = spec.place();
        let last = table::last_anchor(&mut db, &place).await?;
        let error = app.audit.memory().anchor_faults.get(&place).cloned();
        anchors.push(AuditAnchor {
            written_at: last.map(|(ms, _)| Timestamp(ms * 1_000)),
            entries: last.map_or(0, |(_, size)| size),
            place,
            error,
        });
    }
    let findings = crate::findings::latest(&mut db).await?;
    drop(db);
    // Each takes the lock for itself: not both in one expression.
    let verified = app.audit.memory().verified.clone();
    let fault = app.audit.fault();
    let state = AuditState {
        origin: app.audit.origin.clone(),
        entries: head.size(),
        key: app.audit.public_key().to_string(),
        sealed: sealed.as_ref().map_or(0, |it| it.size),
        sealed_at: sealed.map(|it| Timestamp(it.time_ms * 1_000)),
        anchors,
        verified,
        fault,
    };
    let entries = rows.iter().map(row_view).collect();
    Ok(AuditView { at: clock::now(), state, filter, entries, next, findings })
}

/// What is shown of a row: what its body says, or what is left of it. Its number is that of the row, whatever the body says.
pub(crate) fn row_view(row: &table::Row) -> AuditEntry {
    if let Some(entry) = row.entry() {
        return AuditEntry { seq: u64::try_from(row.seq).unwrap_or_default(), ..entry_view(&entry) };
    }
    AuditEntry {
        seq: u64::try_from(row.seq).unwrap_or_default(),
        at: Timestamp(row.time_ms.saturating_mul(1_000)),
        actor_kind: AuditActorKind::External,
        actor: row.actor.clone(),
        address: None,
        action: row.action.clone(),
        subject: row.subject.clone(),
        purpose: None,
        outcome: store::from_word(row.outcome.clone()).unwrap_or(AuditOutcome::Failed),
        device: row.device.clone(),
        details: [("body".to_owned(), "dropped".to_owned())].into(),
    }
}

/// An entry as the contract has it.
pub(crate) fn entry_view(entry: &Entry) -> AuditEntry {
    let mut details = entry.details.clone();
    if let Some(via) = &entry.actor.via {
        details.insert("via".to_owned(), via.clone());
    }
    if let Source::External { event_id, .. } = &entry.source {
        details.insert("event".to_owned(), event_id.clone());
    }
    AuditEntry {
        seq: entry.seq,
        at: Timestamp(entry.time_ms.saturating_mul(1_000)),
        actor_kind: match entry.actor.kind {
            ActorKind::Person => AuditActorKind::Person,
            ActorKind::Service => AuditActorKind::Service,
            ActorKind::Agent => AuditActorKind::Agent,
            ActorKind::System => AuditActorKind::System,
            ActorKind::External => AuditActorKind::External,
        },
        actor: entry.actor.name.clone(),
        address: entry.actor.address.clone(),
        action: entry.action.clone(),
        subject: entry.subject.clone(),
        purpose: entry.purpose.clone(),
        outcome: match entry.outcome {
            Outcome::Allowed => AuditOutcome::Allowed,
            Outcome::Denied => AuditOutcome::Denied,
            Outcome::Failed => AuditOutcome::Failed,
        },
        device: match &entry.source {
            Source::Own => None,
            Source::External { device, .. } => Some(device.clone()),
        },
        details,
    }
}
