use redis::{FromRedisValue, Value, from_redis_value};

use super::stream::text;

/// The script that reads; see there for the arguments.
pub(super) const SCRIPT: &str = include_str!("read.lua");

/// What the script read of one queue.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) counts: Counts,
    /// `paused`, `concurrency`, `max`, `duration` as they stand in `meta`.
    pub(super) meta: [String; 4],
    pub(super) events: Events,
    /// The end of the stream; of a new reader the place to begin at.
    pub(super) last_event: String,
    pub(super) heads: Vec<Head>,
    pub(super) due_since: Option<i64>,
    /// When each of the others falls due, when they are few.
    pub(super) due_at_ms: Vec<i64>,
    pub(super) due_counts: Vec<u64>,
    pub(super) scheduler_count: i64,
    /// Absent when their number is what it was.
    pub(super) schedulers: Option<Vec<String>>,
    pub(super) finished: Vec<RawJob>,
    pub(super) running: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Whether the queue has its `meta` hash.
    pub(super) there: bool,
    pub(super) waiting: u64,
    pub(super) prioritized: u64,
    pub(super) active: u64,
    pub(super) delayed: u64,
    pub(super) delayed_due: u64,
    pub(super) waiting_children: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
}

/// How the stream of events is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Events {
    /// Nothing was lost since the place that was asked about.
    Intact,
    /// Something was, or the stream is another one.
    Trimmed,
    /// It cannot be read.
    #[default]
    Unreadable,
}

/// A job at the head of a line.
#[derive(Debug)]
pub(super) enum Head {
    /// One that was asked about before, by id.
    Known(String),
    /// Another.
    New(RawJob),
}

/// What is asked of a job's hash.
#[derive(Debug, Default)]
pub(super) struct RawJob {
    pub(super) id: String,
    pub(super) added: Option<i64>,
    pub(super) processed: Option<i64>,
    pub(super) finished: Option<i64>,
    pub(super) attempts: u32,
    pub(super) opts: String,
}

/// The server's clock and what it read: nothing of a queue in which nothing happened. A queue whose answer cannot be understood
/// is as one of which nothing is known.
pub(super) fn readings(answer: Value) -> (i64, Vec<Option<Reading>>) {
    let Value::Array(parts) = answer else { return (0, Vec::new()) };
    let mut parts = parts.into_iter();
    let now = parts.next().and_then(|now| from_redis_value(now).ok()).unwrap_or(0);
    let read = |part| match part {
        Value::Int(_) => None,
        part => Some(reading(part).unwrap_or_default()),
    };
    (now, parts.map(read).collect())
}

type Bytes = Vec<u8>;

fn reading(answer: Value) -> Option<Reading> {
    let Value::Array(parts) = answer else { return None };
    let mut parts = parts.into_iter();
    let [there, waiting, prioritized, active, delayed, delayed_due, waiting_children, completed, failed]: [u64;
        9] = next(&mut parts)?;
    let counts = Counts {
        there: there == 1,
        waiting,
        prioritized,
        active,
        delayed,
        delayed_due,
        waiting_children,
        completed,
        failed,
    };
    let meta: Vec<Bytes> = next(&mut parts)?;
    Some(Reading {
        counts,
        meta: <[String; 4]>::try_from(texts(meta)).ok()?,
        events: match next(&mut parts)? {
            1_i64 => Events::Intact,
            0 => Events::Trimmed,
            _ => Events::Unreadable,
        },
        last_event: next(&mut parts)?,
        heads: heads(parts.next()?)?,
        due_since: number(&next::<Bytes>(&mut parts)?),
        due_at_ms: next(&mut parts)?,
        due_counts: next(&mut parts)?,
        scheduler_count: next(&mut parts)?,
        schedulers: next::<Option<Vec<Bytes>>>(&mut parts)?.map(texts),
        finished: jobs(next(&mut parts)?),
        running: texts(next(&mut parts)?),
    })
}

fn next<T: FromRedisValue>(parts: &mut impl Iterator<Item = Value>) -> Option<T> {
    from_redis_value(parts.next()?).ok()
}

fn texts(all: Vec<Bytes>) -> Vec<String> {
    all.iter().map(|bytes| text(bytes)).collect()
}

fn heads(all: Value) -> Option<Vec<Head>> {
    let Value::Array(all) = all else { return None };
    let head = |value| match value {
        Value::BulkString(id) => Some(Head::Known(text(&id))),
        value => Some(Head::New(job(from_redis_value(value).ok()?))),
    };
    all.into_iter().map(head).collect()
}

fn jobs(all: Vec<[Bytes; 6]>) -> Vec<RawJob> {
    all.into_iter().map(job).collect()
}

fn job([id, added, processed, finished, attempts, opts]: [Bytes; 6]) -> RawJob {
    RawJob {
        id: text(&id),
        added: number(&added),
        processed: number(&processed),
        finished: number(&finished),
        attempts: number(&attempts).map_or(0, |attempts| attempts.clamp(0, 1_000_000) as u32),
        opts: text(&opts),
    }
}

/// A number of ms or of attempts, within what can be reckoned with: jobs may hold rubbish.
fn number(text: &[u8]) -> Option<i64> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.abs() < 1e15).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_shape_is_nothing_known() {
        let odd = Value::Array(vec![Value::Int(7), Value::Nil, Value::Array(vec![Value::Int(1)])]);
        let (now, readings) = readings(odd);
        assert_eq!((now, readings.len()), (7, 2));
        let odd = readings.iter().flatten().map(|reading| reading.events);
        assert_eq!(odd.collect::<Vec<_>>(), [Events::Unreadable; 2]);
        assert!(number(b"1e300").is_none() && number(b"x").is_none() && number(b"12.5") == Some(12));
    }
}
