use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Setting, Trace};

/// Replica-seconds that no policy can do without: the fewest replicas are always there and serve in order; a job that
/// they cannot take up before its deadline is bought at that very moment, with no start and no idle slot. It knows the
/// future, buys parts of replicas and loses nothing: whole replicas, starts and the grain of jobs make 1.0 unreachable.
pub fn bound(trace: &Trace, setting: &Setting) -> f64 {
    let mut bought_s = 0.0;
    buy(trace, setting, |_, run_s| bought_s += run_s);
    f64::from(setting.bounds.0) * trace.length_s + bought_s / f64::from(setting.concurrency)
}

/// The bound's replicas over time: the mean of each of `steps` equal stretches of the trace.
pub fn bound_over_time(trace: &Trace, setting: &Setting, steps: usize) -> Vec<f64> {
    let step_s = (trace.length_s / steps.max(1) as f64).max(1e-9);
    let mut replicas = vec![f64::from(setting.bounds.0); steps];
    let share = 1.0 / (step_s * f64::from(setting.concurrency));
    buy(trace, setting, |at_s, run_s| {
        let end_s = at_s + run_s;
        for (step, replicas) in replicas.iter_mut().enumerate().skip((at_s / step_s) as usize) {
            let (from_s, to_s) = (step as f64 * step_s, (step as f64 + 1.0) * step_s);
            if from_s >= end_s {
                break;
            }
            *replicas += (to_s.min(end_s) - from_s.max(at_s)) * share;
        }
    });
    replicas
}

/// Serves the trace; says when it buys a job, and how long that one runs.
fn buy(trace: &Trace, setting: &Setting, mut bought: impl FnMut(f64, f64)) {
    let slots = setting.bounds.0 * setting.concurrency;
    let mut free: BinaryHeap<Reverse<Moment>> = (0..slots).map(|_| Reverse(Moment(0.0))).collect();
    for job in &trace.jobs {
        let deadline_s = job.due_s + setting.target_wait_s;
        match free.pop() {
            Some(Reverse(Moment(at_s))) if at_s <= deadline_s => {
                free.push(Reverse(Moment(at_s.max(job.due_s) + job.run_s)));
            }
            earliest => {
                free.extend(earliest);
                bought(deadline_s, job.run_s);
            }
        }
    }
}

/// A moment in seconds, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment(pub(super) f64);

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Job;
    use super::*;

    fn setting(fewest: u32) -> Setting {
        Setting {
            target_wait_s: 30.0,
            concurrency: 1,
            bounds: (fewest, 10),
            mean_run_s: 10.0,
            mean_start_s: 30.0,
            limit_per_s: None,
        }
    }

    #[test]
    fn only_what_the_fewest_replicas_cannot_take_up_in_time_is_bought() {
        // One replica takes up four of six jobs of 10 s within 30 s: at 0, 10, 20 and 30 s.
        let trace = Trace::new("a", vec![Job::at(0.0, 10.0); 6], 100.0);
        assert_eq!(bound(&trace, &setting(1)), 120.0);
        assert_eq!(bound(&trace, &setting(0)), 60.0);
    }

    #[test]
    fn over_time_it_is_the_same_amount() {
        let trace = Trace::new("a", vec![Job::at(0.0, 10.0); 6], 100.0);
        let replicas = bound_over_time(&trace, &setting(1), 10);
        assert_eq!(replicas, [1.0, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
