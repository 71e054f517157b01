//! One run: events in order of time, jobs in order of arrival, one policy.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::bound::Moment;
use super::random::Random;
use super::replicas::Replicas;
use super::{Config, Outcome, Point, Policy, Trace, View};

/// Points of a timeline, at most.
const POINTS: f64 = 720.0;

/// What happens next; the order of the variants is that of equal moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ended { replica: u32, job: u32 },
    Ready { replica: u32 },
    LimitOver,
    GraceOver { replica: u32 },
    Decide,
}

/// Runs a policy on a trace from its fewest replicas, all of them ready.
pub fn run(trace: &Trace, config: &Config, policy: &mut dyn Policy) -> Outcome {
    let mut world = World::new(trace, config);
    world.begin(policy);
    while let Some((now_s, event)) = world.next() {
        world.now_s = now_s;
        match event {
            None => world.arrive(),
            Some(event) => world.handle(event, policy),
        }
        world.hand_out();
    }
    world.outcome()
}

pub(super) struct World<'a> {
    pub(super) trace: &'a Trace,
    pub(super) config: &'a Config,
    random: Random,
    now_s: f64,
    events: BinaryHeap<Reverse<(Moment, u64, Event)>>,
    sequence: u64,
    pub(super) replicas: Replicas,
    next_job: usize,
    waiting: VecDeque<u32>,
    active: u64,
    /// Announced jobs by when they become known, and those known now by when they fall due.
    announced: VecDeque<u32>,
    due: BTreeMap<(Moment, u32), ()>,
    /// The wait of each job; `None` while it has not started.
    pub(super) waits: Vec<Option<f64>>,
    running: BTreeMap<u32, Vec<u32>>,
    limit: Window,
    desired: u32,
    pub(super) seen: Seen,
    pub(super) outcome: Outcome,
    last_direction: Option<(f64, bool)>,
}

/// What the policy is told, since its last decision and in all.
#[derive(Default)]
pub(super) struct Seen {
    arrived: u64,
    started: u64,
    pub(super) finished: u64,
    run_times: Vec<f64>,
    waits: Vec<f64>,
    start_delays: Vec<f64>,
}

/// The queue's limit: so many starts in each second.
#[derive(Default)]
struct Window {
    second: i64,
    starts: f64,
    waits: bool,
}

impl<'a> World<'a> {
    fn new(trace: &'a Trace, config: &'a Config) -> Self {
        let mut announced: Vec<u32> = (0..trace.jobs.len() as u32)
            .filter(|job| trace.jobs[*job as usize].known_s < trace.jobs[*job as usize].due_s)
            .collect();
        announced.sort_by(|one, other| {
            trace.jobs[*one as usize].known_s.total_cmp(&trace.jobs[*other as usize].known_s)
        });
        Self {
            trace,
            config,
            random: Random::new(config.seed ^ 0x5eed_0f5c_a1e5),
            now_s: 0.0,
            events: BinaryHeap::new(),
            sequence: 0,
            replicas: Replicas::default(),
            next_job: 0,
            waiting: VecDeque::new(),
            active: 0,
            announced: announced.into(),
            due: BTreeMap::new(),
            waits: vec![None; trace.jobs.len()],
            running: BTreeMap::new(),
            limit: Window::default(),
            desired: 0,
            seen: Seen::default(),
            outcome: Outcome::default(),
            last_direction: None,
        }
    }

    fn begin(&mut self, policy: &dyn Policy) {
        self.desired = policy.stands_at_first().unwrap_or(self.config.setting.bounds.0);
        for _ in 0..self.desired {
            let id = self.replicas.ask(0.0);
            self.replicas.became_ready(id, self.config.setting.concurrency, 0.0);
        }
        self.push(0.0, Event::Decide);
    }

