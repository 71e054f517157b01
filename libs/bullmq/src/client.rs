//! The connection to the server that holds the queues.
//!
//! One client serves any number of queues and workers and is cheap to clone. It reconnects by itself; a call made while the
//! server is away fails after a deadline and may be made again. It never logs the address, which may hold a password.

use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, FromRedisValue, ScriptInvocation,
    aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection},
};

use crate::{Error, scripts::Scripts};

/// The prefix that npm `bullmq` uses unless told otherwise.
pub const DEFAULT_PREFIX: &str = "bull";

/// How long a call may take in all, reconnecting included.
const DEADLINE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);

/// The connection to the server that holds the queues.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    redis: redis::Client,
    manager: ConnectionManager,
    prefix: String,
    scripts: Scripts,
}

impl Client {
    /// Connects, and fails when the server does not answer within a deadline.
    pub async fn connect(url: &str, prefix: &str) -> Result<Self, Error> {
        let client = Self::lazy(url, prefix)?;
        client.ping().await?;
        Ok(client)
    }

    /// Connects at the first call, so that a program can start while the server is away. Needs a tokio runtime.
    pub fn lazy(url: &str, prefix: &str) -> Result<Self, Error> {
        let address = with_known_scheme(url);
        if address.starts_with("rediss:") && rustls::crypto::CryptoProvider::get_default().is_none() {
            // Without one the first connection would panic. Losing the race to another installer is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let redis = redis::Client::open(address).map_err(Error::Address)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(DEADLINE))
            .set_number_of_retries(4)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(1000));
        let manager = redis.get_connection_manager_lazy(config)?;
        let inner = Inner { redis, manager, prefix: prefix.to_owned(), scripts: Scripts::new() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Asks the server for a sign of life.
    pub async fn ping(&self) -> Result<(), Error> {
        let mut connection = self.inner.manager.clone();
        within(redis::cmd("PING").query_async(&mut connection)).await
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    pub(crate) fn scripts(&self) -> &Scripts {
        &self.inner.scripts
    }

    pub(crate) async fn run<T: FromRedisValue>(&self, invocation: &ScriptInvocation<'_>) -> Result<T, Error> {
        let mut connection = self.inner.manager.clone();
        within(invocation.invoke_async(&mut connection)).await
    }

    pub(crate) async fn pipe<T: FromRedisValue>(&self, pipeline: &redis::Pipeline) -> Result<T, Error> {
        let mut connection = self.inner.manager.clone();
        within(pipeline.query_async(&mut connection)).await
    }

    /// A connection of its own for a call that blocks on the server for up to `longest`.
    pub(crate) async fn blocking(&self, longest: Duration) -> Result<MultiplexedConnection, Error> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(longest + CONNECT));
        within(self.inner.redis.get_multiplexed_async_connection_with_config(&config)).await
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("prefix", &self.inner.prefix).finish_non_exhaustive()
    }
}

async fn within<T>(call: impl Future<Output = redis::RedisResult<T>>) -> Result<T, Error> {
    match tokio::time::timeout(DEADLINE, call).await {
        Ok(answer) => answer.map_err(Error::Server),
        Err(_) => Err(Error::Timeout),
    }
}

/// `valkey://` is `redis://` by another name.
fn with_known_scheme(url: &str) -> String {
    match url.trim().split_once("://") {
        Some(("valkey", rest)) => format!("redis://{rest}"),
        Some(("valkeys", rest)) => format!("rediss://{rest}"),
        _ => url.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn valkey_urls_are_redis_urls_and_rubbish_is_refused_without_repeating_it() {
        for url in [
            "redis://127.0.0.1:1/2",
            "valkey://:pass@127.0.0.1:1",
            "valkeys://cache.example:6379",
            "rediss://cache.example",
        ] {
            assert!(Client::lazy(url, DEFAULT_PREFIX).is_ok(), "{url}");
        }
        for url in ["", "http://secret@example", "valkey:/secret", "secret"] {
            let error = Client::lazy(url, DEFAULT_PREFIX).expect_err("no address of a queue");
            assert!(!format!("{error} {error:?}").contains("secret"), "{url}");
        }
    }
}
