//! All SQL. One file per table; functions take a connection and contract types, and return contract types.
//!
//! SQLite and PostgreSQL run the same text (see `migrations/`). Knows no HTTP and decides nothing.
//!
//! To add a table: a migration, a file here, and its rows in `prune` if it grows.

pub(crate) mod actions;
pub(crate) mod agents;
pub(crate) mod alert_groups;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod audit_tails;
pub(crate) mod changes;
pub(crate) mod decisions;
pub(crate) mod deliveries;
pub(crate) mod departures;
pub(crate) mod exits;
pub(crate) mod findings;
pub(crate) mod heartbeats;
pub(crate) mod inbox;
pub(crate) mod incidents;
pub(crate) mod leases;
pub(crate) mod links;
pub(crate) mod meta;
pub(crate) mod notifications;
pub(crate) mod operators;
pub(crate) mod postgres_roles;
pub(crate) mod queue_commands;
pub(crate) mod rolling;
pub(crate) mod rule_files;
pub(crate) mod scaling;
pub(crate) mod secret_handouts;
pub(crate) mod secret_prints;
pub(crate) mod secret_requests;
pub(crate) mod secret_rotations;
pub(crate) mod services;
pub(crate) mod sessions;
pub(crate) mod silences;
pub(crate) mod slots;
#[cfg(test)]
mod tests;

use std::sync::Once;
use std::time::Duration;

use anyhow::Context;
use ops_contract::{ReplicaId, ServiceName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Executor, Transaction};

/// What a store operation ends in.
pub(crate) type Result<T> = std::result::Result<T, sqlx::Error>;

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pool: AnyPool,
    /// Several servers may share the database.
    pub(crate) shared: bool,
}

impl Store {
    /// Connects to `sqlite://…` or `postgres://…` and brings the tables up to date.
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let sqlite = url.starts_with("sqlite:");
        let url = match sqlite && !url.contains("mode=") {
            true if url.contains('?') => format!("{url}&mode=rwc"),
            true => format!("{url}?mode=rwc"),
            false => url.to_owned(),
        };
        let pool = AnyPoolOptions::new()
            .max_connections(if sqlite { 2 } else { 5 })
            .acquire_timeout(Duration::from_secs(3))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        connection.execute("PRAGMA busy_timeout = 5000").await?;
                        connection.execute("PRAGMA journal_mode = WAL").await?;
                        connection.execute("PRAGMA synchronous = FULL").await?;
                    } else {
                        // A statement that hangs must not hold a request for ever.
                        connection.execute("SET statement_timeout = 10000").await?;
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await
            .context("could not open the store")?;
        migrate(&pool, sqlite).await.context("could not migrate the store")?;
        Ok(Self { pool, shared: !sqlite })
    }

    /// A connection for single statements.
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Any>> {
        self.pool.acquire().await
    }

    /// A transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>> {
        // SQLite refuses to turn a reading transaction into a writing one while another writes; so it writes from
        // the start and waits its turn.
        if self.shared { self.pool.begin().await } else { self.pool.begin_with("BEGIN IMMEDIATE").await }
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// sqlx locks the migrations of PostgreSQL against another server's; those of SQLite it does not: one of two that start
/// at once finds a table that the other has just made. Each is a transaction, so that trying again goes on behind it.
async fn migrate(pool: &AnyPool, sqlite: bool) -> std::result::Result<(), MigrateError> {
    const TRIES: usize = 20;
    let migrations = sqlx::migrate!("../migrations");
    if sqlite {
        for _ in 1..TRIES {
            match migrations.run(pool).await {
                Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) => {}
                done => return done,
            }
        }
    }
    migrations.run(pool).await
}

/// An enum as the wire writes it: `gave_up`.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(sqlx::Error::Encode(format!("{other} is not a word").into())),
        Err(error) => Err(sqlx::Error::Encode(error.into())),
    }
}

/// The enum of a word.
pub(crate) fn from_word<T: DeserializeOwned>(word: String) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn replica(service: String, slot: i64) -> Result<ReplicaId> {
    Ok(ReplicaId { service: ServiceName(service), slot: small(slot)? })
}

fn small(number: i64) -> Result<u16> {
    u16::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}
