//! Incidents: opened by the first notification of a cause, escalated while nobody looks after them, resolved with their last alert.

use ops_contract::{
    EscalationStep, Incident, IncidentState, Notification, NotificationReason, NotificationStatus,
    NotifiedAlert, Timestamp,
};
use std::collections::BTreeSet;

use sqlx::AnyConnection;

use super::outbox;
use crate::App;
use crate::store::{incidents, notifications};

/// Alerts that an incident shows.
const SHOWN: usize = 200;
/// Notifications of an incident that are looked through for who was told.
const TOLD: u32 = 500;
/// Steps of its escalation that are kept.
const KEPT: usize = 50;
/// Severities from worst to least; what is none of them comes last.
const SEVERITIES: [&str; 5] = ["critical", "error", "warning", "info", "none"];

/// Notes in its incident what a group tells; opens one when it has none. The notification learns which one it is. What fires on
/// purpose (`severity="none"`, such as the watchdog) is told, and nothing is broken.
pub(super) async fn told(
    db: &mut AnyConnection,
    app: &App,
    group: &str,
    note: &mut Notification,
    now: Timestamp,
) -> anyhow::Result<()> {
    if note.alerts.iter().all(|it| it.labels.get("severity").is_some_and(|it| it == "none")) {
        return Ok(());
    }
    let mut incident = match find(db, group, note).await? {
        Some(known) => known,
        None => open(app, note, now),
    };
    for alert in &note.alerts {
        let resolved = alert.status == NotificationStatus::Resolved;
        incidents::put_alert(db, &incident.id, &alert.id, resolved).await?;
    }
    incidents::join_group(db, group, &incident.id).await?;
    let severity = incident.severity.clone();
    update(&mut incident, &note.alerts);
    if incident.severity != severity {
        follow(app, &mut incident, now);
    }
    if incidents::firing(db, &incident.id).await? == 0 {
        incident.state = IncidentState::Resolved;
        incident.resolved_at.get_or_insert(now);
        incident.next_escalation_at = None;
    }
    note.incident = Some(incident.id.clone());
    let look_at = look_at(&incident);
    incidents::upsert(db, &incident, look_at).await?;
    Ok(())
}

async fn find(db: &mut AnyConnection, group: &str, note: &Notification) -> anyhow::Result<Option<Incident>> {
    let mut id = incidents::of_group(db, group).await?;
    for alert in &note.alerts {
        if id.is_none() {
            // Two routes may tell of one alert: it is one incident.
            id = incidents::of_alert(db, &alert.id).await?;
        }
    }
    let Some(id) = id else { return Ok(None) };
    // An end that another route has told already opens nothing anew.
    let is_its =
        |it: &Incident| it.state != IncidentState::Resolved || note.status == NotificationStatus::Resolved;
    Ok(incidents::get(db, &id).await?.filter(is_its))
}

fn open(app: &App, note: &Notification, now: Timestamp) -> Incident {
    let severity = worst(&note.alerts);
    let on_call = app.paging.config().on_call.clone();
    let policy = on_call.policy_for(&severity).map(str::to_owned);
    let next = policy.as_ref().and_then(|name| on_call.policy(name)).map(|policy| {
        match policy.due(now, false, now) {
            Some(_) => now,
            None => policy.next_at(now, now).unwrap_or(now),
        }
    });
    Incident {
        id: note.id.clone(),
        title: note.alerts.first().map(title).unwrap_or_default(),
        severity,
        state: IncidentState::Open,
        opened_at: now,
        resolved_at: None,
        acknowledgement: None,
        alerts: Vec::new(),
        policy,
        escalations: Vec::new(),
        next_escalation_at: next,
    }
}

/// An incident that has become worse is escalated as the worse one would be.
fn follow(app: &App, incident: &mut Incident, now: Timestamp) {
    let on_call = app.paging.config().on_call.clone();
    let policy = on_call.policy_for(&incident.severity).map(str::to_owned);
    if policy.is_some() && policy != incident.policy {
        incident.policy = policy;
        incident.next_escalation_at = Some(now);
    }
}

fn title(alert: &NotifiedAlert) -> String {
    let summary = alert.annotations.get("summary").filter(|it| !it.trim().is_empty());
    let name = summary.or_else(|| alert.labels.get("alertname"));
    name.map(|it| it.chars().take(300).collect()).unwrap_or_default()
}

fn worst(alerts: &[NotifiedAlert]) -> String {
    let severities = alerts.iter().filter_map(|alert| alert.labels.get("severity"));
    let rank = |it: &&String| SEVERITIES.iter().position(|known| known == it).unwrap_or(SEVERITIES.len());
    severities.min_by_key(rank).cloned().unwrap_or_default()
}

/// Alerts as they were last told, firing ones first.
fn update(incident: &mut Incident, told: &[NotifiedAlert]) {
    for alert in told {
        match incident.alerts.iter_mut().find(|known| known.id == alert.id) {
            Some(known) => *known = alert.clone(),
            None => incident.alerts.push(alert.clone()),
        }
    }
    incident.alerts.sort_by(|a, b| (a.status, a.starts_at, &a.id).cmp(&(b.status, b.starts_at, &b.id)));
    incident.alerts.truncate(SHOWN);
    let severity = worst(&incident.alerts);
    if !severity.is_empty() {
        incident.severity = severity;
    }
}

