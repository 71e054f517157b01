//! The InsightDesk worker: runs the background jobs of every queue.
//!
//! What a job does is done once, however often the job runs: effects that cannot be undone are rows in PostgreSQL, events are published
//! under an id. It serves no product route, only its health.
//!
//! To add a kind of job: its data in `ops_program::jobs`, a file in `handlers/`, an arm in `handlers::run`.

mod app;
mod config;
mod handlers;
mod mail;
mod metrics;
mod queues;
mod schedules;
mod store;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use ops_program::database::{self, Schema};
use ops_program::health::Health;
use ops_program::{Program, listen, valkey};
use ops_tasks::{Activator, Supervisor};
use tokio_util::sync::CancellationToken;

use crate::app::App;
pub use crate::config::Config;

/// How long running jobs may take once we were told to stop. What is not done by then goes back in line.
const GRACE: Duration = Duration::from_secs(20);

/// Works until told to stop, then lets running jobs end.
pub async fn serve(config: Config, program: Program) -> anyhow::Result<()> {
    // A port in use must end the program before it has taken a job.
    let listener =
        listen::bind(config.address).with_context(|| format!("could not listen on {}", config.address))?;
    let supervisor = Supervisor::new(CancellationToken::new());
    let app = App::new(&config, &program)?;
    let schema = Schema::bring_up_to_date(&supervisor, &app.database);
    let (database, connection, ready) = (app.database.clone(), app.valkey.clone(), schema.clone());
    let in_progress = Arc::clone(&app.in_progress);
    let health = Health::builder(
        program.name,
        program.replica.clone(),
        program.shutdown.clone(),
        program.metrics.clone(),
    )
    .check("schema", move || ready.clone().check())
    .check("postgres", move || database::ping(database.clone()))
    .check("valkey", move || valkey::ping(connection.clone()))
    .gauge("active_jobs", move || in_progress.load(Ordering::Relaxed))
    .build();
    // Health is answered until the last job has ended, so that nobody thinks a draining worker dead.
    let stop_health = CancellationToken::new();
    let routes = health.routes();
    let answers = tokio::spawn(listen::serve(listener, routes, stop_health.clone(), Duration::from_secs(1)));

    supervisor.spawn(schedules::Schedules::new(&app)?, Duration::from_secs(30), &Activator::default());
    supervisor.spawn(
        metrics::QueueSizes::new(&app, &program.metrics)?,
        Duration::from_secs(5),
        &Activator::default(),
    );
    // A job that met a database without tables would only fail: begin once the schema is there.
    let begun = program.shutdown.run_until_cancelled(async {
        while schema.clone().check().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    if begun.await.is_some() {
        let workers = queues::start(&app)?;
        tracing::info!("{} works", program.name);
        program.shutdown.cancelled().await;
        let closed = futures::future::join_all(workers.into_iter().map(|worker| worker.close(GRACE))).await;
        let unfinished: Vec<String> =
            closed.into_iter().flatten().map(|job| format!("{} {}", job.name, job.id)).collect();
        if !unfinished.is_empty() {
            tracing::warn!(?unfinished, "jobs went back in line unfinished");
        }
    }
    let stopped = supervisor.shut_down(Duration::from_secs(3)).await;
    stop_health.cancel();
    answers.await?;
    tracing::info!(tasks_ended = stopped.all_ended(), "{} stopped", program.name);
    Ok(())
}
