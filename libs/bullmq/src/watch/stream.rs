//! Events as the watch reads them: many streams at once, and of each event only what is counted.

use redis::Value;

/// An event of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) event: String,
    pub(super) job: String,
    pub(super) prev: Option<String>,
    /// When the job falls due, in ms since 1970.
    pub(super) delay: Option<i64>,
}

impl Entry {
    /// When it happened, by the server's clock, in ms since 1970.
    pub(super) fn at_ms(&self) -> i64 {
        place(&self.id).0
    }
}

/// The key of a stream, and what was read of it.
pub(super) type Stream = (Vec<u8>, Vec<Entry>);

/// A place in a stream, to be compared.
pub(super) fn place(id: &str) -> (i64, u64) {
    let (ms, sequence) = id.split_once('-').unwrap_or((id, "0"));
    (ms.parse().unwrap_or(0), sequence.parse().unwrap_or(0))
}

/// The streams of an answer to `XREAD`, by key. What has another shape is left out.
pub(super) fn streams(answer: Value) -> Vec<Stream> {
    let pairs = match answer {
        Value::Array(streams) => streams.into_iter().filter_map(pair).collect(),
        Value::Map(streams) => streams,
        _ => Vec::new(),
    };
    let stream = |(key, entries)| match (key, entries) {
        (Value::BulkString(key), Value::Array(entries)) => {
            Some((key, entries.into_iter().filter_map(entry).collect()))
        }
        _ => None,
    };
    pairs.into_iter().filter_map(stream).collect()
}

fn pair(value: Value) -> Option<(Value, Value)> {
    let Value::Array(parts) = value else { return None };
    let [first, second] = <[Value; 2]>::try_from(parts).ok()?;
    Some((first, second))
}

fn entry(value: Value) -> Option<Entry> {
    let (Value::BulkString(id), Value::Array(fields)) = pair(value)? else { return None };
    let mut entry = Entry { id: text(&id), ..Entry::default() };
    for field in fields.chunks_exact(2) {
        let [Value::BulkString(name), Value::BulkString(value)] = field else { continue };
        match name.as_slice() {
            b"event" => entry.event = text(value),
            b"jobId" => entry.job = text(value),
            b"prev" => entry.prev = Some(text(value)),
            b"delay" => entry.delay = text(value).parse().ok(),
            _ => {}
        }
    }
    Some(entry)
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
