//! What the end-to-end scenarios stand on: a whole stack on free ports, started by the real binary as an
//! operator would, and the clients that use it.
//!
//! Nothing here knows how the parts work inside: it runs programs, reads their output and talks HTTP.

pub mod node;
pub mod program;
pub mod stores;
pub mod system;

use std::time::Duration;

pub use system::System;

/// Polls until `probe` answers, for at most `limit`.
pub async fn eventually<T>(limit: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        if let Some(answer) = probe().await {
            return Some(answer);
        }
        if tokio::time::Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A port of 127.0.0.1 that nobody listens on.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
