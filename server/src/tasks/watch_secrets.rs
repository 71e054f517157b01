use std::sync::Arc;

use ops_contract::Timestamp;
use ops_tasks::Task;
use serde::Serialize;

use crate::metrics::Watched;
use crate::store::audit as table;
use crate::{App, clock, secrets};

/// Looks how secrets and their record stand, for the metrics.
pub(super) struct WatchSecrets {
    app: Arc<App>,
    started_at: Timestamp,
}

#[derive(Serialize)]
pub(super) struct Seen {
    secrets: usize,
}

impl WatchSecrets {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, started_at: clock::now() }
    }
}

impl Task for WatchSecrets {
    const NAME: &'static str = "watch_secrets";
    type Report = Seen;

    async fn run(&mut self) -> anyhow::Result<Seen> {
        let app = &self.app;
        let view = secrets::view(app).await?;
        let open = view.departures.iter().flat_map(|it| &it.work).filter(|it| it.closed_at.is_none());
        let exposed = open.map(|it| it.secret.clone()).collect();
        let mut db = app.store.connection().await?;
        let entries = table::head(&mut db).await?.size();
        let sealed_at = table::last_checkpoint(&mut db).await?.map(|it| Timestamp(it.time_ms * 1_000));
        let mut anchors = Vec::new();
        for place in app.audit.spec.anchors.iter().map(|it| it.place()) {
            let last = table::last_anchor(&mut db, &place).await?;
            anchors.push((place, last.map_or(self.started_at, |(ms, _)| Timestamp(ms * 1_000))));
        }
        drop(db);
        let secrets = view.secrets.len();
        app.own.secrets.saw(Watched { entries, sealed_at, anchors, secrets: view.secrets, exposed });
        app.measure.activate();
        Ok(Seen { secrets })
    }
}
