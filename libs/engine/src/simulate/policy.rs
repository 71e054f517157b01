//! What every scaling policy sees and answers, ours and the published ones alike.

/// The world as a policy can see it: what a real controller could have read at that moment, and nothing more.
#[derive(Clone, Debug, Default)]
pub struct View<'a> {
    /// Seconds since the trace began.
    pub now_s: f64,
    /// Jobs that wait and that a free worker could take.
    pub waiting: u64,
    /// Jobs that are being worked on.
    pub active: u64,
    /// For how long the oldest waiting job has waited; 0 when none waits.
    pub oldest_wait_s: f64,
    /// Due times of the delayed jobs that are known now, ascending, in seconds since the trace began.
    pub due: &'a [f64],
    /// Jobs that became claimable since the trace began.
    pub arrived: u64,
    /// Jobs that were taken up since the trace began.
    pub started: u64,
    /// Jobs that ended since the trace began.
    pub finished: u64,
    /// Run times of the jobs that ended since the last decision, in seconds.
    pub run_times: &'a [f64],
    /// Waits of the jobs that were taken up since the last decision, in seconds.
    pub waits: &'a [f64],
    /// Replicas that take jobs.
    pub ready: u32,
    /// Replicas that have been asked for and do not take jobs yet.
    pub starting: u32,
    /// Replicas that end their jobs and take no more.
    pub draining: u32,
    /// Replicas that were last asked for.
    pub desired: u32,
    /// Time from request to first job of the replicas that became ready since the last decision, in seconds.
    pub start_delays: &'a [f64],
}

/// What all policies are told before a run.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The wait that 95 of 100 jobs should stay under, in seconds. Later is late.
    pub target_wait_s: f64,
    /// Jobs that one replica works on at once.
    pub concurrency: u32,
    /// Fewest and most replicas.
    pub bounds: (u32, u32),
    /// Mean run time in seconds, which some published formulas must be told by their operator.
    pub mean_run_s: f64,
    /// Mean start delay in seconds, likewise.
    pub mean_start_s: f64,
    /// The queue's limit, jobs per second over all workers.
    pub limit_per_s: Option<f64>,
}

/// A scaling policy. Same views, same answers: it draws no random numbers and reads no clock.
pub trait Policy {
    /// Its name in tables.
    fn name(&self) -> &str;
    /// Seconds between two decisions.
    fn interval_s(&self) -> f64;
    /// How many replicas stand when the trace begins; `None`: the fewest.
    fn stands_at_first(&self) -> Option<u32> {
        None
    }
    /// How many replicas should be asked for. The simulator clamps it to the bounds.
    fn decide(&mut self, view: &View<'_>) -> u32;
}
