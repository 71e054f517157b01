//! One round trip: what is asked, and what comes back.

use redis::{Pipeline, RedisError, Value, aio::ConnectionLike, from_redis_value};

use super::{
    POLICY_PAUSE, Watch,
    reading::{Reading, readings},
    stream::{Stream, streams},
};
use crate::Error;

/// Queues that one run of the script reads: nobody else is served meanwhile.
const QUEUES_A_RUN: usize = 25;
/// Queues that are read at each look though nothing happened in them, and the most looks until it is any one's turn again: what is
/// done by hand is not always told as an event.
const WHOLE_AT_ONCE: usize = 50;
const WHOLE_AFTER: usize = 10;
/// Events that a look reads in all, and the most and the fewest of one queue in one answer.
const EVENTS: usize = 20_000;
const EVENTS_AT_ONCE: (usize, usize) = (20, 1_000);
/// Finished jobs that a look reads in all, and the fewest and the most of one set.
const FINISHED: usize = 4_000;
const FINISHED_AT_ONCE: (usize, usize) = (4, 50);
/// Jobs that are remembered in all, and the fewest and the most of one queue.
const REMEMBERED: usize = 300_000;
const REMEMBERED_OF_ONE: (usize, usize) = (1_000, 20_000);

/// What came back.
pub(super) struct Round {
    pub(super) now_ms: i64,
    pub(super) readings: Vec<(String, Option<Reading>)>,
    pub(super) scan: Option<Value>,
    pub(super) clients: Option<String>,
    pub(super) memory: Option<String>,
}

/// Jobs that may be remembered of one of so many queues.
pub(super) fn remembered(queues: usize) -> usize {
    share(REMEMBERED, queues, REMEMBERED_OF_ONE)
}

fn share(all: usize, among: usize, (least, most): (usize, usize)) -> usize {
    (all / among.max(1)).clamp(least, most)
}

/// What is asked besides the queues.
#[derive(Default)]
struct Asides {
    scan: bool,
    clients: bool,
    memory: bool,
}

impl Watch {
    /// Asks for these queues, takes in their events, and returns the rest. The others' events are left for later.
    pub(super) async fn round<C: ConnectionLike + Send>(
        &mut self,
        connection: &mut C,
        names: &[String],
        with_asides: bool,
    ) -> Result<Round, Error> {
        let at_once = share(EVENTS, names.len(), EVENTS_AT_ONCE);
        let mut pipe = redis::pipe();
        pipe.ignore_errors();
        if !self.is_sure {
            pipe.cmd("SCRIPT").arg("LOAD").arg(super::reading::SCRIPT).ignore();
        }
        let reads_events = self.ask_events(&mut pipe, names, at_once);
        let runs = self.ask_queues(&mut pipe, names);
        let asides = if with_asides { self.ask_asides(&mut pipe) } else { Asides::default() };

        // Until it has gone well; it may also be dropped while it waits.
        self.is_sure = false;
        let answers = self.send(connection, &pipe).await?;
        let mut answers = answers.into_iter();
        // Events come first and counts after: a place that is still there when counts are read was there before.
        let mut events = None;
        if reads_events {
            events = answers.next().map(known_streams).transpose()?;
        }
        let mut round = Round {
            now_ms: 0,
            readings: Vec::with_capacity(names.len()),
            scan: None,
            clients: None,
            memory: None,
        };
        for (names, answer) in names.chunks(QUEUES_A_RUN).zip(answers.by_ref().take(runs)) {
            let (now_ms, readings) = readings(answer?);
            round.now_ms = now_ms;
            round.readings.extend(names.iter().cloned().zip(readings));
        }
        if asides.scan {
            // Named queues can be read by one who may not look for others.
            let scan = answers.next().transpose();
            round.scan = if self.named.is_empty() { scan? } else { scan.ok().flatten() };
        }
        let mut words = |asked: bool| asked.then(|| answers.next()).flatten().and_then(told);
        round.clients = words(asides.clients);
        round.memory = words(asides.memory);
        self.fold_events(connection, events.unwrap_or_default(), at_once).await?;
        self.is_sure = true;
        Ok(round)
    }

