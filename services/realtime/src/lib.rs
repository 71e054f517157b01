//! The InsightDesk realtime server: live ticket events and presence over Socket.IO.
//!
//! What workers publish is emitted to this replica's own sockets; what sockets tell each other goes through the adapter to every
//! replica. It writes nothing but presence, and reads the database only to see who may look at a ticket.
//!
//! To add a client event: a handler in `sockets.rs`, a line in its `connected`.

mod app;
mod bus;
mod config;
mod events;
mod presence;
mod sockets;
mod store;

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use ops_program::health::Health;
use ops_program::{Program, listen, valkey};
use ops_tasks::{Activator, Backoff, Supervisor};
use ops_telemetry::http::RequestLayer;
use socketioxide::SocketIo;
use socketioxide::handler::ConnectHandler;
use socketioxide_redis::{RedisAdapterConfig, RedisAdapterCtr};
use tokio_util::sync::CancellationToken;

use crate::app::{Adapter, App};
use crate::bus::Bus;
pub use crate::config::Config;

/// How long connections may take to close once we were told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How soon a connection to Valkey is made again.
const RECONNECT: Backoff = Backoff { first: Duration::from_millis(100), max: Duration::from_secs(1) };

/// The largest message a client may send. What clients say is short.
const MOST_BYTES: usize = 64 << 10;

/// Serves until told to stop, then lets every client go to another replica.
pub async fn serve(config: Config, program: Program) -> anyhow::Result<()> {
    // First of all: a port in use must end the program before it has done anything.
    let listener =
        listen::bind(config.address).with_context(|| format!("could not listen on {}", config.address))?;
    let supervisor = Supervisor::new(CancellationToken::new());
    let app = App::new(&config, &program)?;
    let bus = Bus::new(&config.valkey)?;
    let adapter = RedisAdapterCtr::new_with_driver(
        bus.clone(),
        RedisAdapterConfig::new().with_prefix("insightdesk:socket.io"),
    );
    let (layer, io) = SocketIo::builder()
        .ping_interval(Duration::from_secs(25))
        .ping_timeout(Duration::from_secs(60))
        .max_payload(MOST_BYTES as u64)
        .ws_max_message_size(MOST_BYTES)
        .ws_max_frame_size(MOST_BYTES)
        .connect_timeout(Duration::from_secs(10))
        .with_state(app.clone())
        .with_adapter::<Adapter>(adapter)
        .build_layer();
    io.ns("/", sockets::connected.with(sockets::admit)).await.context("could not open the namespace")?;

    let listening = bus.clone();
    supervisor.spawn_service("bus", RECONNECT, move |stop| listening.clone().listen(stop));
    let reader = events::Reader::new(&config.valkey, io.clone())?;
    let reading = reader.clone();
    supervisor.spawn_service("events", RECONNECT, move |stop| reading.clone().read(stop));
    supervisor.spawn(presence::Refresh::new(app.clone()), presence::REFRESHED, &Activator::default());

    let connection = app.valkey.clone();
    let health = Health::builder(
        program.name,
        program.replica.clone(),
        program.shutdown.clone(),
        program.metrics.clone(),
    )
    .check("valkey", move || valkey::ping(connection.clone()))
    .check("bus", move || bus.clone().check())
    .check("events", move || reader.clone().check())
    .build();
    // Inside the socket layer: a long poll that waits for news is no slow request.
    let router = Router::new()
        .fallback(sockets::nothing_here)
        .layer(RequestLayer::new(&program.metrics, "insightdesk"));
    let router = router.layer(layer).merge(health.routes());

    tracing::info!(address = %listener.local_addr()?, "{} listens", program.name);
    let served = tokio::spawn(listen::serve(listener, router, program.shutdown.clone(), GRACE));
    program.shutdown.cancelled().await;
    // Closing the transport, not the namespace, is what makes clients connect again by themselves, each after a random wait.
    let closed = tokio::time::timeout(GRACE, io.close()).await.is_ok();
    let drained = served.await?;
    app.presence.leave_all().await;
    let stopped = supervisor.shut_down(Duration::from_secs(2)).await;
    tracing::info!(closed, drained, tasks_ended = stopped.all_ended(), "{} stopped", program.name);
    Ok(())
}
