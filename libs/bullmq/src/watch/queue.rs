use std::collections::BTreeSet;

use super::{
    RateLimit, Sample, Totals, age, due,
    ledger::Ledger,
    reading::{Counts, Events, Head, Reading},
    stream::{Entry, place},
};

/// Schedulers that are told by name, there and gone.
const SCHEDULERS: usize = 100;

/// What is known of one queue from look to look.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ledger: Ledger,
    /// The last event that was read; empty before the first reading.
    pub(super) cursor: String,
    /// Events that came since were not all read.
    pub(super) behind: bool,
    events: Option<Events>,
    schedulers: BTreeSet<String>,
    scheduler_count: Option<i64>,
    vanished: BTreeSet<String>,
    /// Finished jobs up to here were looked at, in ms since 1970; 0 before the first.
    finished_until: i64,
    /// Whether finished jobs were asked for.
    sampling: bool,
    /// Looks in a row in which there was nothing left of the queue.
    pub(super) gone_for: u32,
    /// It woke us for nothing and is left alone until the next look at all.
    pub(super) muted: bool,
    totals_before: Totals,
    /// Jobs at the head of a line, and since when they could have been taken.
    heads: Vec<(String, Option<i64>)>,
    due_since: Option<i64>,
    /// When delayed jobs fall due that were not due at the last reading, when those are few.
    due_at_ms: Vec<i64>,
    due_counts: Vec<u64>,
    pub(super) sample: Sample,
}

impl Queue {
    /// A queue that is new since the watch began: all its events count.
    pub(super) fn new_one() -> Self {
        Self { cursor: "0-0".to_owned(), finished_until: 1, ..Self::default() }
    }

    /// A queue of which only what comes counts, on top of what was counted before.
    pub(super) fn from_now(totals: Totals) -> Self {
        Self { ledger: Ledger::with(totals), totals_before: totals, ..Self::default() }
    }

    /// Whether its events can be asked for.
    pub(super) fn is_readable(&self) -> bool {
        !self.cursor.is_empty() && self.events != Some(Events::Unreadable)
    }

    /// The script's arguments after the key base.
    pub(super) fn ask(&mut self, whole: bool, command: &mut redis::Pipeline) {
        self.sampling = self.finished_until == 0 || self.ledger.missed_wait;
        let after = if self.sampling { self.finished_until.to_string() } else { String::new() };
        let heads = self.heads.iter().map(|(id, _)| format!("\0{id}")).collect::<String>() + "\0";
        // Buckets move with time.
        let whole = whole || self.sampling || !self.due_counts.is_empty();
        command.arg(&self.cursor).arg(if whole { "1" } else { "" }).arg(after);
        command.arg(self.scheduler_count.unwrap_or(-1)).arg(heads);
    }

    /// Takes in events, in order.
    pub(super) fn fold(&mut self, entries: &[Entry], most: usize) {
        for entry in entries {
            self.ledger.fold(entry, most);
        }
        if let Some(last) = entries.last() {
            self.cursor.clone_from(&last.id);
        }
    }

    /// Takes in what the script read, after the events; nothing if nothing happened.
    pub(super) fn take(&mut self, reading: Option<Reading>, now_ms: i64, most: usize) {
        match reading {
            Some(reading) => self.take_reading(reading, now_ms, most),
            None => {
                self.sample.exact = !self.behind;
                self.sample.delayed_due += self.fall_due(now_ms);
            }
        }
        let oldest = self.heads.iter().filter_map(|(_, since)| *since).chain(self.due_since).min();
        self.sample.oldest_age_s = oldest.map(|since| (now_ms - since).max(0) as f64 / 1e3);
        let in_ms: Vec<i64> = self.due_at_ms.iter().map(|at| at - now_ms).collect();
        self.sample.due = due::buckets(&self.due_counts, &in_ms);
    }

    fn take_reading(&mut self, reading: Reading, now_ms: i64, most: usize) {
        let first = self.cursor.is_empty();
        self.events = Some(reading.events);
        if !self.behind {
            self.ledger.caught_up();
        }
        if reading.events == Events::Trimmed {
            self.count_by_counts(&reading.counts);
        }
        if first || reading.events == Events::Trimmed {
            self.ledger.begin_anew(reading.running.iter().cloned());
        }
        if first {
            self.cursor.clone_from(&reading.last_event);
        } else if reading.events == Events::Trimmed && place(&reading.last_event) < place(&self.cursor) {
            // Another stream has begun whose clock or whose life is behind: all of it is new.
            self.cursor = "0-0".to_owned();
        }
        self.take_finished(&reading, now_ms);
        self.take_schedulers(&reading);
        let counts = &reading.counts;
        let claimable = counts.waiting + counts.prioritized + counts.delayed_due;
        self.ledger.tidy(claimable, counts.active, counts.delayed + counts.waiting_children, most);
        let empty = claimable + counts.active + counts.delayed + counts.waiting_children == 0;
        self.gone_for = if empty && !counts.there { self.gone_for + 1 } else { 0 };
        self.tell(reading);
    }

