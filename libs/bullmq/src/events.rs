//! The stream of what happens in a queue, whoever does it.

use std::{collections::HashMap, time::Duration};

use redis::{aio::MultiplexedConnection, streams::StreamReadReply};

use crate::{Error, Queue};

const BLOCK: Duration = Duration::from_secs(5);
/// The most events read at once.
const AT_ONCE: usize = 500;

/// Something that happened in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The place in the stream; reading may go on from it later.
    pub id: String,
    /// What happened: `added`, `waiting`, `active`, `completed`, `failed`, `delayed`, `progress`, `stalled`,
    /// `retries-exhausted`, `removed`, `duplicated`, `drained` and whatever else npm's clients write.
    pub name: String,
    /// The job it happened to.
    pub job_id: Option<String>,
    /// All the fields as written: `returnvalue`, `failedReason`, `prev`, `delay`, `data` …
    pub fields: HashMap<String, String>,
}

/// Reads a queue's events in order, from now on or from a place in the stream.
#[derive(Debug)]
pub struct QueueEvents {
    queue: Queue,
    last: String,
    connection: Option<MultiplexedConnection>,
    read: std::collections::VecDeque<Event>,
}

impl QueueEvents {
    /// Events from now on. Asks the server where the stream ends, so nothing after this call is missed.
    pub async fn from_now(queue: &Queue) -> Result<Self, Error> {
        let mut pipe = redis::pipe();
        pipe.xrevrange_count(queue.key("events"), "+", "-", 1);
        let (newest,): (redis::streams::StreamRangeReply,) = queue.client().pipe(&pipe).await?;
        let last = newest.ids.into_iter().next().map_or_else(|| "0-0".to_owned(), |entry| entry.id);
        Ok(Self::after(queue, last))
    }

    /// Events after a place in the stream; `0-0` is its beginning.
    pub fn after(queue: &Queue, id: impl Into<String>) -> Self {
        Self {
            queue: queue.clone(),
            last: id.into(),
            connection: None,
            read: std::collections::VecDeque::new(),
        }
    }

    /// Waits for the next event. After an error it may be called again and goes on where it was. Cancel-safe.
    pub async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.read.pop_front() {
                self.last.clone_from(&event.id);
                return Ok(event);
            }
            let mut connection = match &self.connection {
                Some(connection) => connection.clone(),
                None => self.connection.insert(self.queue.client().blocking(BLOCK).await?).clone(),
            };
            let mut command = redis::cmd("XREAD");
            command.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(BLOCK.as_millis() as u64);
            command.arg("STREAMS").arg(self.queue.key("events")).arg(&self.last);
            let answer: redis::RedisResult<Option<StreamReadReply>> =
                command.query_async(&mut connection).await;
            match answer {
                Ok(reply) => self.read.extend(events(reply)),
                Err(error) => {
                    self.connection = None;
                    return Err(error.into());
                }
            }
        }
    }
}

fn events(reply: Option<StreamReadReply>) -> impl Iterator<Item = Event> {
    let entries = reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids);
    entries.map(|entry| {
        let text = |value: &redis::Value| match value {
            redis::Value::BulkString(raw) => String::from_utf8_lossy(raw).into_owned(),
            redis::Value::SimpleString(text) => text.clone(),
            redis::Value::Int(number) => number.to_string(),
            _ => String::new(),
        };
        let mut fields: HashMap<String, String> =
            entry.map.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let name = fields.remove("event").unwrap_or_default();
        Event { id: entry.id, name, job_id: fields.get("jobId").cloned(), fields }
    })
}
