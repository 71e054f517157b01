//! What the API is told, read from the environment once.

use std::net::SocketAddr;
use std::time::Duration;

use ops_program::database::DatabaseConfig;
use ops_program::start;
use ops_settings::{Environment, Settings};
use secrecy::{ExposeSecret, SecretString};

/// What the API is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub address: SocketAddr,
    /// Where to write.
    pub primary: DatabaseConfig,
    /// Where to read, if elsewhere.
    pub replica: Option<DatabaseConfig>,
    /// Rate limits and write positions.
    pub valkey: SecretString,
    /// The queues.
    pub queue_valkey: SecretString,
    /// Signs access tokens.
    pub access_secret: SecretString,
    /// Access tokens signed with it are good too.
    pub previous_access_secret: Option<SecretString>,
    /// How long an access token is valid.
    pub access_lifetime: Duration,
    /// Signs refresh tokens.
    pub refresh_secret: SecretString,
    /// Refresh tokens signed with it are good too.
    pub previous_refresh_secret: Option<SecretString>,
    /// How long a refresh token is valid.
    pub refresh_lifetime: Duration,
    /// Requests per window and address; absent: no limit.
    pub rate_limit: Option<RateLimit>,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// Whether to bring development data into the database.
    pub seed: bool,
}

/// Requests per window and address.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// The window.
    pub window: Duration,
    /// The most requests in it.
    pub max_requests: u32,
}

impl Config {
    /// Reads it from the environment. Development data is refused where it would be live.
    pub fn from_settings(settings: &Settings, seed: bool) -> anyhow::Result<Self> {
        let seed = seed || start::seed_requested();
        anyhow::ensure!(
            !(seed && settings.application.environment == Environment::Production),
            "development data is not for production: unset SEED"
        );
        let database = |url: &SecretString| DatabaseConfig {
            url: url.clone(),
            pool_max: settings.database.pool_max,
            timeout: settings.database.timeout,
        };
        let limit = settings.rate_limit;
        Ok(Self {
            address: start::address(settings)?,
            primary: database(&settings.database.url),
            replica: settings.database.replica_urls.first().map(database),
            valkey: settings.valkey.session_url.clone(),
            queue_valkey: settings.valkey.queue_url.clone(),
            access_secret: settings.auth.secret.clone(),
            previous_access_secret: settings.auth.previous_secret.clone(),
            access_lifetime: settings.auth.expires_in,
            refresh_secret: settings.auth.refresh_secret.clone(),
            previous_refresh_secret: settings.auth.previous_refresh_secret.clone(),
            refresh_lifetime: settings.auth.refresh_expires_in,
            rate_limit: (limit.max_requests > 0)
                .then_some(RateLimit { window: limit.window, max_requests: limit.max_requests }),
            cors_origins: settings.cors_origins.clone(),
            seed,
        })
    }

    pub(crate) fn queues(&self) -> anyhow::Result<ops_bullmq::Client> {
        Ok(ops_bullmq::Client::lazy(self.queue_valkey.expose_secret(), ops_bullmq::DEFAULT_PREFIX)?)
    }
}
