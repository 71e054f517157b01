//! Emits what workers publish to the sockets of this replica.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;
use ops_program::events::{Event, STREAM};
use ops_program::valkey;
use ops_telemetry::propagation;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamRangeReply, StreamReadOptions, StreamReadReply};
use secrecy::SecretString;
use socketioxide::SocketIo;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span, warn};

use crate::app::Adapter;

/// How long one read waits for something to happen.
const WAIT: Duration = Duration::from_secs(5);

/// How many events are read at once.
const BATCH: usize = 100;

/// Reads the stream from where it stopped, over any number of connections.
#[derive(Clone)]
pub(crate) struct Reader(Arc<Inner>);

struct Inner {
    client: redis::Client,
    io: SocketIo<Adapter>,
    last: Mutex<Option<String>>,
    reading: AtomicBool,
}

impl Reader {
    /// Connects to nothing yet.
    pub(crate) fn new(url: &SecretString, io: SocketIo<Adapter>) -> anyhow::Result<Self> {
        let client = valkey::client(url)?;
        Ok(Self(Arc::new(Inner { client, io, last: Mutex::default(), reading: AtomicBool::new(false) })))
    }

    /// Emits what comes, until the connection is lost.
    pub(crate) async fn read(self, stop: CancellationToken) -> anyhow::Result<()> {
        let ended = self.read_on(&stop).await;
        self.0.reading.store(false, Ordering::Release);
        ended
    }

    /// Fails while nothing can come in.
    pub(crate) async fn check(self) -> anyhow::Result<()> {
        ensure!(self.0.reading.load(Ordering::Acquire), "not reading events");
        Ok(())
    }

    async fn read_on(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(valkey::DEADLINE))
            .set_response_timeout(Some(WAIT * 2));
        let mut connection = self.0.client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut last = self.start(&mut connection).await?;
        self.0.reading.store(true, Ordering::Release);
        let options = StreamReadOptions::default().count(BATCH).block(usize::try_from(WAIT.as_millis())?);
        loop {
            let after = [last.as_str()];
            let read = connection.xread_options::<_, _, Option<StreamReadReply>>(&[STREAM], &after, &options);
            let reply = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                reply = read => reply?,
            };
            for entry in reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids) {
                // Passed before it is emitted: an event that cannot be read must not be read for ever.
                last.clone_from(&entry.id);
                self.remember(&last);
                match entry.get::<String>("event").and_then(|text| serde_json::from_str(&text).ok()) {
                    Some(event) => self.emit(event).await,
                    None => warn!("an event could not be read"),
                }
            }
        }
    }

    /// The last entry that was read, or the newest there is: what happened before we came is nobody's news.
    async fn start(&self, connection: &mut MultiplexedConnection) -> redis::RedisResult<String> {
        if let Some(last) = self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(last);
        }
        let newest: StreamRangeReply = connection.xrevrange_count(STREAM, "+", "-", 1).await?;
        let last = newest.ids.into_iter().next().map_or_else(|| "0-0".to_owned(), |entry| entry.id);
        self.remember(&last);
        Ok(last)
    }

    fn remember(&self, last: &str) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last.to_owned());
    }

    async fn emit(&self, event: Event) {
        let span =
            info_span!("emit event", otel.kind = "consumer", event.name = %event.name, event.id = %event.id);
        if let Some(carrier) = &event.trace {
            propagation::set_parent(&span, propagation::from_job(carrier));
        }
        let emit = async {
            // Every replica reads the stream for itself.
            if let Err(error) = self.0.io.local().to(event.rooms).emit(event.name, &event.data).await {
                warn!(error = %error, "an event did not reach every socket");
            }
        };
        emit.instrument(span).await;
    }
}
