//! What one queue needs of the replicas that work on it.
//!
//! Two curves are compared: the jobs that must have been started by each moment so that none waits longer than the
//! target, and the jobs that the replicas will have started by then. Where the second stays below the first, replicas
//! are missing, and exactly as many as lift it. Bursts that no replica started now could meet are covered by a reserve
//! that follows how surprising arrivals were, and how much of the error budget is spent.

use serde::{Deserialize, Serialize};

use super::arrivals::{Arrivals, Flow, Tick};
use super::look::QueueLook;
use super::need::{Binding, QueueFigures, QueueNeed};
use super::planned;
use super::run_time::RunTime;
use super::supply::{Deadlines, Fleet, Supply};
use super::surprise::Surprise;

/// Waits are planned to end before the target: a look is late by up to its period, a start by a fifth.
const OF_TARGET: f64 = 0.85;
/// Two looks: what is seen now may be that old when it is acted on.
pub(super) const REACTION_S: f64 = 4.0;
/// How far ahead is looked beyond the start of a replica, in seconds, at least.
const AHEAD_S: f64 = 60.0;
/// The longest time between two looks that is taken as one step. After a gap (a store that was down, a clock that was
/// set) what came in it is not a rate.
pub(super) const GAP_S: f64 = 6.0;
/// The usual time between two looks, in seconds.
pub(super) const LOOK_S: f64 = 2.0;
/// Share of jobs that may be late before the reserve grows: a tenth of what a 95 % target allows.
const BUDGET: f64 = 0.005;
/// The reserve's share at first; it shrinks over two hours without late jobs and grows with each.
const RESERVE_AT_FIRST: f64 = 0.25;
const RESERVE_MOST: f64 = 2.0;
const RESERVE_SHRINKS_OVER_S: f64 = 7_200.0;

/// What is remembered of a queue between looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct QueueMemory {
    clock_s: f64,
    last: Option<QueueLook>,
    /// What the last look needed.
    need: QueueNeed,
    arrivals: Arrivals,
    run_time: RunTime,
    surprise: Surprise,
    /// Jobs started in the last hour, fading.
    started_lately: f64,
    /// Share of the reserve that is kept.
    reserve: f64,
    /// Most jobs that one replica was seen to work on at once.
    concurrency_seen: f64,
}

impl Default for QueueMemory {
    fn default() -> Self {
        Self {
            clock_s: 0.0,
            last: None,
            need: QueueNeed::default(),
            arrivals: Arrivals::default(),
            run_time: RunTime::default(),
            surprise: Surprise::default(),
            started_lately: 0.0,
            reserve: RESERVE_AT_FIRST,
            concurrency_seen: 1.0,
        }
    }
}

/// What holds for a queue apart from what is seen of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub(super) target_s: f64,
    /// Jobs that one replica works on at once, if it is known.
    pub(super) concurrency: Option<f64>,
    pub(super) fleet: &'a Fleet,
    /// Time from asking for a replica to its first job: nine in ten take at most this.
    pub(super) start_delay_s: f64,
    /// And the longest lately.
    pub(super) longest_start_s: f64,
}

impl QueueMemory {
    /// Whether this is the last look once more.
    pub(super) fn is_again(&self, look: &QueueLook) -> bool {
        self.last.as_ref().is_some_and(|last| last.at_s == look.at_s)
    }

    /// What the last look needed.
    pub(super) fn last_need(&self) -> QueueNeed {
        self.need.clone()
    }

    /// Which share of the reserve is kept; above 1 after late jobs.
    pub(super) fn reserve_share(&self) -> f64 {
        self.reserve
    }

    /// Learns from a look and says what it needs.
    pub(super) fn learn(&mut self, look: &QueueLook, terms: Terms<'_>) -> QueueNeed {
        // A clock that was set back or far ahead says nothing of the time that passed: a look is taken for it.
        let elapsed_s = self.last.as_ref().map(|last| look.at_s - last.at_s);
        let span_s = elapsed_s.filter(|it| *it > 0.0 && *it <= GAP_S).unwrap_or(LOOK_S);
        let unbroken = self.last.as_ref().is_none_or(|last| {
            let elapsed_s = look.at_s - last.at_s;
            elapsed_s > 0.0
                && elapsed_s <= GAP_S
                && look.arrived >= last.arrived
                && look.finished >= last.finished
        });
        self.clock_s += span_s;
        let concurrency = self.concurrency(look, terms);
        let since = |total: f64, before: fn(&QueueLook) -> f64| match &self.last {
            Some(last) if unbroken => (total - before(last)).max(0.0),
            _ => 0.0,
        };
        let came = since(look.arrived, |it| it.arrived);
        let (started, finished) =
            (since(look.started, |it| it.started), since(look.finished, |it| it.finished));
        let announced =
            self.last.as_ref().map_or(0.0, |last| planned::fallen_due(&last.due, look.at_s - last.at_s));
        let run_s = self.run_time.learn(span_s, look.active, finished, look.run_s);
        self.budget(started, terms.target_s, span_s);
        if unbroken {
            let unannounced = (came - announced).max(0.0);
            self.arrivals.push(Tick { at_s: self.clock_s, span_s, jobs: came, unannounced });
        }
        let flow = self.arrivals.flow(self.clock_s, terms.target_s, run_s);
        let window_s = terms.start_delay_s + REACTION_S;
        if unbroken {
            let unannounced = (came - announced).max(0.0);
            self.surprise.learn(self.clock_s, unannounced, flow.rate(0.0), window_s);
        }
        let need = self.need(look, &flow, concurrency, run_s, terms);
        self.last = Some(look.clone());
        self.need.clone_from(&need);
        need
    }

