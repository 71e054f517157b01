//! A trace: the jobs that came, when, and how long each takes.

/// One job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// When it may be taken up, in seconds since the trace began.
    pub due_s: f64,
    /// When that time became known; earlier than `due_s` only for a delayed job.
    pub known_s: f64,
    /// For how long one worker is busy with it, in seconds.
    pub run_s: f64,
}

/// A stretch of arrivals.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its name in tables.
    pub name: String,
    /// By `due_s`, ascending.
    pub jobs: Vec<Job>,
    /// Its length; at least the last `due_s`.
    pub length_s: f64,
}

impl Trace {
    /// Puts the jobs in order.
    pub fn new(name: impl Into<String>, mut jobs: Vec<Job>, length_s: f64) -> Self {
        jobs.sort_by(|one, other| one.due_s.total_cmp(&other.due_s));
        let last = jobs.last().map_or(0.0, |job| job.due_s);
        Self { name: name.into(), jobs, length_s: length_s.max(last) }
    }
}

impl Job {
    /// A job that is due as soon as it is known.
    pub fn at(due_s: f64, run_s: f64) -> Self {
        Self { due_s, known_s: due_s, run_s }
    }
}
