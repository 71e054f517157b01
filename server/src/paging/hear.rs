//! What receivers say to us by themselves: that somebody acknowledged there.

use ops_alerts::receivers::NotHeard;
use ops_contract::{ChangeKind, IncidentState};

use super::incidents::look_at;
use super::{acknowledge_in, outbox};
use crate::store::inbox::{self, Input};
use crate::store::{changes, incidents};
use crate::{App, clock};

/// Takes what a receiver says; so many incidents were acknowledged or no longer are. `None`: there is no such receiver.
pub(crate) async fn hear(
    app: &App,
    receiver: &str,
    signatures: &str,
    body: &[u8],
) -> anyhow::Result<Option<Result<u32, NotHeard>>> {
    let config = app.paging.config();
    if config.routing.receiver(receiver).is_none() {
        return Ok(None);
    }
    let mut why = NotHeard::Deaf;
    for named in outbox::integrations(&config.routing, receiver) {
        match named.integration.hear(signatures, body) {
            Ok(heard) => {
                let mut count = 0;
                for it in heard {
                    count += u32::from(take(app, named.integration.kind(), &it).await?);
                }
                return Ok(Some(Ok(count)));
            }
            // Of several the one that could have meant it says why not.
            Err(NotHeard::Deaf) => {}
            Err(other) => why = other,
        }
    }
    Ok(Some(Err(why)))
}

/// Whether it changed an incident.
async fn take(app: &App, kind: &str, heard: &ops_alerts::receivers::Heard) -> anyhow::Result<bool> {
    let mut db = app.store.begin().await?;
    let Some(id) = incidents::of_alert(&mut db, &heard.alert).await? else { return Ok(false) };
    let Some(mut incident) = incidents::get(&mut db, &id).await? else { return Ok(false) };
    let by = format!("{} ({kind})", heard.by);
    match (heard.acknowledged, incident.state) {
        // One that is acknowledged stays so: what we tell there would come back to us for ever.
        (true, IncidentState::Open) => {
            let done =
                acknowledge_in(&mut db, app, &id, &by, &format!("acknowledged in {kind}"), None).await?;
            db.commit().await?;
            done.announce(app);
        }
        (false, IncidentState::Acknowledged) => {
            let now = clock::now();
            if let Some(acknowledgement) = &mut incident.acknowledgement {
                acknowledgement.until = acknowledgement.until.min(now);
            }
            incidents::upsert(&mut db, &incident, look_at(&incident)).await?;
            inbox::put(&mut db, &Input::Incident { id: id.clone() }).await?;
            let summary = format!("{by} no longer looks after {:?}", incident.title);
            let change = changes::new(ChangeKind::Response, id, by, summary, now);
            changes::insert(&mut db, &change).await?;
            db.commit().await?;
            app.remember(&[change]);
            app.alerting.wake.activate();
        }
        _ => return Ok(false),
    }
    Ok(true)
}
