//! The InsightDesk API: sign-in, tickets and their messages, over JSON and HTTP.
//!
//! Writes go to the primary, reads to the replica once it has replayed what the reader wrote. What happened is told to the queues
//! through an outbox, so that no job is lost while Valkey is away. It never mails and never speaks to a socket.
//!
//! To add a route: a handler in `http/`, its SQL in `store/`.

mod app;
mod config;
mod http;
mod seed;
mod store;
mod tasks;

use std::time::Duration;

use anyhow::Context;
use ops_program::database::{self, Schema};
use ops_program::health::Health;
use ops_program::{Program, listen, valkey};
use ops_tasks::Supervisor;
use tokio_util::sync::CancellationToken;

use crate::app::App;
pub use crate::config::{Config, RateLimit};
pub use crate::seed::{PASSWORD, seed};

/// How long requests in flight may take once we were told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until told to stop, then drains.
pub async fn serve(config: Config, program: Program) -> anyhow::Result<()> {
    // First of all: a port in use must end the program before it has done anything.
    let listener =
        listen::bind(config.address).with_context(|| format!("could not listen on {}", config.address))?;
    let supervisor = Supervisor::new(CancellationToken::new());
    let (app, relayed) = App::new(&config, &program)?;
    let schema = Schema::bring_up_to_date(&supervisor, &app.primary);
    tasks::spawn(&supervisor, &app, &schema, relayed, &program.metrics)?;
    if config.seed {
        seed::when_ready(&supervisor, &app.primary, &schema);
    }

    let (primary, connection) = (app.primary.clone(), app.valkey.clone());
    let health = Health::builder(
        program.name,
        program.replica.clone(),
        program.shutdown.clone(),
        program.metrics.clone(),
    )
    .check("schema", move || schema.clone().check())
    .check("postgres", move || database::ping(primary.clone()))
    .check("valkey", move || valkey::ping(connection.clone()))
    .build();
    let router = http::router(app, &config, &program.metrics).merge(health.routes());

    tracing::info!(address = %listener.local_addr()?, "{} listens", program.name);
    let drained = listen::serve(listener, router, program.shutdown, GRACE).await;
    // The relay is let finish its pass; what it has not relayed stands in the outbox.
    let stopped = supervisor.shut_down(Duration::from_secs(3)).await;
    tracing::info!(drained, tasks_ended = stopped.all_ended(), "{} stopped", program.name);
    Ok(())
}
