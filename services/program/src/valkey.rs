//! Connections to Valkey that are made when first used and made again by themselves.

use std::time::Duration;

use anyhow::Context;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use secrecy::{ExposeSecret, SecretString};

/// How long one command may take. A request waits for it, so it is short.
pub const DEADLINE: Duration = Duration::from_millis(800);

/// Reads an address. What is wrong with it is said without repeating it: it may hold a password.
pub fn client(url: &SecretString) -> anyhow::Result<redis::Client> {
    redis::Client::open(url.expose_secret())
        .ok()
        .context("the valkey address is not a valkey:// or redis:// url")
}

/// How a shared connection behaves: one attempt to reconnect per command, since somebody waits for each.
pub fn config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_connection_timeout(Some(DEADLINE))
        .set_response_timeout(Some(DEADLINE))
        .set_number_of_retries(1)
        .set_min_delay(Duration::from_millis(50))
}

/// A connection that the whole program shares. Needs a tokio runtime; the server may be away.
pub fn connection(url: &SecretString) -> anyhow::Result<ConnectionManager> {
    Ok(client(url)?.get_connection_manager_lazy(config())?)
}

/// Asks for a sign of life.
pub async fn ping(mut connection: ConnectionManager) -> anyhow::Result<()> {
    let ping = redis::cmd("PING");
    tokio::time::timeout(DEADLINE, ping.query_async::<()>(&mut connection)).await??;
    Ok(())
}
