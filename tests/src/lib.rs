//! What the end-to-end scenarios stand on: a whole stack on free ports, started by the real binary as an
//! operator would, and the clients that use it.
//!
//! Nothing here knows how the parts work inside: it runs programs, reads their output and talks HTTP.

pub mod moto;
pub mod node;
pub mod openbao;
mod peers;
pub mod program;
pub mod receiver;
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

/// A port of 127.0.0.1 that nobody listens on, and the next one too. Below the ports that the kernel gives to
/// connections, so that none of them takes it meanwhile.
pub fn free_ports() -> anyhow::Result<u16> {
    let is_free = |port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..1_000 {
        let port = 12_000 + (uuid::Uuid::new_v4().as_u128() % 20_000) as u16;
        if is_free(port) && is_free(port + 1) {
            return Ok(port);
        }
    }
    anyhow::bail!("found no free port")
}

/// A port of 127.0.0.1 that nobody listens on.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