    /// Takes in events, and reads on where there were more than one answer holds.
    async fn fold_events<C: ConnectionLike + Send>(
        &mut self,
        connection: &mut C,
        mut events: Vec<Stream>,
        mut at_once: usize,
    ) -> Result<(), Error> {
        let (most, mut read) = (remembered(self.queues.len()), 0);
        loop {
            let mut behind = Vec::new();
            for (key, entries) in events {
                let Some(name) = self.name_of_events(&key) else { continue };
                let Some(queue) = self.queues.get_mut(&name) else { continue };
                read += entries.len();
                queue.fold(&entries, most);
                queue.behind = entries.len() >= at_once;
                if queue.behind {
                    behind.push(name);
                }
            }
            if behind.is_empty() || read >= EVENTS {
                return Ok(());
            }
            at_once = share(EVENTS - read, behind.len(), EVENTS_AT_ONCE);
            let mut pipe = redis::pipe();
            pipe.ignore_errors();
            self.ask_events(&mut pipe, &behind, at_once);
            let answer = self.send(connection, &pipe).await?.into_iter().next();
            events = answer.map(known_streams).transpose()?.unwrap_or_default();
            for name in &behind {
                if let Some(queue) = self.queues.get_mut(name) {
                    queue.behind = false;
                }
            }
        }
    }

    fn ask_events(&self, pipe: &mut Pipeline, names: &[String], at_once: usize) -> bool {
        let readable = names.iter().filter_map(|name| Some((name, self.queues.get(name)?)));
        let readable: Vec<_> = readable.filter(|(_, queue)| queue.is_readable()).collect();
        if readable.is_empty() {
            return false;
        }
        pipe.cmd("XREAD").arg("COUNT").arg(at_once).arg("STREAMS");
        for (name, _) in &readable {
            pipe.arg(self.key(name, "events"));
        }
        for (_, queue) in &readable {
            pipe.arg(&queue.cursor);
        }
        true
    }

    fn ask_queues(&mut self, pipe: &mut Pipeline, names: &[String]) -> usize {
        let finished = share(FINISHED, names.len(), FINISHED_AT_ONCE);
        let bounds = super::due::BOUNDS_MS.map(|bound| bound.to_string()).join(",");
        let turns = (names.len() / WHOLE_AT_ONCE).clamp(1, WHOLE_AFTER);
        let whole = |place: usize| !self.is_sure || (place + self.looks).is_multiple_of(turns);
        for (run, names) in names.chunks(QUEUES_A_RUN).enumerate() {
            pipe.cmd("EVALSHA").arg(self.script.get_hash()).arg(0).arg(finished).arg(&bounds);
            for (place, name) in names.iter().enumerate() {
                let base = format!("{}:{name}:", self.prefix);
                let Some(queue) = self.queues.get_mut(name) else { continue };
                queue.ask(whole(run * QUEUES_A_RUN + place), pipe.arg(base));
            }
        }
        names.len().div_ceil(QUEUES_A_RUN)
    }

    fn ask_asides(&mut self, pipe: &mut Pipeline) -> Asides {
        let mut asides = Asides::default();
        if let Some(step) = self.finder.step() {
            pipe.add_command(step);
            asides.scan = true;
        }
        asides.clients = self.clients_pause == 0;
        self.clients_pause = self.clients_pause.saturating_sub(1);
        if asides.clients {
            pipe.cmd("CLIENT").arg("LIST");
        }
        asides.memory = self.policy_pause == 0 || self.policy.is_none();
        self.policy_pause = if asides.memory { POLICY_PAUSE } else { self.policy_pause - 1 };
        if asides.memory {
            pipe.cmd("INFO").arg("memory");
        }
        asides
    }

    /// Sends it, a second time when the server does not know the script.
    async fn send<C: ConnectionLike + Send>(
        &self,
        connection: &mut C,
        pipe: &Pipeline,
    ) -> Result<Vec<Result<Value, RedisError>>, Error> {
        let answers: Vec<Result<Value, RedisError>> = pipe.query_async(connection).await?;
        let unknown = |answer: &Result<Value, RedisError>| {
            answer.as_ref().is_err_and(|error| error.code() == Some("NOSCRIPT"))
        };
        if !answers.iter().any(unknown) {
            return Ok(answers);
        }
        let mut load = redis::cmd("SCRIPT");
        let _: String = load.arg("LOAD").arg(super::reading::SCRIPT).query_async(connection).await?;
        Ok(pipe.query_async(connection).await?)
    }
}

/// A key of the wrong type among the streams is the script's to find; until then no stream tells anything.
fn known_streams(answer: Result<Value, RedisError>) -> Result<Vec<Stream>, RedisError> {
    match answer {
        Err(error) if error.code() == Some("WRONGTYPE") => Ok(Vec::new()),
        answer => answer.map(streams),
    }
}

/// Words, when the server may tell them.
fn told(answer: Result<Value, RedisError>) -> Option<String> {
    from_redis_value(answer.ok()?).ok()
}
