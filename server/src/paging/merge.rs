//! What waits behind a delivery is told with it, as one message: who could not be reached for an hour is told how it stands
//! now, and not each step on the way.

use std::collections::BTreeMap;

use ops_alerts::receivers::Integration;
use ops_contract::{DeliveryStatus, Notification, NotificationStatus, NotifiedAlert, Timestamp};
use sha2::{Digest, Sha256};

use crate::store::deliveries::{self, Waiting};
use crate::store::notifications;
use crate::{App, clock};

/// Most deliveries that become one, and most alerts in it.
const MOST: u32 = 100;
const MOST_ALERTS: usize = 500;

/// Puts what waits later in the lane together with the first; `None` when nothing does. Only what the receiver surely does not
/// have is put together: what it may have keeps its id.
pub(super) async fn with_later(
    app: &App,
    integration: &Integration,
    first: &Waiting,
    note: &Notification,
    lease_until: Timestamp,
) -> anyhow::Result<Option<(Notification, Waiting)>> {
    let mut db = app.store.begin().await?;
    let lane = deliveries::in_lane(&mut db, &first.lane, MOST).await?;
    let mut parts = vec![(first.clone(), note.clone())];
    for later in lane.into_iter().filter(|it| it.id != first.id) {
        let Some(its) = notifications::get(&mut db, &later.notification).await? else { break };
        let status = |note: &Notification| {
            note.alerts.iter().find(|it| Some(&it.id) == first.alert.as_ref()).map(|it| it.status)
        };
        // Who is told one alert at a time takes an end only after its beginning.
        if later.uncertain || (integration.one_alert_at_a_time() && status(&its) != status(note)) {
            break;
        }
        parts.push((later, its));
        let alerts: usize = parts.iter().map(|(_, note)| note.alerts.len()).sum();
        if alerts > MOST_ALERTS {
            parts.pop();
            break;
        }
    }
    if parts.len() < 2 {
        db.rollback().await?;
        return Ok(None);
    }
    let now = clock::now();
    let merged = merge(&parts);
    notifications::insert(&mut db, &merged).await?;
    let delivery = Waiting {
        id: format!("{}/{}", merged.id, first.integration),
        notification: merged.id.clone(),
        attempts: 0,
        ..first.clone()
    };
    for (part, _) in &parts {
        deliveries::end(&mut db, &part.id, DeliveryStatus::Superseded, now).await?;
    }
    deliveries::insert(&mut db, &delivery).await?;
    deliveries::hold(&mut db, &delivery.id, &app.holder, lease_until).await?;
    db.commit().await?;
    Ok(Some((merged, delivery)))
}

/// The newest notification with the newest state of every alert in all of them.
fn merge(parts: &[(Waiting, Notification)]) -> Notification {
    let mut alerts: BTreeMap<String, NotifiedAlert> = BTreeMap::new();
    let mut hash = Sha256::new();
    for (part, note) in parts {
        hash.update(part.id.as_bytes());
        alerts.extend(note.alerts.iter().map(|alert| (alert.id.clone(), alert.clone())));
    }
    let mut alerts: Vec<NotifiedAlert> = alerts.into_values().collect();
    alerts.sort_by(|a, b| (a.status, a.starts_at, &a.id).cmp(&(b.status, b.starts_at, &b.id)));
    let fires = alerts.iter().any(|alert| alert.status == NotificationStatus::Firing);
    let (_, newest) = parts.last().unwrap_or_else(|| unreachable!("two parts at least"));
    Notification {
        id: hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        status: if fires { NotificationStatus::Firing } else { NotificationStatus::Resolved },
        alerts,
        ..newest.clone()
    }
}
