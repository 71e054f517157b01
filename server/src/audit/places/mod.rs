//! Places outside that are given signed states of the log. One file per kind. To add one: a file, an arm in `Place::put` and
//! [`gather`], a variant of `ops_contract::AnchorSpec`.

mod file;
mod s3;
#[cfg(test)]
mod s3_tests;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ops_audit::anchor::Anchor;
use ops_audit::checkpoint::Signed;
use ops_audit::export::{Line, parse};
use ops_contract::AnchorSpec;
use tokio::time::timeout;

use crate::secrets::stores::aws;
use crate::store::{audit as table, leases};
use crate::{App, clock};

/// Longest time that a place may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who lays down anchors, when several servers share a store.
const LEASE: &str = "audit_anchors";
/// How long the lease lasts.
const LEASED: Duration = Duration::from_secs(60);

/// Lays signed states down outside, each place for itself.
pub(crate) struct Anchoring {
    app: Arc<App>,
    http: reqwest::Client,
}

impl Anchoring {
    pub(crate) fn new(app: Arc<App>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .context("could not make an HTTP client")?;
        Ok(Self { app, http })
    }

    /// Gives the newest signed state to each place that has none so young. Gives how many it was given to.
    pub(crate) async fn run(&self) -> anyhow::Result<u64> {
        let app = &self.app;
        let spec = &app.audit.spec;
        let now = clock::now();
        if app.store.shared {
            let mut db = app.store.connection().await?;
            if !leases::take(&mut db, LEASE, &app.holder, now, now + LEASED).await? {
                return Ok(0);
            }
        }
        let Some(signed) = app.audit.last_seal(&app.store).await? else { return Ok(0) };
        let every_ms = i64::try_from(spec.anchor_every.as_millis()).unwrap_or(i64::MAX);
        let mut count = 0;
        for place in &spec.anchors {
            let name = place.place();
            let last = table::last_anchor(&mut *app.store.connection().await?, &name).await?;
            if last.is_some_and(|(written_ms, _)| now.0 / 1_000 - written_ms < every_ms) {
                continue;
            }
            let anchor = Anchor {
                place: name.clone(),
                written_ms: clock::now().0 / 1_000,
                checkpoint: signed.to_string(),
            };
            let put = timeout(PATIENCE, self.put(place, &anchor, &signed)).await;
            match put.unwrap_or_else(|_| Err(anyhow::anyhow!("it took longer than {PATIENCE:?}"))) {
                Ok(()) => {
                    table::insert_anchor(&mut *app.store.connection().await?, &anchor, &signed).await?;
                    app.audit.memory().anchor_faults.remove(&name);
                    count += 1;
                }
                Err(error) => {
                    tracing::warn!(
                        place = name,
                        error = format!("{error:#}"),
                        "could not lay down an anchor"
                    );
                    app.audit.memory().anchor_faults.insert(name, format!("{error:#}"));
                }
            }
        }
        Ok(count)
    }

    async fn put(&self, place: &AnchorSpec, anchor: &Anchor, signed: &Signed) -> anyhow::Result<()> {
        match place {
            AnchorSpec::File { path } => file::put(path, anchor).await,
            AnchorSpec::Webhook { url } => webhook::put(&self.http, url, anchor, signed).await,
            AnchorSpec::S3 { bucket, prefix, retain_days } => {
                let place = s3_place(&self.app, bucket).await;
                let until = clock::now() + Duration::from_secs(u64::from(*retain_days) * 86_400);
                let checkpoint = &signed.checkpoint;
                let key = format!("{prefix}/{:020}-{}.json", checkpoint.size, checkpoint.time_ms);
                let line = Line::Anchor(anchor.clone()).to_string();
                Ok(place.put(&key, line.into_bytes(), until).await?)
            }
        }
    }
}

async fn s3_place(app: &App, bucket: &str) -> s3::S3Place {
    s3::S3Place::new(&aws::config(&app.stack.secret_stores.aws).await, bucket)
}

/// Every version of every anchor in the bucket: what somebody put over one is not what was laid down.
async fn s3_all(app: &App, bucket: &str, prefix: &str) -> anyhow::Result<Vec<Anchor>> {
    let place = s3_place(app, bucket).await;
    let mut anchors = Vec::new();
    for object in place.list(&format!("{prefix}/")).await? {
        if let Ok(Line::Anchor(anchor)) = parse(&place.get(&object).await?) {
            anchors.push(anchor);
        }
    }
    Ok(anchors)
}

/// All anchors that can be read back, and the places that were searched.
pub(super) async fn gather(app: &App) -> (Vec<Anchor>, Vec<String>) {
    let (mut anchors, mut searched) = (Vec::new(), Vec::new());
    for place in &app.audit.spec.anchors {
        let found = match place {
            AnchorSpec::File { path } => file::all(path).await,
            AnchorSpec::Webhook { .. } => continue,
            AnchorSpec::S3 { bucket, prefix, .. } => s3_all(app, bucket, prefix).await,
        };
        match found {
            Ok(found) => {
                anchors.extend(found);
                searched.push(place.place());
            }
            Err(error) => {
                tracing::warn!(
                    place = place.place(),
                    error = format!("{error:#}"),
                    "could not read anchors back"
                );
            }
        }
    }
    (anchors, searched)
}