    fn push(&mut self, at_s: f64, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((Moment(at_s), self.sequence, event)));
    }

    /// The next thing that happens; without an event, the next job arrives. Ends when all jobs have, or when what is
    /// left will never end.
    fn next(&mut self) -> Option<(f64, Option<Event>)> {
        let job_s = self.trace.jobs.get(self.next_job).map_or(f64::INFINITY, |job| job.due_s);
        let event_s = self.events.peek().map_or(f64::INFINITY, |Reverse((at, ..))| at.0);
        let all_done = job_s.is_infinite() && self.waiting.is_empty() && self.active == 0;
        let never = self.trace.length_s * 1.5 + 7_200.0;
        if job_s.min(event_s) > never || (all_done && event_s > self.trace.length_s) {
            return None;
        }
        if job_s <= event_s {
            return Some((job_s, None));
        }
        self.events.pop().map(|Reverse((at, _, event))| (at.0, Some(event)))
    }

    fn arrive(&mut self) {
        let job = self.next_job as u32;
        self.due.remove(&(Moment(self.now_s), job));
        self.waiting.push_back(job);
        self.seen.arrived += 1;
        self.next_job += 1;
    }

    fn handle(&mut self, event: Event, policy: &mut dyn Policy) {
        match event {
            Event::Ended { replica, job } => {
                if self.replicas.is_gone(replica) {
                    return;
                }
                if let Some(jobs) = self.running.get_mut(&replica) {
                    jobs.retain(|it| *it != job);
                }
                self.replicas.job_ended(replica, self.now_s);
                self.active -= 1;
                self.seen.finished += 1;
                self.seen.run_times.push(self.trace.jobs[job as usize].run_s);
            }
            Event::Ready { replica } => {
                let took_s = self.replicas.became_ready(replica, self.config.setting.concurrency, self.now_s);
                self.seen.start_delays.extend(took_s);
            }
            Event::LimitOver => self.limit.waits = false,
            Event::GraceOver { replica } => self.kill(replica),
            Event::Decide => self.decide(policy),
        }
    }

    /// Jobs of a killed replica are found stalled and go back to the head of the line.
    fn kill(&mut self, replica: u32) {
        if self.replicas.is_gone(replica) {
            return;
        }
        self.replicas.kill(replica, self.now_s);
        for job in self.running.remove(&replica).unwrap_or_default() {
            self.outcome.killed += 1;
            self.active -= 1;
            self.waiting.push_front(job);
        }
    }

    fn decide(&mut self, policy: &mut dyn Policy) {
        while let Some(job) = self.announced.front().copied().filter(|it| self.job(*it).known_s <= self.now_s)
        {
            self.announced.pop_front();
            if self.job(job).due_s > self.now_s {
                self.due.insert((Moment(self.job(job).due_s), job), ());
            }
        }
        let due: Vec<f64> = self.due.keys().map(|(at, _)| at.0).collect();
        let oldest_wait_s = self.waiting.front().map_or(0.0, |job| self.now_s - self.job(*job).due_s);
        let view = View {
            now_s: self.now_s,
            waiting: self.waiting.len() as u64,
            active: self.active,
            oldest_wait_s,
            due: &due,
            arrived: self.seen.arrived,
            started: self.seen.started,
            finished: self.seen.finished,
            run_times: &self.seen.run_times,
            waits: &self.seen.waits,
            ready: self.replicas.ready,
            starting: self.replicas.starting,
            draining: self.replicas.draining,
            desired: self.desired,
            start_delays: &self.seen.start_delays,
        };
        let (least, most) = self.config.setting.bounds;
        let wanted = policy.decide(&view).clamp(least, most);
        self.note(wanted, oldest_wait_s);
        self.seen.run_times.clear();
        self.seen.waits.clear();
        self.seen.start_delays.clear();
        self.reach(wanted);
        let goes_on = self.next_job < self.trace.jobs.len() || !self.waiting.is_empty() || self.active > 0;
        if goes_on || self.now_s < self.trace.length_s {
            self.push(self.now_s + policy.interval_s(), Event::Decide);
        }
    }

    fn note(&mut self, wanted: u32, oldest_wait_s: f64) {
        if wanted != self.desired {
            let up = wanted > self.desired;
            self.outcome.actions += 1;
            self.outcome.flips += u64::from(
                self.last_direction.is_some_and(|(at_s, was_up)| was_up != up && self.now_s - at_s < 600.0),
            );
            self.last_direction = Some((self.now_s, up));
            self.desired = wanted;
        }
        let step_s = self.trace.length_s / POINTS;
        let point = Point {
            at_s: self.now_s,
            waiting: self.waiting.len() as u64,
            ready: self.replicas.ready,
            desired: wanted,
            oldest_wait_s,
        };
        match self.outcome.timeline.last_mut() {
            // A peak must not vanish between two points.
            Some(last) if self.now_s - last.at_s < step_s => {
                last.waiting = last.waiting.max(point.waiting);
                last.oldest_wait_s = last.oldest_wait_s.max(oldest_wait_s);
            }
            _ => self.outcome.timeline.push(point),
        }
    }

    fn reach(&mut self, wanted: u32) {
        while self.replicas.ready + self.replicas.starting < wanted {
            let spread = self.config.start_delay_spread * (2.0 * self.random.unit() - 1.0);
            let id = self.replicas.ask(self.now_s);
            self.push(
                self.now_s + self.config.start_delay_mean_s * (1.0 + spread),
                Event::Ready { replica: id },
            );
        }
        while self.replicas.ready + self.replicas.starting > wanted {
            self.outcome.scaled_down += 1;
            if !self.config.kill_on_scale_down {
                if self.replicas.drain_idlest(self.now_s).is_none() {
                    return;
                }
                continue;
            }
            let Some(id) = self.replicas.drain_any(self.now_s, &mut self.random) else { return };
            self.push(self.now_s + self.config.grace_s, Event::GraceOver { replica: id });
        }
    }

    fn hand_out(&mut self) {
        while self.replicas.has_free_slot() && !self.waiting.is_empty() && self.within_limit() {
            let Some(replica) = self.replicas.take_slot(&mut self.random) else { return };
            let Some(job) = self.waiting.pop_front() else { return };
            let wait_s = self.now_s - self.job(job).due_s;
            // A job that was killed and starts anew has waited as long as it did at first.
            self.waits[job as usize].get_or_insert(wait_s);
            self.seen.waits.push(wait_s);
            self.seen.started += 1;
            self.active += 1;
            if self.config.kill_on_scale_down {
                self.running.entry(replica).or_default().push(job);
            }
            self.push(self.now_s + self.job(job).run_s, Event::Ended { replica, job });
        }
    }

    fn within_limit(&mut self) -> bool {
        let Some(limit) = self.config.setting.limit_per_s else { return true };
        let second = self.now_s.floor() as i64;
        if second != self.limit.second {
            self.limit.second = second;
            self.limit.starts = 0.0;
        }
        if self.limit.starts + 1.0 <= limit.max(1.0) {
            self.limit.starts += 1.0;
            return true;
        }
        if !self.limit.waits {
            self.limit.waits = true;
            self.push(second as f64 + 1.0, Event::LimitOver);
        }
        false
    }

    fn job(&self, job: u32) -> &'a super::Job {
        &self.trace.jobs[job as usize]
    }
}
