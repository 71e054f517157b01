//! Counts what the events of one queue tell.
//!
//! A job is an arrival when it becomes claimable for the first time. npm writes `waiting` without `prev` for a new job, and
//! with `prev` for one that comes back, but a delayed job comes with `prev: delayed` whether it is new or was tried before. So
//! it is remembered who was running when put aside. A stalled job is told as `waiting` (`prev: active`) and `stalled` in one step.

use std::collections::HashMap;

use super::{Totals, recent::Recent, stream::Entry};

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) totals: Totals,
    pub(super) runs: Recent,
    pub(super) waits: Recent,
    /// Jobs in line whose coming was seen, and since when, in ms since 1970.
    waiting: HashMap<Box<str>, i64>,
    /// Jobs that run, and since when; not known of those that ran before the watch began.
    running: HashMap<Box<str>, Option<i64>>,
    /// Jobs that are delayed or wait for their children.
    aside: HashMap<Box<str>, Aside>,
    /// A job that went from active to waiting: the next event says whether it stalled or is tried again.
    undecided: Option<String>,
    /// A job was taken whose coming was not seen, so nothing tells how long it waited.
    pub(super) missed_wait: bool,
    /// More was to be remembered than is allowed.
    pub(super) overflowed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Aside {
    due: Option<i64>,
    /// Whether it had been taken up before.
    ran: bool,
}

impl Ledger {
    /// Goes on from counts of an earlier ledger.
    pub(super) fn with(totals: Totals) -> Self {
        Self { totals, ..Self::default() }
    }

    /// Takes in the next event. No map grows beyond `most`.
    pub(super) fn fold(&mut self, entry: &Entry, most: usize) {
        if let Some(job) = self.undecided.take()
            && !(entry.event == "stalled" && entry.job == job)
        {
            self.totals.retries += 1;
        }
        let at = entry.at_ms();
        match entry.event.as_str() {
            "waiting" => self.waits_now(entry, at, most),
            "active" => {
                self.totals.started += 1;
                match self.waiting.remove(&*entry.job) {
                    Some(since) => self.waits.push_ms(at - since),
                    None => self.missed_wait = true,
                }
                self.runs_now(&entry.job, Some(at), most);
            }
            "delayed" => {
                let ran = self.running.remove(&*entry.job).is_some();
                self.totals.retries += u64::from(ran);
                self.put_aside(entry, ran, most);
            }
            "waiting-children" => {
                let ran = self.running.remove(&*entry.job).is_some();
                self.put_aside(entry, ran, most);
            }
            "completed" => {
                self.totals.completed += 1;
                self.ended(entry, at);
            }
            "failed" => {
                self.totals.failed += 1;
                self.ended(entry, at);
            }
            "stalled" => self.totals.stalled += 1,
            "removed" => {
                self.waiting.remove(&*entry.job);
                self.running.remove(&*entry.job);
                self.aside.remove(&*entry.job);
            }
            _ => {}
        }
    }

    /// All that had happened by now was read. Scripts write their events in one step, so nothing can follow any more.
    pub(super) fn caught_up(&mut self) {
        self.totals.retries += u64::from(self.undecided.take().is_some());
    }

    /// Events were lost: what was remembered may be wrong. These run now, nobody knows since when.
    pub(super) fn begin_anew(&mut self, running: impl IntoIterator<Item = String>) {
        self.waiting.clear();
        self.running = running.into_iter().map(|job| (job.into(), None)).collect();
        self.undecided = None;
    }

    /// Forgets jobs that left without an event, when it is sure that none of their kind is left.
    pub(super) fn tidy(&mut self, claimable: u64, active: u64, aside: u64, most: usize) {
        // Not sooner: counts are a little newer than the events, and a job that is still to come out of `aside` would count
        // as new.
        if claimable == 0 && self.waiting.len() > most / 2 {
            self.waiting.clear();
        }
        if active == 0 && self.running.len() > most / 2 {
            self.running.clear();
        }
        if aside == 0 && self.aside.len() > most / 2 {
            self.aside.clear();
        }
    }

    /// Since when a job is in line, if its coming was seen.
    pub(super) fn waiting_since(&self, job: &str) -> Option<i64> {
        self.waiting.get(job).copied()
    }

    fn waits_now(&mut self, entry: &Entry, at: i64, most: usize) {
        let mut since = at;
        match entry.prev.as_deref() {
            None => self.totals.arrivals += 1,
            Some("active") => {
                self.running.remove(&*entry.job);
                self.undecided = Some(entry.job.clone());
            }
            Some("delayed" | "waiting-children") => {
                let aside = self.aside.remove(&*entry.job);
                self.totals.arrivals += u64::from(aside.is_none_or(|aside| !aside.ran));
                // It could have been taken when it fell due, were there a worker to see it.
                since = aside.and_then(|aside| aside.due).map_or(at, |due| due.min(at));
            }
            Some("failed" | "completed") => self.totals.retries += 1,
            Some(_) => {}
        }
        // The oldest are taken first, so it is those that stay known when there are too many.
        if self.waiting.len() < most {
            self.waiting.insert(entry.job.as_str().into(), since);
        }
    }

    fn runs_now(&mut self, job: &str, since: Option<i64>, most: usize) {
        if self.running.len() < most {
            self.running.insert(job.into(), since);
        } else {
            self.overflowed = true;
        }
    }

    fn put_aside(&mut self, entry: &Entry, ran: bool, most: usize) {
        if let Some(known) = self.aside.get_mut(&*entry.job) {
            *known = Aside { due: entry.delay, ran: ran || known.ran };
        } else if self.aside.len() < most {
            self.aside.insert(entry.job.as_str().into(), Aside { due: entry.delay, ran });
        } else {
            self.overflowed |= ran;
        }
    }

    fn ended(&mut self, entry: &Entry, at: i64) {
        if let Some(Some(since)) = self.running.remove(&*entry.job) {
            self.runs.push_ms(at - since);
        }
    }
}

#[cfg(test)]
mod tests;
