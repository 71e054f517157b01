//! The server: takes signals in, hands actions out, decides by the engine, remembers in the store, shows.
//!
//! `http/` alone knows axum, `grpc/` alone knows tonic, `store/` alone has SQL, `tasks/` is the control loop, `auth/`
//! knows who asks. Never probes, never starts anything, never calls an agent.
//!
//! To add a resource: one file in `http/`. To add a table: one file in `store/`. To add a loop: one file in `tasks/`.

mod alerting;
mod answers;
mod app;
mod audit;
mod auth;
mod clock;
mod config;
mod findings;
mod grpc;
mod http;
mod logs;
mod metrics;
mod paging;
mod prepare;
mod queue_commands;
mod scaling;
mod secrets;
mod series;
mod store;
mod tasks;
#[cfg(test)]
mod testing;
mod view;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use app::App;
pub use config::{Config, Grpc, Reread};
#[doc(hidden)]
pub use http::described;
pub use http::openapi;

/// Longest wait for requests at the end.
const GRACE: Duration = Duration::from_secs(6);
/// Longest wait for the store at the end.
const LEAVE: Duration = Duration::from_secs(2);

/// Serves until `shutdown` is cancelled, then ends within 10 s.
///
/// # Errors
///
/// When the address cannot be had, or the store cannot be opened.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = config.listen;
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("could not listen on {address}"))?;
    run_on(listener, config, shutdown).await
}

/// Like [`run`], on a socket that listens already; `config.listen` is not looked at.
///
/// # Errors
///
/// When the store cannot be opened.
pub async fn run_on(
    listener: TcpListener,
    config: Config,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("could not read the own address")?;
    let scaler = grpc::listen(config.grpc).await?;
    let app = Arc::new(prepare::app(config, address, shutdown.clone()).await?);
    alerting::listen(&app);
    tasks::spawn(&app);
    tracing::info!(%address, stack = app.stack.name, "server listens");

    let (served, ()) = tokio::join!(http::serve(listener, &app, GRACE), grpc::serve(scaler, &app));
    let stopped = app.supervisor.shut_down(Duration::from_secs(1)).await;
    if !stopped.all_ended() {
        tracing::warn!(left = stopped.left.join(", "), "tasks were dropped");
    }
    // A store that is away must not keep the server.
    let _ = tokio::time::timeout(LEAVE, prepare::leave(&app)).await;
    served
}
