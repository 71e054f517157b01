//! What the dispatcher decided, as rows: groups, notifications, incidents and the deliveries to each integration.

use ops_alerts::dispatch::Writes;
use ops_alerts::routing::{NamedIntegration, Routing};
use ops_contract::{Notification, NotificationReason, NotificationStatus, Timestamp};
use sqlx::AnyConnection;

use super::incidents;
use crate::App;
use crate::store::deliveries::Waiting;
use crate::store::{alert_groups, deliveries, incidents as incident_rows, notifications};

/// Stores all of it; true when something is to be sent.
pub(super) async fn store(
    db: &mut AnyConnection,
    app: &App,
    writes: &mut Writes,
    now: Timestamp,
) -> anyhow::Result<bool> {
    for row in &writes.groups {
        alert_groups::upsert(db, row).await?;
    }
    for row in &writes.members {
        alert_groups::upsert_member(db, row).await?;
    }
    for (group, alert) in &writes.gone_members {
        alert_groups::delete_member(db, group, alert).await?;
    }
    let notes = std::mem::take(&mut writes.notifications);
    let told = !notes.is_empty();
    for (group, mut note) in notes {
        incidents::told(db, app, &group, &mut note, now).await?;
        post(db, app, &note, Some(&group)).await?;
    }
    for group in &writes.gone_groups {
        alert_groups::delete(db, group).await?;
        incident_rows::leave_group(db, group).await?;
    }
    Ok(told)
}

/// Stores a notification and its deliveries. `group`: what is told in order.
pub(crate) async fn post(
    db: &mut AnyConnection,
    app: &App,
    note: &Notification,
    group: Option<&str>,
) -> anyhow::Result<()> {
    let config = app.paging.config();
    let integrations = integrations(&config.routing, &note.receiver);
    notifications::insert(db, note).await?;
    if integrations.is_empty() {
        tracing::warn!(receiver = note.receiver, id = note.id, "a receiver has no way to be told");
    }
    for named in integrations {
        for delivery in deliveries_of(note, &named, group) {
            if is_of_use(db, note, &named, &delivery).await? {
                deliveries::insert(db, &delivery).await?;
            }
        }
    }
    Ok(())
}

/// The ways to tell a receiver. One that the file does not have is `log` of this server.
pub(crate) fn integrations(routing: &Routing, receiver: &str) -> Vec<NamedIntegration> {
    match routing.receiver(receiver) {
        Some(receiver) => receiver.integrations.clone(),
        None => Routing::default_for(receiver)
            .receiver(receiver)
            .map(|it| it.integrations.clone())
            .unwrap_or_default(),
    }
}

fn deliveries_of(note: &Notification, named: &NamedIntegration, group: Option<&str>) -> Vec<Waiting> {
    let one = |alert: Option<&str>| {
        let base = format!("{}/{}", note.id, named.key);
        let lane = format!("{}/{}", note.receiver, named.key);
        let (id, lane) = match (alert, group) {
            (Some(alert), _) => (format!("{base}/{alert}"), format!("{lane}/alert/{alert}")),
            (None, Some(group)) => (base, format!("{lane}/group/{group}")),
            // What belongs to no group waits for nothing.
            (None, None) => (base, format!("{lane}/note/{}", note.id)),
        };
        Waiting {
            id,
            notification: note.id.clone(),
            receiver: note.receiver.clone(),
            integration: named.key.clone(),
            lane,
            alert: alert.map(str::to_owned),
            created_at: note.created_at,
            next_attempt_at: note.created_at,
            attempts: 0,
            uncertain: false,
        }
    };
    if named.integration.one_alert_at_a_time() {
        note.alerts.iter().map(|alert| one(Some(&alert.id))).collect()
    } else {
        vec![one(None)]
    }
}

/// Ends are not told to who does not want to hear of them, unless the beginning was not told either.
async fn is_of_use(
    db: &mut AnyConnection,
    note: &Notification,
    named: &NamedIntegration,
    delivery: &Waiting,
) -> anyhow::Result<bool> {
    if named.integration.send_resolved() || note.reason == NotificationReason::FirstNotification {
        return Ok(true);
    }
    let ended = match &delivery.alert {
        Some(id) => note.alerts.iter().any(|it| it.id == *id && it.status == NotificationStatus::Resolved),
        None => note.status == NotificationStatus::Resolved,
    };
    Ok(!ended || !deliveries::in_lane(db, &delivery.lane, 1).await?.is_empty())
}
