//! What a run came to, from the waits of its jobs and what its replicas cost.

use super::Outcome;
use super::bound::bound;
use super::run::World;

impl World<'_> {
    pub(super) fn outcome(mut self) -> Outcome {
        let target_s = self.config.setting.target_wait_s + 1e-9;
        let mut outcome = std::mem::take(&mut self.outcome);
        let mut waits: Vec<f64> = self.waits.iter().flatten().copied().collect();
        waits.sort_by(f64::total_cmp);
        let of = |share: f64| {
            waits.get(((waits.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or(0.0)
        };
        outcome.jobs = self.trace.jobs.len() as u64;
        outcome.unfinished = outcome.jobs - self.seen.finished.min(outcome.jobs);
        let never = (self.trace.jobs.len() - waits.len()) as u64;
        outcome.late = waits.iter().filter(|it| **it > target_s).count() as u64 + never;
        outcome.late_share = outcome.late as f64 / outcome.jobs.max(1) as f64;
        (outcome.p50_wait_s, outcome.p95_wait_s, outcome.p99_wait_s) = (of(0.5), of(0.95), of(0.99));
        outcome.max_wait_s = of(1.0);
        outcome.replica_seconds = self.replicas.paid_s(self.trace.length_s);
        outcome.lower_bound_replica_seconds = bound(self.trace, &self.config.setting);
        outcome.cost_ratio = outcome.replica_seconds / outcome.lower_bound_replica_seconds.max(1e-9);
        outcome.actions_per_hour = outcome.actions as f64 / (self.trace.length_s / 3_600.0).max(1e-9);
        outcome
    }
}
