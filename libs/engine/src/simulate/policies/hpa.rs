//! Kubernetes' HPA on CPU utilisation, the autoscaler that a cluster has before anybody thinks of queues.
//!
//! Source: as [`super::horizontal`]. `desired = ceil(current · utilisation / target)`; replicas that are not ready count as
//! idle on the way up and not at all on the way down. The share of busy job slots stands for the CPU.

use super::super::{Policy, Setting, View};
use super::horizontal::{Horizontal, SYNC_S, tolerated};
use super::replicas;

/// The customary target; Kubernetes' own walkthroughs use 50 to 80 %.
const TARGET: f64 = 0.7;

/// Keeps the replicas 70 % busy.
#[derive(Debug)]
pub struct CpuUtilisation {
    concurrency: f64,
    fewest: u32,
    horizontal: Horizontal,
}

impl CpuUtilisation {
    /// 70 %, default `behavior`. On CPU the HPA cannot leave zero, so it does not go there.
    pub fn published(setting: &Setting) -> Self {
        Self {
            concurrency: f64::from(setting.concurrency.max(1)),
            fewest: setting.bounds.0.max(1),
            horizontal: Horizontal::new(),
        }
    }

    fn recommend(&self, view: &View<'_>) -> u32 {
        let (ready, starting) = (f64::from(view.ready), f64::from(view.starting));
        if view.ready == 0 {
            return view.desired;
        }
        let ratio = |pods: f64| view.active as f64 / (pods * self.concurrency) / TARGET;
        if ratio(ready) <= 1.0 || view.starting == 0 {
            return if tolerated(ratio(ready)) { view.desired } else { replicas(ratio(ready) * ready) };
        }
        let with_starting = ratio(ready + starting);
        if tolerated(with_starting) || with_starting < 1.0 {
            return view.desired;
        }
        replicas(with_starting * (ready + starting))
    }
}

impl Policy for CpuUtilisation {
    fn name(&self) -> &str {
        "hpa"
    }

    fn interval_s(&self) -> f64 {
        SYNC_S
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let recommendation = self.recommend(view).max(self.fewest);
        self.horizontal.next(view, recommendation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::setting;
    use super::*;

    fn recommended(active: u64, ready: u32, starting: u32) -> u32 {
        let view = View { active, ready, starting, desired: ready + starting, ..View::default() };
        CpuUtilisation::published(&setting()).recommend(&view)
    }

    #[test]
    fn current_times_utilisation_over_target() {
        // 10 replicas of 10 slots at 100 %: 10 · 1.0 / 0.7, rounded up.
        assert_eq!(recommended(100, 10, 0), 15);
        assert_eq!(recommended(35, 10, 0), 5);
    }

    #[test]
    fn within_ten_percent_nothing_changes() {
        assert_eq!(recommended(76, 10, 0), 10);
    }

    #[test]
    fn starting_replicas_count_as_idle_on_the_way_up() {
        assert_eq!(recommended(100, 10, 5), 15);
        assert_eq!(recommended(100, 10, 2), 15);
    }
}
