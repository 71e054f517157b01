//! Tells the queues what happened.
//!
//! Entries come two ways: from the handler that wrote them, at once and through memory; and from the outbox, when they have stood
//! there for two seconds because Valkey was away or a program was killed. A job's id comes from its entry, so both ways may meet.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use ops_bullmq::{Client, NewJob, Queue};
use ops_program::database::Schema;
use ops_program::jobs;
use ops_tasks::Task;
use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

use crate::store::outbox::{self, Entry};

/// How many entries go out together.
const BATCH: usize = 256;

/// How long one batch may take. Valkey being away must not hold up the pass for long.
const DEADLINE: Duration = Duration::from_secs(2);

/// How often the outbox is looked through for what was left behind.
const SWEEP: Duration = Duration::from_secs(2);

pub(crate) struct Relay {
    queues: BTreeMap<&'static str, Queue>,
    primary: PgPool,
    schema: Schema,
    fresh: mpsc::Receiver<Entry>,
    swept: Option<Instant>,
}

#[derive(Default, Serialize)]
pub(crate) struct Relayed {
    fresh: usize,
    overdue: usize,
}

impl Relay {
    pub(crate) fn new(
        client: &Client,
        primary: PgPool,
        schema: Schema,
        fresh: mpsc::Receiver<Entry>,
    ) -> anyhow::Result<Self> {
        let names = [jobs::NOTIFICATION, jobs::SLA_CHECK, jobs::ANALYTICS];
        let queues = names.into_iter().map(|name| Ok((name, Queue::new(client, name)?)));
        Ok(Self { queues: queues.collect::<anyhow::Result<_>>()?, primary, schema, fresh, swept: None })
    }

    async fn fresh(&mut self) -> anyhow::Result<usize> {
        let mut relayed = 0;
        let mut batch = Vec::with_capacity(16);
        while !self.fresh.is_empty() {
            self.fresh.recv_many(&mut batch, BATCH).await;
            self.add(&batch).await?;
            let ids: Vec<Uuid> = batch.iter().map(|entry| entry.id).collect();
            outbox::delete(&self.primary, &ids).await?;
            relayed += batch.len();
            batch.clear();
        }
        Ok(relayed)
    }

    async fn overdue(&mut self) -> anyhow::Result<usize> {
        if self.swept.is_some_and(|at| at.elapsed() < SWEEP / 2) {
            return Ok(0);
        }
        if self.schema.clone().check().await.is_err() {
            // Readiness says so; there is no outbox to look through yet.
            return Ok(0);
        }
        self.swept = Some(Instant::now());
        let mut transaction = self.primary.begin().await?;
        let entries = outbox::take_overdue(&mut transaction).await?;
        // Rolled back when Valkey does not take them.
        self.add(&entries).await?;
        transaction.commit().await?;
        Ok(entries.len())
    }

    async fn add(&self, entries: &[Entry]) -> anyhow::Result<()> {
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let mut by_queue: BTreeMap<&'static str, Vec<NewJob>> = BTreeMap::new();
        for entry in entries {
            for (queue, job) in entry.jobs(now_ms)? {
                by_queue.entry(queue).or_default().push(job);
            }
        }
        let adds = by_queue.into_iter().map(async |(name, jobs)| match self.queues.get(name) {
            Some(queue) => queue.add_bulk(jobs).await.map(drop),
            None => Err(ops_bullmq::Error::QueueName),
        });
        let all = futures::future::try_join_all(adds);
        tokio::time::timeout(DEADLINE, all).await.context("valkey did not take the jobs in time")??;
        Ok(())
    }
}

impl Task for Relay {
    const NAME: &'static str = "relay";
    type Report = Relayed;

    async fn run(&mut self) -> anyhow::Result<Relayed> {
        let fresh = self.fresh().await?;
        let overdue = self.overdue().await?;
        Ok(Relayed { fresh, overdue })
    }
}
