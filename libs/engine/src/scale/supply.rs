//! What replicas can start by when, and what must have been started by when.

use serde::{Deserialize, Serialize};

/// The replicas of a service as its autoscaler sees them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// Replicas that take jobs.
    pub ready: u16,
    /// Ages of those that were asked for and do not take jobs yet, in seconds.
    pub starting_s: Vec<f64>,
    /// Replicas that were asked for and will not come: given up.
    pub lost: u16,
}

impl Fleet {
    /// Replicas that take jobs now or soon.
    pub(super) fn coming(&self) -> f64 {
        f64::from(self.ready) + self.starting_s.len() as f64
    }
}

/// Jobs that replicas can have started `in_s` from now.
#[derive(Clone, Debug)]
pub(super) struct Supply<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) concurrency: f64,
    pub(super) run_s: f64,
    pub(super) active: f64,
    pub(super) start_delay_s: f64,
}

impl Supply<'_> {
    /// Free slots at once, freed slots over time, less one standard deviation of their number: run times vary.
    pub(super) fn jobs(&self, in_s: f64) -> f64 {
        let slots = f64::from(self.fleet.ready) * self.concurrency;
        let mut freed = slots * in_s / self.run_s;
        let mut jobs = (slots - self.active).max(0.0) + freed;
        for age_s in &self.fleet.starting_s {
            let left_s = (self.start_delay_s - age_s).max(1.0);
            if in_s > left_s {
                let more = self.concurrency * (in_s - left_s) / self.run_s;
                freed += more;
                jobs += self.concurrency + more;
            }
        }
        jobs - freed.sqrt().min(0.2 * jobs)
    }

    /// Jobs that one more replica, asked for now, can have started.
    pub(super) fn of_one_more(&self, in_s: f64) -> f64 {
        self.concurrency * (1.0 + (in_s - self.start_delay_s) / self.run_s)
    }

    /// Jobs that one of the ready replicas can start, when the work is spread evenly.
    pub(super) fn of_one_ready(&self, in_s: f64) -> f64 {
        let busy = match self.fleet.ready {
            0 => 0.0,
            ready => (self.active / f64::from(ready)).min(self.concurrency),
        };
        self.concurrency - busy + self.concurrency * in_s / self.run_s
    }
}

/// Jobs by the time at which they must have been started, ascending.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines(Vec<(f64, f64)>);

impl Deadlines {
    pub(super) fn new(mut points: Vec<(f64, f64)>) -> Self {
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        Self(points)
    }

    /// Jobs that must have been started `in_s` from now.
    pub(super) fn by(&self, in_s: f64) -> f64 {
        self.0.iter().take_while(|(at_s, _)| *at_s <= in_s).map(|(_, jobs)| jobs).sum()
    }

    /// Jobs that can no longer be started in time (before `savable_s`) are to be started by `instead_s`: worked off
    /// soon, but not at any price.
    pub(super) fn forgiving(&self, savable_s: f64, instead_s: f64) -> Self {
        Self::new(
            self.0
                .iter()
                .map(|(at_s, jobs)| (if *at_s < savable_s { instead_s } else { *at_s }, *jobs))
                .collect(),
        )
    }
}
