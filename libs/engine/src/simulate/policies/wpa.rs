//! practo's worker pod autoscaler (WPA).
//!
//! Source: practo/k8s-worker-pod-autoscaler `pkg/controller/controller.go` (`GetDesiredWorkers`, `getMinWorkers`) and its
//! README: `ceil((visible + reserved) / targetMessagesPerWorker)`, never under what the arrivals of a minute need,
//! tolerance 10 %, resync 20 s, down only 10 minutes after it last scaled.

use std::collections::VecDeque;

use super::super::{Policy, Setting, View};
use super::replicas;

/// `--resync-period`.
const RESYNC_S: f64 = 20.0;
/// `--scale-down-delay-after-last-scale-activity`.
const DOWN_DELAY_S: f64 = 600.0;
/// In the source.
const TOLERANCE: f64 = 0.1;
/// `messagesSentPerMinute` is over a minute.
const RATE_OVER_S: f64 = 60.0;

/// The WPA.
#[derive(Debug)]
pub struct WorkerPodAutoscaler {
    name: &'static str,
    target: f64,
    seconds_per_job: f64,
    bounds: (u32, u32),
    arrived: VecDeque<(f64, u64)>,
    scaled_at_s: f64,
}

impl WorkerPodAutoscaler {
    /// Told the true run time. The README leaves the target to the operator: here what a worker does in a quarter of the
    /// target wait, at least what it does at once.
    pub fn published(setting: &Setting) -> Self {
        let share = (0.25 * setting.target_wait_s / setting.mean_run_s).max(1.0);
        Self::new("wpa", f64::from(setting.concurrency.max(1)) * share, setting)
    }

    /// As many messages a worker as it works on at once.
    pub fn tuned(setting: &Setting) -> Self {
        Self::new("wpa-tuned", f64::from(setting.concurrency.max(1)), setting)
    }

    fn new(name: &'static str, target: f64, setting: &Setting) -> Self {
        Self {
            name,
            target,
            seconds_per_job: setting.mean_run_s / f64::from(setting.concurrency.max(1)),
            bounds: setting.bounds,
            arrived: VecDeque::new(),
            scaled_at_s: f64::NEG_INFINITY,
        }
    }

    fn per_minute(&mut self, view: &View<'_>) -> f64 {
        self.arrived.push_back((view.now_s, view.arrived));
        while self.arrived.get(1).is_some_and(|(at_s, _)| at_s + RATE_OVER_S <= view.now_s) {
            self.arrived.pop_front();
        }
        let (at_s, before) = self.arrived.front().copied().unwrap_or((view.now_s, view.arrived));
        let elapsed_s = view.now_s - at_s;
        if elapsed_s > 0.0 { (view.arrived - before) as f64 * 60.0 / elapsed_s } else { 0.0 }
    }

    /// `GetDesiredWorkers` with `maxDisruption` of 100 %.
    fn desired(&self, view: &View<'_>, per_minute: f64) -> u32 {
        let fewest = self.bounds.0.max(replicas(self.seconds_per_job * per_minute / 60.0));
        if fewest >= self.bounds.1 {
            return self.bounds.1;
        }
        let messages = view.waiting + view.active;
        let current = f64::from(view.desired);
        let wanted = (messages as f64 / self.target).ceil();
        let wanted = match messages {
            0 if per_minute > 0.0 => f64::from(fewest),
            0 => 0.0,
            _ if view.desired > 0 && (wanted - current).abs() / current <= TOLERANCE => current,
            _ => wanted,
        };
        replicas(wanted).clamp(fewest, self.bounds.1)
    }
}

impl Policy for WorkerPodAutoscaler {
    fn name(&self) -> &str {
        self.name
    }

    fn interval_s(&self) -> f64 {
        RESYNC_S
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let per_minute = self.per_minute(view);
        let desired = self.desired(view, per_minute);
        if desired == view.desired || desired < view.desired && view.now_s - self.scaled_at_s < DOWN_DELAY_S {
            return view.desired;
        }
        self.scaled_at_s = view.now_s;
        desired
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::setting;
    use super::*;

    fn view(now_s: f64, messages: u64, desired: u32, arrived: u64) -> View<'static> {
        View { now_s, waiting: messages, desired, ready: desired, arrived, ..View::default() }
    }

    #[test]
    fn messages_over_target_and_never_under_what_the_arrivals_need() {
        let policy = WorkerPodAutoscaler::published(&setting());
        assert_eq!(policy.target, 150.0);
        assert_eq!(policy.desired(&view(0.0, 1501, 2, 0), 0.0), 11);
        // 0.05 s of a worker for each of 12,000 jobs a minute.
        assert_eq!(policy.desired(&view(0.0, 1, 2, 0), 12_000.0), 10);
        assert_eq!(policy.desired(&view(0.0, 0, 2, 0), 12_000.0), 10);
    }

    #[test]
    fn a_tenth_is_too_small_a_change() {
        let policy = WorkerPodAutoscaler::published(&setting());
        assert_eq!(policy.desired(&view(0.0, 11 * 150, 10, 0), 0.0), 10);
        assert_eq!(policy.desired(&view(0.0, 12 * 150, 10, 0), 0.0), 12);
    }

    #[test]
    fn it_scales_down_ten_minutes_after_it_last_scaled() {
        let mut policy = WorkerPodAutoscaler::published(&setting());
        assert_eq!(policy.decide(&view(0.0, 1500, 1, 0)), 10);
        assert_eq!(policy.decide(&view(580.0, 150, 10, 0)), 10);
        assert_eq!(policy.decide(&view(600.0, 150, 10, 0)), 1);
    }

    #[test]
    fn the_rate_is_that_of_the_last_minute() {
        let mut policy = WorkerPodAutoscaler::published(&setting());
        for (now_s, arrived) in [(0.0, 0), (20.0, 100), (40.0, 200), (60.0, 300)] {
            policy.per_minute(&view(now_s, 0, 1, arrived));
        }
        assert_eq!(policy.per_minute(&view(80.0, 0, 1, 700)), 600.0);
    }
}
