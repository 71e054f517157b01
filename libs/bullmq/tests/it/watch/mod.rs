//! The watch against real servers, with npm's producers and workers.

mod cost;
mod counting;
mod finding;
mod time;

use std::time::Duration;

use ops_bullmq::watch::{Look, Sample, Watch};
use redis::aio::MultiplexedConnection;

use crate::support::Server;

const QUEUE: &str = "watched";

/// A watch with the connection that it looks through.
struct Eye {
    watch: Watch,
    connection: MultiplexedConnection,
}

impl Eye {
    /// Has looked once.
    async fn on(server: &Server) -> Self {
        let mut eye =
            Self { watch: Watch::new("bull", [QUEUE.to_owned()]), connection: connection(server).await };
        eye.look().await;
        eye
    }

    async fn look(&mut self) -> Look {
        self.watch.look(&mut self.connection).await.expect("the server answers")
    }

    /// The watched queue.
    async fn see(&mut self) -> Sample {
        self.look().await.queues.remove(QUEUE).expect("it is named")
    }

    /// Looks until the queue is as it should be.
    async fn until(&mut self, what: &str, is: impl Fn(&Sample) -> bool) -> Sample {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let sample = self.see().await;
            if is(&sample) {
                return sample;
            }
            assert!(tokio::time::Instant::now() < deadline, "did not come about: {what}; {sample:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn connection(server: &Server) -> MultiplexedConnection {
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", server.port)).expect("an address");
    client.get_multiplexed_async_connection().await.expect("it listens")
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
