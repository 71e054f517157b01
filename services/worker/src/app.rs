//! What every handler shares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Context;
use ops_bullmq::{Client, DEFAULT_PREFIX, JobOptions, NewJob, Queue};
use ops_program::events::{self, Event};
use ops_program::{Program, database, jobs, valkey};
use ops_telemetry::propagation;
use redis::aio::ConnectionManager;
use secrecy::ExposeSecret;
use serde::Serialize;
use sqlx::PgPool;

use crate::Config;
use crate::mail::Mailer;
use crate::metrics::Durations;

/// What every handler shares.
pub(crate) struct App {
    pub(crate) database: PgPool,
    pub(crate) valkey: ConnectionManager,
    pub(crate) client: Client,
    pub(crate) mailer: Mailer,
    pub(crate) durations: Durations,
    /// Jobs that are worked on now, of all queues.
    pub(crate) in_progress: Arc<AtomicU64>,
    pub(crate) name: String,
    pub(crate) app_url: String,
    queues: BTreeMap<&'static str, Queue>,
}

impl App {
    /// Connects to nothing yet.
    pub(crate) fn new(config: &Config, program: &Program) -> anyhow::Result<Arc<Self>> {
        let client = Client::lazy(config.queue_valkey.expose_secret(), DEFAULT_PREFIX)?;
        let queues = jobs::QUEUES.into_iter().map(|name| Ok((name, Queue::new(&client, name)?)));
        Ok(Arc::new(Self {
            database: database::pool(&config.database, program.name)?,
            valkey: valkey::connection(&config.valkey)?,
            queues: queues.collect::<anyhow::Result<_>>()?,
            client,
            mailer: Mailer::new(config)?,
            durations: Durations::new(&program.metrics),
            in_progress: Arc::default(),
            name: program.replica.clone(),
            app_url: config.app_url.clone(),
        }))
    }

    pub(crate) fn queue(&self, name: &str) -> anyhow::Result<&Queue> {
        self.queues.get(name).with_context(|| format!("there is no queue {name}"))
    }

    /// Adds a job whose id is `id`: added again, it is added once.
    pub(crate) async fn follow_up(
        &self,
        queue: &'static str,
        name: &str,
        id: String,
        data: impl Serialize,
    ) -> anyhow::Result<()> {
        let options =
            JobOptions { job_id: Some(id), telemetry: propagation::to_job(), ..jobs::options(queue) };
        self.queue(queue)?.add_bulk([NewJob::new(name, data, options)?]).await?;
        Ok(())
    }

    /// Tells the sockets, once for each id.
    pub(crate) async fn publish(
        &self,
        id: String,
        name: &str,
        rooms: Vec<String>,
        data: serde_json::Value,
    ) -> anyhow::Result<()> {
        let event = Event { id, name: name.to_owned(), rooms, data, trace: propagation::to_job() };
        let mut connection = self.valkey.clone();
        events::publish(&mut connection, &event).await.context("could not publish the event")?;
        Ok(())
    }
}
