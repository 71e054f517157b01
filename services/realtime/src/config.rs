//! What the realtime server is told, read from the environment once.

use std::net::SocketAddr;
use std::time::Duration;

use ops_program::database::DatabaseConfig;
use ops_program::start;
use ops_settings::Settings;
use secrecy::SecretString;

/// The most sockets of one replica.
const MOST_SOCKETS: usize = 10_000;

/// What the realtime server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub address: SocketAddr,
    /// Where tickets are looked up.
    pub database: DatabaseConfig,
    /// Events, presence and the adapter.
    pub valkey: SecretString,
    /// Signs access tokens.
    pub access_secret: SecretString,
    /// Access tokens signed with it are good too.
    pub previous_access_secret: Option<SecretString>,
    /// How long an access token is valid.
    pub access_lifetime: Duration,
    /// The most sockets.
    pub most_sockets: usize,
}

impl Config {
    /// Reads it from the environment.
    pub fn from_settings(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            address: start::address(settings)?,
            database: DatabaseConfig {
                url: settings.database.url.clone(),
                // Only joins ask, so few connections do.
                pool_max: settings.database.pool_max.min(4),
                timeout: settings.database.timeout,
            },
            valkey: settings.valkey.url.clone(),
            access_secret: settings.auth.secret.clone(),
            previous_access_secret: settings.auth.previous_secret.clone(),
            access_lifetime: settings.auth.expires_in,
            most_sockets: MOST_SOCKETS,
        })
    }
}
