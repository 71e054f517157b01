use serde::{Deserialize, Serialize};

/// No queue holds more than this.
const MOST: f64 = 1e12;
/// Entries of announced jobs that are looked at.
const MOST_DUE: usize = 700;
/// Longest run time and start that are believed, in seconds.
pub(super) const LONGEST_S: f64 = 86_400.0;

/// What was seen of a queue in one look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueLook {
    /// When, in seconds, by the clock of whoever looked.
    pub at_s: f64,
    /// Jobs that a free worker could take.
    pub waiting: f64,
    /// Jobs that are worked on.
    pub active: f64,
    /// For how long the oldest of the waiting could have been taken already, in seconds.
    pub oldest_s: f64,
    /// Jobs that became claimable, ever.
    pub arrived: f64,
    /// Jobs that were taken up, ever.
    pub started: f64,
    /// Jobs that ended, ever.
    pub finished: f64,
    /// Delayed jobs by when they fall due: seconds from the look, ascending, and how many.
    pub due: Vec<(f64, f64)>,
    /// Mean run time of jobs that ended lately, in seconds.
    pub run_s: Option<f64>,
    /// Most jobs a second over all workers.
    pub limit_per_s: Option<f64>,
    /// Most jobs at once over all workers.
    pub most_active: Option<f64>,
    /// Whether it is paused: nothing is taken.
    pub paused: bool,
}

impl QueueLook {
    /// Without figures that no queue can have; a store may answer anything.
    pub(super) fn sane(&self) -> Self {
        let sane = |it: f64| if it.is_finite() { it.clamp(0.0, MOST) } else { 0.0 };
        Self {
            at_s: if self.at_s.is_finite() { self.at_s.clamp(-MOST, MOST) } else { 0.0 },
            waiting: sane(self.waiting),
            active: sane(self.active),
            oldest_s: sane(self.oldest_s),
            arrived: sane(self.arrived),
            started: sane(self.started),
            finished: sane(self.finished),
            due: self.due.iter().take(MOST_DUE).map(|(in_s, jobs)| (sane(*in_s), sane(*jobs))).collect(),
            run_s: self.run_s.map(|it| sane(it).min(LONGEST_S)),
            limit_per_s: self.limit_per_s.map(sane),
            most_active: self.most_active.map(sane),
            paused: self.paused,
        }
    }
}
