//! PostgreSQL: pools that connect when first used, and the schema.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use ops_tasks::{Backoff, Supervisor};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

/// How long a request waits for a connection. Longer, and the client is gone.
const ACQUIRE: Duration = Duration::from_secs(3);

/// A connection that was idle for longer is asked whether it still works before it is used.
const TRUSTED: Duration = Duration::from_secs(1);

/// One database, primary or replica.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// The address.
    pub url: SecretString,
    /// The most connections.
    pub pool_max: u32,
    /// The longest that one statement may take.
    pub timeout: Duration,
}

/// A pool that connects when first used; the server may be away.
pub fn pool(config: &DatabaseConfig, name: &'static str) -> anyhow::Result<PgPool> {
    // The parse error may repeat the address, which holds a password.
    let options = PgConnectOptions::from_str(config.url.expose_secret())
        .ok()
        .context("the database address is not a postgresql:// url")?;
    let options = options
        .application_name(name)
        .options([("statement_timeout", config.timeout.as_millis().to_string())])
        .log_statements("trace".parse()?)
        .log_slow_statements("warn".parse()?, Duration::from_secs(1));
    let pool = PgPoolOptions::new()
        .min_connections(0)
        .max_connections(config.pool_max.max(1))
        .acquire_timeout(ACQUIRE)
        .idle_timeout(Duration::from_secs(300))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < TRUSTED || connection.ping().await.is_ok()) })
        });
    Ok(pool.connect_lazy_with(options))
}

/// Asks for a sign of life.
pub async fn ping(pool: PgPool) -> anyhow::Result<()> {
    sqlx::query("SELECT 1").execute(&pool).await?;
    Ok(())
}

/// Whether the schema is in place.
#[derive(Clone, Debug, Default)]
pub struct Schema(Arc<AtomicBool>);

impl Schema {
    /// Brings the schema up to date in the background, as often as it takes. Programs that start at once wait for each other.
    pub fn bring_up_to_date(supervisor: &Supervisor, pool: &PgPool) -> Self {
        let schema = Self::default();
        let (pool, done) = (pool.clone(), schema.clone());
        let backoff = Backoff { first: Duration::from_millis(100), max: Duration::from_secs(2) };
        supervisor.spawn_service("schema", backoff, move |_stop| {
            let (pool, done) = (pool.clone(), done.clone());
            async move {
                sqlx::migrate!("../api/migrations")
                    .run(&pool)
                    .await
                    .context("could not bring the schema up to date")?;
                done.0.store(true, Ordering::Release);
                Ok(())
            }
        });
        schema
    }

    /// Fails while the schema is not in place.
    pub async fn check(self) -> anyhow::Result<()> {
        ensure!(self.0.load(Ordering::Acquire), "the schema is not in place yet");
        Ok(())
    }
}
