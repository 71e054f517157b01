//! A marked test page to one receiver, through the whole path.

use std::collections::BTreeMap;

use ops_contract::{Notification, NotificationReason, NotificationStatus, NotifiedAlert};

use super::outbox;
use crate::{App, clock};

/// Stores a test for a receiver and has it sent; the notification's id comes back, `None`: there is no such receiver.
pub(crate) async fn begin(app: &App, receiver: &str, by: &str) -> anyhow::Result<Option<String>> {
    if app.paging.config().routing.receiver(receiver).is_none() {
        return Ok(None);
    }
    let now = clock::now();
    let id = format!("test-{}", uuid::Uuid::now_v7());
    let labels = BTreeMap::from([
        ("alertname".to_owned(), "InsightDeskTest".to_owned()),
        ("severity".to_owned(), "info".to_owned()),
        ("stack".to_owned(), app.stack.name.clone()),
    ]);
    let annotations = BTreeMap::from([
        ("summary".to_owned(), format!("Test page: {by} asked whether {receiver} can be reached")),
        ("description".to_owned(), "Nothing is broken.".to_owned()),
    ]);
    let alert = NotifiedAlert {
        id: id.clone(),
        fingerprint: ops_samples::Labels::new(&labels)
            .map(|it| format!("{:016x}", it.fingerprint()))
            .unwrap_or_default(),
        status: NotificationStatus::Firing,
        labels,
        annotations,
        starts_at: now,
        ends_at: None,
        generator_url: format!("{}/notifications", app.external_url),
        folded: Vec::new(),
    };
    let note = Notification {
        id: id.clone(),
        receiver: receiver.to_owned(),
        group_key: format!("test:{receiver}"),
        group_labels: BTreeMap::new(),
        status: NotificationStatus::Firing,
        reason: NotificationReason::Test,
        alerts: vec![alert],
        truncated: 0,
        incident: None,
        created_at: now,
    };
    let mut db = app.store.begin().await?;
    outbox::post(&mut db, app, &note, None).await?;
    db.commit().await?;
    app.paging.deliver.activate();
    Ok(Some(id))
}