    /// What one replica works on at once: told, or the most that was seen while jobs were waiting.
    fn concurrency(&mut self, look: &QueueLook, terms: Terms<'_>) -> f64 {
        if let Some(told) = terms.concurrency {
            return told.max(1.0);
        }
        if look.waiting > 0.0 && terms.fleet.ready > 0 {
            let each = (look.active / f64::from(terms.fleet.ready)).ceil();
            self.concurrency_seen = self.concurrency_seen.max(each);
        }
        self.concurrency_seen
    }

    /// Jobs that were taken up while the oldest had waited too long were late: they grow the reserve.
    fn budget(&mut self, started: f64, target_s: f64, span_s: f64) {
        self.started_lately = self.started_lately * (-span_s / 3_600.0).exp() + started;
        let late = self.last.as_ref().is_some_and(|last| last.oldest_s > target_s);
        if late && started > 0.0 {
            let allowed = BUDGET * self.started_lately.max(200.0);
            self.reserve += 0.5 * (started / allowed).min(1.0);
        }
        self.reserve = (self.reserve - span_s / RESERVE_SHRINKS_OVER_S).clamp(0.0, RESERVE_MOST);
    }

    /// Waiting jobs by the time at which they are to be started; ages are those of the last arrivals, as the queue is
    /// worked off in order.
    fn waiting(&self, look: &QueueLook, wait_s: f64) -> Deadlines {
        let mut points = Vec::new();
        let mut left = look.waiting;
        for tick in self.arrivals.newest_first() {
            if left <= 0.0 {
                break;
            }
            let jobs = tick.jobs.min(left);
            if jobs > 0.0 {
                points.push((tick.at_s - tick.span_s / 2.0 + wait_s - self.clock_s, jobs));
                left -= jobs;
            }
        }
        if left > 0.0 {
            points.push((wait_s - look.oldest_s, left));
        }
        Deadlines::new(points)
    }

    fn need(
        &self,
        look: &QueueLook,
        flow: &Flow,
        concurrency: f64,
        run_s: f64,
        terms: Terms<'_>,
    ) -> QueueNeed {
        let Terms { target_s, fleet, start_delay_s, .. } = terms;
        let wait_s = OF_TARGET * target_s;
        let horizon_s = start_delay_s + target_s.max(AHEAD_S);
        let step_s = f64::max(2.0, horizon_s / 200.0);
        let supply = Supply { fleet, concurrency, run_s, active: look.active, start_delay_s };
        let waiting = self.waiting(look, wait_s);
        let savable_s = start_delay_s + REACTION_S;
        let forgiving = waiting.forgiving(savable_s, start_delay_s + wait_s.max(REACTION_S));

        // More replicas, so that the supply reaches the demand wherever a replica asked for now can help.
        let (mut more, mut binding) = (0.0, Binding::Steady);
        for in_s in moments(start_delay_s + 2.0, horizon_s, step_s) {
            let demand = forgiving.by(in_s) + flow.jobs(in_s - wait_s);
            let missing = demand - supply.jobs(in_s);
            let count = missing / supply.of_one_more(in_s);
            if missing > 0.0 && count > more {
                more = count;
                binding = Binding::Deadline { in_s, jobs: demand, started: demand - missing };
            }
        }

        // What must stay, so that what is there now and what is expected is started in time without any more.
        let mut stay: f64 = 0.0;
        for in_s in moments(4.0, horizon_s, 2.0 * step_s) {
            let demand = waiting.by(in_s) + flow.jobs(in_s - wait_s);
            stay = stay.max(demand / supply.of_one_ready(in_s).max(1e-9));
        }

        // What should stand even when nothing waits: the load, and the reserve where a start takes as long as the wait.
        let rate = flow.rate(start_delay_s);
        let busy = rate * run_s;
        let (mut floor, mut reserve) = (busy / concurrency, 0.0);
        if wait_s < 1.2 * start_delay_s + REACTION_S {
            let window_s = start_delay_s + REACTION_S;
            reserve = self.reserve * self.surprise.reserve(rate * window_s);
            floor = floor.max((rate * wait_s + reserve + busy) / (concurrency * (1.0 + wait_s / run_s)));
        }

        // A service that sleeps wakes for one job.
        let least = if look.active + look.waiting > 0.0 { 1.0 } else { 0.0 };
        let scheduled = planned::need(look, flow.base_per_s, concurrency, run_s, terms);
        let limit = look.limit_per_s.map(|it| it * run_s).map(|it| (it + 2.0 * it.sqrt()) / concurrency);
        let global = look.most_active.map(|it| it / concurrency);
        let cap = [limit, global].into_iter().flatten().map(f64::ceil).reduce(f64::min);
        QueueNeed {
            more,
            stay: stay.max(least),
            floor: if rate > 1e-3 { floor.max(least) } else { least },
            scheduled,
            cap,
            paused: look.paused,
            binding,
            figures: QueueFigures {
                waiting: look.waiting,
                active: look.active,
                oldest_s: look.oldest_s,
                arrivals_per_s: flow.rate(0.0),
                run_s,
                concurrency,
                reserve,
            },
        }
    }
}

fn moments(from_s: f64, to_s: f64, step_s: f64) -> impl Iterator<Item = f64> {
    let count = ((to_s - from_s) / step_s).max(0.0) as u32;
    (0..=count).map(move |index| from_s + f64::from(index) * step_s)
}