    /// Takes jobs that have fallen due off the list, and returns how many.
    fn fall_due(&mut self, now_ms: i64) -> u64 {
        let before = self.due_at_ms.len();
        self.due_since = self.due_since.or(self.due_at_ms.first().copied().filter(|at| *at <= now_ms));
        self.due_at_ms.retain(|at| *at > now_ms);
        (before - self.due_at_ms.len()) as u64
    }

    /// Whether a scheduler of it is missed.
    pub(super) fn misses_schedulers(&self) -> bool {
        !self.vanished.is_empty()
    }

    pub(super) fn totals(&self) -> Totals {
        self.ledger.totals
    }

    /// Lost events are made up for by what the counts say must have happened at least.
    fn count_by_counts(&mut self, now: &Counts) {
        let (before, then, totals) = (&self.sample, self.totals_before, &mut self.ledger.totals);
        let in_it = |sample: &Sample| (sample.claimable() + sample.active) as i64;
        let completed = now.completed.saturating_sub(before.completed);
        let failed = now.failed.saturating_sub(before.failed);
        let ended = (completed + failed) as i64;
        let in_it_now = (now.waiting + now.prioritized + now.delayed_due + now.active) as i64;
        let started = (ended + now.active as i64 - before.active as i64).max(0) as u64;
        let arrivals = (ended + in_it_now - in_it(before)).max(0) as u64;
        totals.completed = totals.completed.max(then.completed + completed);
        totals.failed = totals.failed.max(then.failed + failed);
        totals.started = totals.started.max(then.started + started);
        totals.arrivals = totals.arrivals.max(then.arrivals + arrivals);
    }

    /// Finished jobs tell how long jobs run before any was seen to, and how long those waited whose coming was not seen.
    fn take_finished(&mut self, reading: &Reading, now_ms: i64) {
        if !self.sampling {
            return;
        }
        let first = self.finished_until == 0;
        let mut finished: Vec<_> = reading.finished.iter().collect();
        finished.sort_by_key(|job| job.finished);
        for job in &finished {
            if let Some(ms) = age::ran_ms(job).filter(|_| first) {
                self.ledger.runs.push_ms(ms);
            }
            if let Some(ms) = age::waited_ms(job) {
                self.ledger.waits.push_ms(ms);
            }
        }
        let newest = finished.iter().filter_map(|job| job.finished).max();
        // Of jobs that end from now on the events tell, until one is missed.
        self.finished_until =
            newest.unwrap_or(0).max(self.finished_until).max(if first { now_ms } else { 0 });
        self.ledger.missed_wait = false;
    }

    fn take_schedulers(&mut self, reading: &Reading) {
        self.scheduler_count = Some(reading.scheduler_count);
        let Some(names) = &reading.schedulers else { return };
        let now: BTreeSet<String> = names.iter().cloned().collect();
        // Of more than are told by name any hundred may be named: then nobody knows who is gone.
        if usize::try_from(reading.scheduler_count).is_ok_and(|count| count <= SCHEDULERS) {
            self.vanished.extend(self.schedulers.difference(&now).cloned());
        }
        self.vanished.retain(|name| !now.contains(name));
        while self.vanished.len() > SCHEDULERS {
            self.vanished.pop_last();
        }
        self.schedulers = now;
    }

    fn tell(&mut self, reading: Reading) {
        let since = |head| match head {
            Head::Known(id) => {
                let known = self.heads.iter().find(|(known, _)| *known == id);
                let since = self.ledger.waiting_since(&id).or(known.and_then(|(_, since)| *since));
                (id, since)
            }
            Head::New(job) => {
                let since = self.ledger.waiting_since(&job.id).or_else(|| age::claimable_since(&job));
                (job.id, since)
            }
        };
        self.heads = reading.heads.into_iter().map(since).collect();
        self.due_since = reading.due_since;
        self.due_at_ms = reading.due_at_ms;
        self.due_counts = reading.due_counts;
        let Reading { counts, meta: [paused, concurrency, max, duration], .. } = reading;
        let limit = match (max.parse().ok(), duration.parse::<f64>().ok()) {
            (Some(max), Some(ms)) if ms > 0.0 => Some(RateLimit { max, per_s: ms / 1e3 }),
            _ => None,
        };
        self.sample = Sample {
            waiting: counts.waiting,
            prioritized: counts.prioritized,
            active: counts.active,
            delayed: counts.delayed,
            delayed_due: counts.delayed_due,
            waiting_children: counts.waiting_children,
            completed: counts.completed,
            failed: counts.failed,
            paused: !paused.is_empty(),
            totals: self.ledger.totals,
            exact: reading.events == Events::Intact && !self.behind && !self.ledger.overflowed,
            run_time: self.ledger.runs.spread(),
            wait_time: self.ledger.waits.spread(),
            workers: self.sample.workers,
            limit,
            global_concurrency: concurrency.parse().ok(),
            schedulers: self.schedulers.iter().cloned().collect(),
            vanished_schedulers: self.vanished.iter().cloned().collect(),
            oldest_age_s: None,
            due: Vec::new(),
        };
        self.totals_before = self.ledger.totals;
        self.ledger.overflowed = false;
    }
}
