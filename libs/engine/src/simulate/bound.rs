use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Setting, Trace};

/// Replica-seconds that no policy can do without: the fewest replicas are always there and serve in order; a job that
/// they cannot take up before its deadline is bought at that very moment, with no start and no idle slot. It knows the
/// future, buys parts of replicas and loses nothing: whole replicas, starts and the grain of jobs make 1.0 unreachable.
pub fn bound(trace: &Trace, setting: &Setting) -> f64 {
    let slots = setting.bounds.0 * setting.concurrency;
    let mut free: BinaryHeap<Reverse<Moment>> = (0..slots).map(|_| Reverse(Moment(0.0))).collect();
    let mut bought_s = 0.0;
    for job in &trace.jobs {
        match free.pop() {
            Some(Reverse(Moment(at_s))) if at_s <= job.due_s + setting.target_wait_s => {
                free.push(Reverse(Moment(at_s.max(job.due_s) + job.run_s)));
            }
            earliest => {
                free.extend(earliest);
                bought_s += job.run_s;
            }
        }
    }
    f64::from(setting.bounds.0) * trace.length_s + bought_s / f64::from(setting.concurrency)
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
