//! Serves targets, each on a port of its own, and counts what it served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::exposition::Target;

/// What was served so far, over all targets.
#[derive(Debug, Default)]
pub struct Served {
    samples: AtomicU64,
    bytes: AtomicU64,
    scrapes: AtomicU64,
}

impl Served {
    /// Samples.
    pub fn samples(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }

    /// Bytes of text.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Expositions.
    pub fn scrapes(&self) -> u64 {
        self.scrapes.load(Ordering::Relaxed)
    }
}

/// Targets that are served until this is dropped.
#[derive(Debug)]
pub struct Generator {
    served: Arc<Served>,
    _serving: JoinSet<()>,
}

impl Generator {
    /// Serves one target of `series` on each port.
    pub async fn start(ports: &[u16], seed: u64, series: usize) -> anyhow::Result<Self> {
        let served = Arc::new(Served::default());
        let mut serving = JoinSet::new();
        for (number, port) in ports.iter().enumerate() {
            let listener = TcpListener::bind(("127.0.0.1", *port))
                .await
                .with_context(|| format!("cannot serve a target on port {port}"))?;
            let target = Arc::new(Mutex::new(Target::new(seed, number as u64, series)));
            serving.spawn(listen(listener, target, Arc::clone(&served)));
        }
        Ok(Self { served, _serving: serving })
    }

    /// What was served so far.
    pub fn served(&self) -> &Served {
        &self.served
    }
}

async fn listen(listener: TcpListener, target: Arc<Mutex<Target>>, served: Arc<Served>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&target), Arc::clone(&served)));
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, which may ask many times.
async fn serve(
    mut stream: TcpStream,
    target: Arc<Mutex<Target>>,
    served: Arc<Served>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        let Some(end) = request.windows(4).position(|it| it == b"\r\n\r\n") else {
            let mut part = [0; 4_096];
            let read = stream.read(&mut part).await?;
            if read == 0 || request.len() > 65_536 {
                return Ok(());
            }
            request.extend_from_slice(part.get(..read).unwrap_or_default());
            continue;
        };
        request.drain(..end + 4);
        let (text, samples) = {
            let mut target = target.lock().await;
            (target.scrape(), target.samples())
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(text.as_bytes()).await?;
        served.samples.fetch_add(samples as u64, Ordering::Relaxed);
        served.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        served.scrapes.fetch_add(1, Ordering::Relaxed);
    }
}
