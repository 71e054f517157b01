//! What people do with incidents, and what they see of them.

use std::time::Duration;

use ops_contract::{
    Acknowledgement, Change, ChangeKind, Incident, IncidentState, IncidentView, IncidentsView, Notification,
    NotificationView, NotificationsView, Timestamp,
};
use sqlx::AnyConnection;

use super::incidents::{look_at, tell_acknowledged};
use crate::store::inbox::{self, Input};
use crate::store::{changes, deliveries, incidents, notifications};
use crate::{App, clock};

/// How long somebody looks after an incident unless he says it.
const USUAL: Duration = Duration::from_hours(1);
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// Longest reason in characters.
const REASON: usize = 500;
/// Living incidents and notifications that are shown.
const MOST: u32 = 500;
const TOLD: u32 = 100;
/// Severities from worst to least.
const WORST: [&str; 4] = ["critical", "error", "warning", "info"];

/// Why an incident cannot be acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there is no incident {0}")]
    Unknown(String),
    #[error("the incident is resolved: nobody needs to look after it")]
    Resolved,
    #[error("reason must say in 1 to 500 characters what is done about it")]
    Reason,
    #[error("for_s must be from 60 to 604800 seconds (7 days)")]
    Length,
    #[error(transparent)]
    Store(#[from] sqlx::Error),
}

/// Notes that somebody looks after an incident: it is not escalated and not told again until that ends.
pub(crate) async fn acknowledge(
    app: &App,
    id: &str,
    by: &str,
    reason: &str,
    for_s: Option<u64>,
) -> Result<Incident, Refused> {
    let mut db = app.store.begin().await?;
    let done = acknowledge_in(&mut db, app, id, by, reason, for_s).await?;
    db.commit().await?;
    Ok(done.announce(app))
}

/// An acknowledgement that others do not know of before it is committed.
#[must_use]
pub(crate) struct Acknowledged {
    incident: Incident,
    change: Change,
}

impl Acknowledged {
    /// Says it to who waits for it; to be called once it is committed.
    pub(crate) fn announce(self, app: &App) -> Incident {
        app.remember(&[self.change]);
        app.alerting.wake.activate();
        app.paging.deliver.activate();
        self.incident
    }
}

/// The same within a transaction.
pub(crate) async fn acknowledge_in(
    db: &mut AnyConnection,
    app: &App,
    id: &str,
    by: &str,
    reason: &str,
    for_s: Option<u64>,
) -> Result<Acknowledged, Refused> {
    let reason: String = reason.trim().chars().filter(|it| !it.is_control()).collect();
    if reason.is_empty() || reason.chars().count() > REASON {
        return Err(Refused::Reason);
    }
    let length = for_s.map_or(USUAL, Duration::from_secs);
    if length < Duration::from_mins(1) || length > LONGEST {
        return Err(Refused::Length);
    }
    let Some(mut incident) = incidents::find(db, id).await? else {
        return Err(Refused::Unknown(id.to_owned()));
    };
    let id = &*incident.id.clone();
    if incident.state == IncidentState::Resolved {
        return Err(Refused::Resolved);
    }
    let now = clock::now();
    let summary = format!("{by} looks after {:?}: {reason}", incident.title);
    let change = changes::new(ChangeKind::Response, incident.id.clone(), by, summary, now);
    changes::insert(db, &change).await?;
    incident.state = IncidentState::Acknowledged;
    incident.acknowledgement =
        Some(Acknowledgement { by: by.to_owned(), reason, at: now, until: now + length });
    incidents::upsert(db, &incident, look_at(&incident)).await?;
    inbox::put(db, &Input::Incident { id: id.to_owned() }).await?;
    tell_acknowledged(db, app, &incident, now).await?;
    Ok(Acknowledged { incident, change })
}

/// What is broken and who looks after it; resolved ones before `before`.
pub(crate) async fn incidents_view(
    app: &App,
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> sqlx::Result<IncidentsView> {
    let mut db = app.store.connection().await?;
    let mut living = incidents::living(&mut db, MOST).await?;
    let rank = |it: &Incident| WORST.iter().position(|known| *known == it.severity).unwrap_or(WORST.len());
    living.sort_by_key(|it| (it.state, rank(it), it.opened_at));
    let mut resolved = incidents::resolved(&mut db, before, limit + 1).await?;
    let more = resolved.len() > limit as usize;
    resolved.truncate(limit as usize);
    let next = resolved.last().filter(|_| more).map(|it| format!("{}-{}", it.opened_at.0, it.id));
    let (waiting, waiting_since) = deliveries::backlog(&mut db).await?;
    let config = app.paging.config();
    let now = clock::now();
    let people = config.on_call.now(now).into_iter();
    Ok(IncidentsView {
        living,
        resolved,
        next,
        on_call: people.map(|(name, them)| (name, them.into_iter().map(|it| it.0).collect())).collect(),
        faults: config.faults.clone(),
        waiting,
        waiting_since,
        at: now,
    })
}

/// One incident with what was told of it.
pub(crate) async fn incident_view(app: &App, id: &str) -> sqlx::Result<Option<IncidentView>> {
    let mut db = app.store.connection().await?;
    let Some(incident) = incidents::find(&mut db, id).await? else { return Ok(None) };
    let notes = notifications::list(&mut db, Some(&incident.id), None, TOLD).await?;
    let notifications = with_deliveries(&mut db, notes).await?;
    Ok(Some(IncidentView { incident, notifications, at: clock::now() }))
}

/// Who was told what, newest first, before `before`.
pub(crate) async fn notifications_view(
    app: &App,
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> sqlx::Result<NotificationsView> {
    let mut db = app.store.connection().await?;
    let mut notes = notifications::list(&mut db, None, before, limit + 1).await?;
    let more = notes.len() > limit as usize;
    notes.truncate(limit as usize);
    let next = notes.last().filter(|_| more).map(|it| format!("{}-{}", it.created_at.0, it.id));
    let (waiting, waiting_since) = deliveries::backlog(&mut db).await?;
    let notifications = with_deliveries(&mut db, notes).await?;
    Ok(NotificationsView { notifications, next, waiting, waiting_since, at: clock::now() })
}

async fn with_deliveries(
    db: &mut AnyConnection,
    notes: Vec<Notification>,
) -> sqlx::Result<Vec<NotificationView>> {
    let mut views = Vec::with_capacity(notes.len());
    for notification in notes {
        let deliveries = deliveries::of(db, &notification.id).await?;
        views.push(NotificationView { notification, deliveries });
    }
    Ok(views)
}