/// When time changes an incident.
pub(crate) fn look_at(incident: &Incident) -> Option<Timestamp> {
    match (incident.state, &incident.acknowledgement) {
        (IncidentState::Resolved, _) => None,
        (IncidentState::Acknowledged, Some(ack)) => Some(ack.until),
        (IncidentState::Acknowledged, None) | (IncidentState::Open, _) => incident.next_escalation_at,
    }
}

/// Does what is due: acknowledgements that have run out, levels of an escalation. The groups whose incident is open again
/// come back; true when something is to be sent.
pub(super) async fn advance(
    db: &mut AnyConnection,
    app: &App,
    now: Timestamp,
) -> anyhow::Result<(Vec<String>, bool)> {
    let mut reopened = Vec::new();
    let mut told = false;
    for mut incident in incidents::due(db, now).await? {
        if incident.state == IncidentState::Acknowledged {
            incident.state = IncidentState::Open;
            incident.next_escalation_at = Some(now).filter(|_| incident.policy.is_some());
            reopened.extend(incidents::groups(db, &incident.id).await?);
        }
        if incident.next_escalation_at.is_some_and(|at| at <= now) {
            told |= escalate(db, app, &mut incident, now).await?;
        }
        incidents::upsert(db, &incident, look_at(&incident)).await?;
    }
    Ok((reopened, told))
}

/// Tells receivers that keep incidents of their own that somebody looks after this one: they need not escalate it either.
pub(super) async fn tell_acknowledged(
    db: &mut AnyConnection,
    app: &App,
    incident: &Incident,
    now: Timestamp,
) -> sqlx::Result<()> {
    let routing = app.paging.config().routing.clone();
    let told: BTreeSet<String> = notifications::list(db, Some(&incident.id), None, TOLD)
        .await?
        .into_iter()
        .filter(|note| note.status == NotificationStatus::Firing)
        .map(|note| note.receiver)
        .collect();
    let fires = |it: &&NotifiedAlert| it.status == NotificationStatus::Firing;
    let alerts: Vec<NotifiedAlert> = incident.alerts.iter().filter(fires).cloned().collect();
    for receiver in told {
        let integrations = outbox::integrations(&routing, &receiver);
        let its: Vec<_> =
            integrations.into_iter().filter(|it| it.integration.takes_acknowledgements()).collect();
        if its.is_empty() {
            continue;
        }
        let note = Notification {
            id: format!("{}-a{}-{receiver}", incident.id, now.0),
            receiver,
            group_key: format!("incident:{}", incident.id),
            group_labels: Default::default(),
            status: NotificationStatus::Firing,
            reason: NotificationReason::Acknowledged,
            alerts: alerts.clone(),
            truncated: 0,
            incident: Some(incident.id.clone()),
            created_at: now,
        };
        outbox::post_to(db, &note, &its, None).await?;
    }
    Ok(())
}

/// Tells the level that is due, unless it was told already.
async fn escalate(
    db: &mut AnyConnection,
    app: &App,
    incident: &mut Incident,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let on_call = app.paging.config().on_call.clone();
    let name = incident.policy.clone().unwrap_or_default();
    let Some(policy) = on_call.policy(&name) else {
        incident.next_escalation_at = None;
        return Ok(false);
    };
    incident.next_escalation_at = policy.next_at(incident.opened_at, now);
    let Some(due) = policy.due(incident.opened_at, false, now) else { return Ok(false) };
    let level = u32::try_from(due.level).unwrap_or(u32::MAX);
    // After an acknowledgement has run out the level of the moment is told again.
    let since = incident.acknowledgement.as_ref().map_or(incident.opened_at, |it| it.until);
    let told = |it: &EscalationStep| it.at >= since && (it.round, it.level) == (due.round, level);
    if incident.escalations.iter().any(told) {
        return Ok(false);
    }
    let mut receivers = on_call.receivers(&name, due.level, now);
    let routing = app.paging.config().routing.clone();
    receivers.retain(|name| routing.receiver(name).is_some());
    if receivers.is_empty() {
        // Nobody on call, or a name in a calendar that nobody has: somebody is told all the same.
        receivers.push(outbox::fallback(app));
    }
    let alerts: Vec<NotifiedAlert> =
        incident.alerts.iter().filter(|it| it.status == NotificationStatus::Firing).cloned().collect();
    for receiver in &receivers {
        let note = Notification {
            id: format!("{}-e{}-{}-{}-{receiver}", incident.id, now.0, due.round, level),
            receiver: receiver.clone(),
            group_key: format!("incident:{}", incident.id),
            group_labels: Default::default(),
            status: NotificationStatus::Firing,
            reason: NotificationReason::Escalation,
            alerts: alerts.clone(),
            truncated: 0,
            incident: Some(incident.id.clone()),
            created_at: now,
        };
        outbox::post(db, app, &note, None).await?;
    }
    tracing::info!(
        incident = incident.id,
        round = due.round,
        level,
        ?receivers,
        "nobody looks after an incident"
    );
    incident.escalations.push(EscalationStep { at: now, round: due.round, level, receivers });
    let excess = incident.escalations.len().saturating_sub(KEPT);
    incident.escalations.drain(..excess);
    Ok(true)
}
