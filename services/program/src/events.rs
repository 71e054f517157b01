//! Live events on their way from a worker to the sockets.
//!
//! They travel in one capped Valkey stream that every realtime replica reads for itself and emits to its own sockets only, so each
//! socket gets each event once, and a replica that lost its connection for a moment reads on where it was.

use redis::aio::ConnectionLike;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The stream's key.
pub const STREAM: &str = "insightdesk:events";

/// How many events the stream keeps, about. Enough for minutes of a replica's absence, small enough to forget.
const KEPT: u32 = 10_000;

/// For how long an event's id is remembered, so that a job that runs twice is heard once.
const REMEMBERED_S: u32 = 24 * 3600;

/// Remembering and publishing are one step: a worker killed between two would publish never, or twice.
const PUBLISH: &str = "if redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[1]) then \
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'event', ARGV[3]) return 1 end return 0";

/// Something that sockets want to hear of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Names what happened, once: a second event of the same id is not published.
    pub id: String,
    /// The Socket.IO event: `ticket:created`, `ticket:updated`, `ticket:message_added`, `notification`.
    pub name: String,
    /// The rooms whose sockets get it; a socket in several of them gets it once.
    pub rooms: Vec<String>,
    /// What the sockets get.
    pub data: Value,
    /// The trace that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace: Option<String>,
}

/// The room of one user's sockets.
pub fn user_room(id: Uuid) -> String {
    format!("user:{id}")
}

/// The room of an organisation's staff.
pub fn organisation_room(id: Uuid) -> String {
    format!("org:{id}")
}

/// The room of whoever looks at a ticket.
pub fn ticket_room(id: Uuid) -> String {
    format!("ticket:{id}")
}

/// Publishes an event unless one of its id was published before; tells whether it did.
pub async fn publish(connection: &mut impl ConnectionLike, event: &Event) -> anyhow::Result<bool> {
    let text = serde_json::to_string(event)?;
    let mut call = redis::cmd("EVAL");
    call.arg(PUBLISH).arg(2).arg(STREAM).arg(format!("insightdesk:event:{}", event.id));
    call.arg(REMEMBERED_S).arg(KEPT).arg(text);
    let published: i64 = call.query_async(connection).await?;
    Ok(published == 1)
}
