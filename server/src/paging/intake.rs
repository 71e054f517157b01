//! What others bring in: their alerts, silences, acknowledgements. Each takes effect in the transaction that removes it.

use std::time::Duration;

use ops_alerts::dispatch::Dispatcher;
use ops_contract::{Alert, AlertState, IncidentState, Timestamp};
use sqlx::AnyConnection;

use crate::store::inbox::{self, Input};
use crate::store::{alerts, incidents, silences};

/// After a start others need this long to send again what still fires (Alertmanager's `resolve_timeout`).
pub(crate) const GRACE: Duration = Duration::from_mins(5);

/// Takes in what waits; how alerts changed by it comes back.
pub(super) async fn take(
    db: &mut AnyConnection,
    dispatcher: &mut Dispatcher,
    now: Timestamp,
) -> anyhow::Result<Vec<Alert>> {
    // In the order in which they came: one that began and ended meanwhile is told too.
    let mut changed = Vec::new();
    for (id, input) in inbox::first(db).await? {
        match input {
            Input::Alert { alert, ends_at } => {
                changed.extend(receive(db, *alert, ends_at, now).await?);
            }
            Input::Silence { id } => {
                if let Some(silence) = silences::get(db, &id).await?
                    && let Err(error) = dispatcher.put_silence(silence)
                {
                    tracing::warn!(id, %error, "a silence cannot be used");
                }
            }
            Input::Incident { id } => acknowledge(db, dispatcher, &id).await?,
        }
        inbox::delete(db, &id).await?;
    }
    Ok(changed)
}

/// Whether an incident is acknowledged, as the store says.
async fn acknowledge(db: &mut AnyConnection, dispatcher: &mut Dispatcher, id: &str) -> anyhow::Result<()> {
    let Some(incident) = incidents::get(db, id).await? else { return Ok(()) };
    let until = match (incident.state, &incident.acknowledgement) {
        (IncidentState::Acknowledged, Some(ack)) => Some(ack.until),
        _ => None,
    };
    for group in incidents::groups(db, id).await? {
        dispatcher.acknowledge(&group, until);
    }
    Ok(())
}

/// An alert of others as it now stands; `None`: nothing that anybody must be told.
async fn receive(
    db: &mut AnyConnection,
    sent: Alert,
    ends_at: Timestamp,
    now: Timestamp,
) -> anyhow::Result<Option<Alert>> {
    let known = alerts::received(db, &sent.fingerprint).await?;
    let fires = ends_at > now;
    let alert = match (known, fires) {
        (Some(known), true) => {
            Alert { annotations: sent.annotations, generator_url: sent.generator_url, ..known }
        }
        (None, true) => Alert {
            id: ops_alerts::rules::alert_id(&sent.rule, &sent.fingerprint, now.0),
            state: AlertState::Firing,
            fired_at: Some(Timestamp(sent.active_at.0.min(now.0))),
            active_at: Timestamp(sent.active_at.0.min(now.0)),
            resolved_at: None,
            ..sent
        },
        (Some(known), false) => Alert {
            state: AlertState::Resolved,
            resolved_at: Some(ends_at),
            annotations: sent.annotations,
            ..known
        },
        // Told when it was here, or never known: senders repeat ends for a while.
        (None, false) => return Ok(None),
    };
    alerts::upsert_received(db, &alert, ends_at).await?;
    Ok(Some(alert))
}

/// Alerts of others that were not sent again in time: they have ended, as Alertmanager's senders expect.
pub(super) async fn expire(
    db: &mut AnyConnection,
    started_at: Timestamp,
    now: Timestamp,
) -> anyhow::Result<Vec<Alert>> {
    if now.since(started_at) < GRACE {
        return Ok(Vec::new());
    }
    let mut ended = Vec::new();
    for (alert, ends_at) in alerts::expired(db, now).await? {
        let alert = Alert { state: AlertState::Resolved, resolved_at: Some(ends_at), ..alert };
        alerts::upsert_received(db, &alert, ends_at).await?;
        ended.push(alert);
    }
    Ok(ended)
}
