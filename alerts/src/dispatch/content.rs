//! What a notification says.

use ops_contract::{
    Alert, AlertState, Notification, NotificationReason, NotificationStatus, NotifiedAlert, Timestamp,
};

use super::Dispatcher;
use super::group::{Group, hash};

/// Most alerts in one notification; the rest is counted, and told next when nobody was told of it.
pub(super) const MOST: usize = 200;
/// Most consequences that are named under their cause.
const MOST_FOLDED: usize = 50;

pub(super) fn notification(
    dispatcher: &Dispatcher,
    group: &Group,
    tell: &[&Alert],
    truncated: u64,
    reason: NotificationReason,
    now: Timestamp,
) -> Notification {
    let mut alerts: Vec<NotifiedAlert> =
        tell.iter().map(|alert| notified(dispatcher, group, alert)).collect();
    alerts.sort_by(|a, b| (a.status, a.starts_at, &a.id).cmp(&(b.status, b.starts_at, &b.id)));
    let fires = alerts.iter().any(|alert| alert.status == NotificationStatus::Firing);
    Notification {
        id: hash(&[&group.row.id, &now.0.to_string()]),
        receiver: group.row.receiver.clone(),
        group_key: group.row.key.clone(),
        group_labels: group.row.labels.clone(),
        status: if fires { NotificationStatus::Firing } else { NotificationStatus::Resolved },
        reason,
        alerts,
        truncated,
        incident: None,
        created_at: now,
    }
}

fn notified(dispatcher: &Dispatcher, group: &Group, alert: &Alert) -> NotifiedAlert {
    let resolved = alert.state == AlertState::Resolved;
    let told_as = group.members.get(&alert.id).map_or(&alert.id, |member| &member.told_as);
    let mut annotations = alert.annotations.clone();
    if dispatcher.flaps.is_flapping(alert) {
        let times = dispatcher.flaps.times(alert);
        let text =
            format!("fired {times} times in short order; its end is told once it has lasted 5 minutes");
        annotations.insert("flapping".to_owned(), text);
    }
    let folded = dispatcher
        .muted
        .iter()
        .filter(|(_, muted)| !resolved && muted.folded_under.as_deref() == Some(&alert.id))
        .filter_map(|(id, _)| dispatcher.alerts.get(id))
        .take(MOST_FOLDED)
        .map(subject)
        .collect();
    NotifiedAlert {
        id: told_as.clone(),
        fingerprint: alert.fingerprint.clone(),
        status: if resolved { NotificationStatus::Resolved } else { NotificationStatus::Firing },
        labels: alert.labels.clone(),
        annotations,
        starts_at: alert.fired_at.unwrap_or(alert.active_at),
        ends_at: alert.resolved_at.filter(|_| resolved),
        generator_url: alert.generator_url.clone(),
        folded,
    }
}

/// An alert in a few words: its name and what tells it apart.
fn subject(alert: &Alert) -> String {
    let name = alert.labels.get("alertname").map_or("", String::as_str);
    let rest: Vec<&str> = alert
        .labels
        .iter()
        .filter(|(label, _)| !matches!(label.as_str(), "alertname" | "severity" | "team"))
        .map(|(_, value)| value.as_str())
        .take(3)
        .collect();
    if rest.is_empty() { name.to_owned() } else { format!("{name} ({})", rest.join(", ")) }
}
