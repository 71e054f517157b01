//! The adapter's way to the other replicas: Valkey's publish and subscribe, on a connection that comes back.
//!
//! The driver that comes with `socketioxide-redis` needs Valkey at start and is deaf for good once its connection is lost.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{bail, ensure};
use futures::StreamExt;
use ops_program::valkey;
use redis::aio::ConnectionManager;
use secrecy::SecretString;
use socketioxide_redis::drivers::{ChanItem, Driver, MessageStream};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The adapter's way to the other replicas.
#[derive(Clone)]
pub(crate) struct Bus(Arc<Inner>);

struct Inner {
    client: redis::Client,
    publisher: ConnectionManager,
    channels: Mutex<HashMap<String, mpsc::Sender<ChanItem>>>,
    changed: Notify,
    listening: AtomicBool,
}

impl Bus {
    /// Connects to nothing yet.
    pub(crate) fn new(url: &SecretString) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Inner {
            client: valkey::client(url)?,
            publisher: valkey::connection(url)?,
            channels: Mutex::default(),
            changed: Notify::new(),
            listening: AtomicBool::new(false),
        })))
    }

    /// Hands on what comes in, until the connection is lost.
    pub(crate) async fn listen(self, stop: CancellationToken) -> anyhow::Result<()> {
        let ended = self.listen_once(stop).await;
        self.0.listening.store(false, Ordering::Release);
        ended
    }

    /// Fails while nothing can come in.
    pub(crate) async fn check(self) -> anyhow::Result<()> {
        ensure!(self.0.listening.load(Ordering::Acquire), "not subscribed");
        Ok(())
    }

    async fn listen_once(&self, stop: CancellationToken) -> anyhow::Result<()> {
        let connect = self.0.client.get_async_pubsub();
        let (mut sink, mut messages) = tokio::time::timeout(valkey::DEADLINE, connect).await??.split();
        let mut subscribed = HashSet::new();
        loop {
            let wanted: HashSet<String> = self.channels().keys().cloned().collect();
            for channel in wanted.difference(&subscribed) {
                sink.subscribe(channel).await?;
            }
            for channel in subscribed.difference(&wanted) {
                sink.unsubscribe(channel).await?;
            }
            subscribed = wanted;
            self.0.listening.store(true, Ordering::Release);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.0.changed.notified() => {}
                message = messages.next() => match message {
                    Some(message) => self.hand_on(&message),
                    None => bail!("the connection to valkey was lost"),
                },
            }
        }
    }

    fn hand_on(&self, message: &redis::Msg) {
        let channel = message.get_channel_name();
        let Some(receiver) = self.channels().get(channel).cloned() else { return };
        if receiver.try_send((channel.to_owned(), message.get_payload_bytes().to_vec())).is_err() {
            warn!("a message of another replica was dropped: too many at once");
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<ChanItem>>> {
        self.0.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver for Bus {
    type Error = Infallible;

    /// Never fails: the sockets of this replica must hear what the others cannot be told.
    async fn publish(&self, channel: String, message: Vec<u8>) -> Result<(), Infallible> {
        let mut publisher = self.0.publisher.clone();
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(message);
        let sent = tokio::time::timeout(valkey::DEADLINE, publish.query_async::<()>(&mut publisher)).await;
        if !matches!(sent, Ok(Ok(()))) {
            warn!("the other replicas were not told: valkey is away");
        }
        Ok(())
    }

    async fn subscribe(&self, channel: String, size: usize) -> Result<MessageStream<ChanItem>, Infallible> {
        let (sender, receiver) = mpsc::channel(size);
        self.channels().insert(channel, sender);
        self.0.changed.notify_one();
        Ok(MessageStream::new(receiver))
    }

    async fn unsubscribe(&self, channel: String) -> Result<(), Infallible> {
        self.channels().remove(&channel);
        self.0.changed.notify_one();
        Ok(())
    }

    async fn num_serv(&self, channel: &str) -> Result<u16, Infallible> {
        let mut publisher = self.0.publisher.clone();
        let mut count = redis::cmd("PUBSUB");
        count.arg("NUMSUB").arg(channel);
        let counted =
            tokio::time::timeout(valkey::DEADLINE, count.query_async::<(String, u16)>(&mut publisher)).await;
        // Alone, as far as anybody can tell.
        Ok(counted.ok().and_then(Result::ok).map_or(1, |(_, count)| count))
    }
}
