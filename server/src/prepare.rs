//! What happens before the first request and after the last one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ops_contract::{ChangeKind, Stack, TelemetrySpec};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::alerting::Alerting;
use crate::app::Parts;
use crate::audit::Audit;
use crate::secrets::Secrets;
use crate::series::{self, Series};
use crate::store::{Store, changes, meta};
use crate::{App, Config, auth, clock, store};

/// Opens the store and makes it agree with the configuration.
pub(crate) async fn app(
    config: Config,
    address: SocketAddr,
    shutdown: CancellationToken,
) -> anyhow::Result<App> {
    let store = Store::open(&config.database).await?;
    let now = clock::now();
    for (operator, token) in &config.operators {
        let (id, hash) = at_rest(token.expose_secret()).await?;
        let mut db = store.connection().await?;
        store::operators::upsert(&mut db, operator, &id, &hash, now).await?;
    }
    for (agent, token) in &config.agents {
        let (id, hash) = at_rest(token.expose_secret()).await?;
        let mut db = store.connection().await?;
        store::agents::upsert(&mut db, agent, &id, &hash, now).await?;
    }
    note_stack(&store, &config.stack).await?;
    let holder = uuid::Uuid::now_v7().to_string();
    let folder = config.state_dir.as_deref();
    let audit = Audit::open(&store, config.stack.audit.clone(), folder, &config.stack.name, &holder)
        .await
        .context("could not open the audit log")?;
    let vault = Secrets::new(&config.stack, folder, config.environment, config.reread);
    let latest = changes::list(&mut *store.connection().await?, None, None, 50).await?;
    let series = open_series(config.series_dir.as_deref(), &config.stack.telemetry).await?;
    let outlets = series::outlets(&config.stack.telemetry, config.series_dir.as_deref())
        .context("could not open what waits for other receivers")?;
    let external_url = config.external_url.unwrap_or_else(|| format!("http://{address}"));
    let external_url = external_url.trim_end_matches('/').to_owned();
    let query_token = config.stack.alerts.query_token_secret.as_ref();
    let query_token = query_token.and_then(|name| config.secrets.get(name)).cloned();
    let alerting = Alerting::new(&config.stack, &external_url, query_token)?;
    let app = App::new(Parts {
        stack: config.stack,
        external_url,
        store,
        series: Arc::new(Series::new(series, outlets)),
        alerting,
        audit,
        vault,
        holder,
        secrets: config.secrets,
        variables: config.variables,
        metrics: config.metrics,
        shutdown,
    });
    app.remember(&latest);
    Ok(app)
}

/// Lets go of what other servers wait for.
pub(crate) async fn leave(app: &App) {
    if app.store.shared
        && let Ok(mut db) = app.store.connection().await
    {
        for lease in
            [crate::tasks::LEASE, crate::tasks::ROTATE_LEASE, crate::alerting::LEASE, crate::findings::LEASE]
        {
            if let Err(error) = store::leases::release(&mut db, lease, &app.holder).await {
                tracing::warn!(%error, lease, "could not give the lease back");
            }
        }
    }
    if let Err(error) = app.series.store.sync() {
        tracing::warn!(%error, "could not write the last series");
    }
    app.store.close().await;
}

async fn at_rest(token: &str) -> anyhow::Result<(String, String)> {
    Ok((auth::lookup_id(token), auth::hash(token).await?))
}

/// Opens the series in `folder`, or keeps them in memory without one.
async fn open_series(folder: Option<&Path>, spec: &TelemetrySpec) -> anyhow::Result<ops_series::Store> {
    let options = series::options(spec);
    let Some(folder) = folder.map(Path::to_owned) else {
        return Ok(ops_series::Store::in_memory(options));
    };
    let opened = tokio::task::spawn_blocking(move || ops_series::Store::open(&folder, options)).await?;
    let (store, recovery) = opened.context("could not open the series")?;
    if recovery.damage.is_empty() {
        tracing::info!("series: {recovery}");
    } else {
        tracing::error!("series: {recovery}");
    }
    Ok(store)
}

/// Records that the stack is another than the one last served.
async fn note_stack(store: &Store, stack: &Stack) -> anyhow::Result<()> {
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(serde_json::to_vec(stack)?));
    let mut db = store.begin().await?;
    let before = meta::get(&mut db, meta::STACK_HASH).await?;
    if before.as_deref() != Some(&hash) {
        meta::set(&mut db, meta::STACK_HASH, &hash).await?;
        let summary = match before {
            Some(_) => format!("the stack file of {} was changed", stack.name),
            None => format!("the stack {} was set up", stack.name),
        };
        changes::insert(&mut db, &changes::new(ChangeKind::Config, "stack", "engine", summary, clock::now()))
            .await?;
    }
    db.commit().await?;
    Ok(())
}
