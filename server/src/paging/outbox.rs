//! What the dispatcher decided, as rows: groups, notifications, incidents and the deliveries to each integration.

use ops_alerts::dispatch::Writes;
use ops_alerts::routing::{NamedIntegration, Routing};
use ops_contract::{Notification, NotificationReason, NotificationStatus, Timestamp};
use sqlx::AnyConnection;

use super::incidents;
use crate::App;
use crate::store::deliveries::Waiting;
use crate::store::{alert_groups, deliveries, incidents as incident_rows, notifications};

/// The built-in alert on deliveries that wait.
const STALLED: &str = "DeliveriesStalled";

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
        for alert in &mut note.alerts {
            alert.generator_url = absolute(&app.external_url, &alert.generator_url);
        }
        incidents::told(db, app, &group, &mut note, now).await?;
        post(db, app, &note, Some(&group)).await?;
        if let Some(note) = for_the_fallback(app, &note) {
            post(db, app, &note, None).await?;
        }
    }
    for group in &writes.gone_groups {
        alert_groups::delete(db, group).await?;
        incident_rows::leave_group(db, group).await?;
    }
    Ok(told)
}

/// That pages do not arrive is told to the fallback receiver too: the usual one may be what is broken.
fn for_the_fallback(app: &App, note: &Notification) -> Option<Notification> {
    let is_stall =
        |it: &ops_contract::NotifiedAlert| it.labels.get("alertname").is_some_and(|it| it == STALLED);
    let receiver = fallback(app);
    (note.receiver != receiver && note.alerts.iter().any(is_stall)).then(|| Notification {
        id: format!("{}-fallback", note.id),
        receiver,
        reason: NotificationReason::Fallback,
        ..note.clone()
    })
}

/// Who is told when nobody else can be: as the stack file says, else the receiver of the root route.
pub(super) fn fallback(app: &App) -> String {
    let root = || app.paging.config().routing.tree.as_slice().first().map(|route| route.receiver.clone());
    app.stack.alerts.fallback_receiver.clone().or_else(root).unwrap_or_default()
}

/// An address of ours in full; those of others are.
pub(crate) fn absolute(external_url: &str, address: &str) -> String {
    if address.starts_with('/') { format!("{external_url}{address}") } else { address.to_owned() }
}

/// Stores a notification and its deliveries. `group`: what is told in order.
pub(crate) async fn post(
    db: &mut AnyConnection,
    app: &App,
    note: &Notification,
    group: Option<&str>,
) -> anyhow::Result<()> {
    let config = app.paging.config();
    Ok(post_to(db, note, &integrations(&config.routing, &note.receiver), group).await?)
}

/// The same, to some of the ways in which its receiver can be told.
pub(super) async fn post_to(
    db: &mut AnyConnection,
    note: &Notification,
    integrations: &[NamedIntegration],
    group: Option<&str>,
) -> sqlx::Result<()> {
    notifications::insert(db, note).await?;
    if integrations.is_empty() {
        tracing::warn!(receiver = note.receiver, id = note.id, "a receiver has no way to be told");
    }
    for named in integrations {
        for delivery in deliveries_of(note, named, group) {
            if is_of_use(db, note, named, &delivery).await? {
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
) -> sqlx::Result<bool> {
    if named.integration.send_resolved() || note.reason == NotificationReason::FirstNotification {
        return Ok(true);
    }
    let ended = match &delivery.alert {
        Some(id) => note.alerts.iter().any(|it| it.id == *id && it.status == NotificationStatus::Resolved),
        None => note.status == NotificationStatus::Resolved,
    };
    Ok(!ended || !deliveries::in_lane(db, &delivery.lane, 1).await?.is_empty())
}
