//! What every socket shares.

use std::sync::Arc;

use ops_program::tokens::Tokens;
use ops_program::{Program, database, valkey};
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;
use redis::aio::ConnectionManager;
use socketioxide::adapter::Emitter;
use socketioxide_redis::CustomRedisAdapter;
use sqlx::PgPool;

use crate::Config;
use crate::bus::Bus;
use crate::presence::Presence;

/// The adapter between replicas.
pub(crate) type Adapter = CustomRedisAdapter<Emitter, Bus>;

/// A socket of this replica.
pub(crate) type Socket = socketioxide::extract::SocketRef<Adapter>;

/// What every socket shares.
pub(crate) struct App {
    pub(crate) tokens: Tokens,
    pub(crate) database: PgPool,
    pub(crate) valkey: ConnectionManager,
    pub(crate) presence: Presence,
    pub(crate) connections: Gauge,
    pub(crate) most_sockets: usize,
}

impl App {
    /// Connects to nothing yet.
    pub(crate) fn new(config: &Config, program: &Program) -> anyhow::Result<Arc<Self>> {
        let connections = Gauge::default();
        program.metrics.with(|registry| {
            registry.register(
                "insightdesk_websocket_connections",
                "Sockets of this replica",
                connections.clone(),
            );
        });
        let valkey = valkey::connection(&config.valkey)?;
        Ok(Arc::new(Self {
            tokens: Tokens::new(&config.access_secret, config.access_lifetime)
                .also(config.previous_access_secret.as_ref()),
            database: database::pool(&config.database, program.name)?,
            presence: Presence::new(valkey.clone()),
            valkey,
            connections,
            most_sockets: config.most_sockets,
        }))
    }
}
