//! KEDA's Redis scaler with Kubernetes' HPA behind it.
//!
//! Source: kedacore/keda `pkg/scalers/redis_scaler.go`, `pkg/scaling/executor/scale_executor.go`,
//! `apis/keda/v1alpha1/withtriggers_types.go`; the HPA's part in [`super::horizontal`]. KEDA itself moves between zero and
//! one; from one on the HPA takes `ceil(length / listLength)`.

use super::super::{Policy, Setting, View};
use super::horizontal::{Horizontal, SYNC_S, tolerated};
use super::replicas;
use super::timer::Timer;

/// `listLength` when the operator sets none.
const LIST_LENGTH: f64 = 5.0;
/// `pollingInterval` when the operator sets none.
const POLLING_S: f64 = 30.0;
/// `cooldownPeriod` when the operator sets none; only for the step to zero.
const COOLDOWN_S: f64 = 300.0;

/// What the scaler is made to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    /// The length of the `wait` list, all that one Redis trigger can read of a BullMQ queue.
    Wait,
    /// `wait + active`, a formula over two named triggers.
    WaitAndActive,
}

/// KEDA.
#[derive(Debug)]
pub struct Keda {
    name: &'static str,
    metric: Metric,
    target: f64,
    polling_s: f64,
    fewest: u32,
    horizontal: Horizontal,
    poll: Timer,
    sync: Timer,
    active_at_s: f64,
}

impl Keda {
    /// The wait list, 5 jobs a replica, 30 s.
    pub fn published(setting: &Setting) -> Self {
        Self::new("keda", Metric::Wait, LIST_LENGTH, POLLING_S, setting)
    }

    /// What experienced operators set: `(wait + active) / concurrency`, asked every 5 s.
    pub fn tuned(setting: &Setting) -> Self {
        let target = f64::from(setting.concurrency.max(1));
        Self::new("keda-tuned", Metric::WaitAndActive, target, 5.0, setting)
    }

    fn new(name: &'static str, metric: Metric, target: f64, polling_s: f64, setting: &Setting) -> Self {
        Self {
            name,
            metric,
            target,
            polling_s,
            fewest: setting.bounds.0,
            horizontal: Horizontal::new(),
            poll: Timer::every(polling_s),
            sync: Timer::every(SYNC_S),
            active_at_s: 0.0,
        }
    }

    fn length(&self, view: &View<'_>) -> f64 {
        match self.metric {
            Metric::Wait => view.waiting as f64,
            Metric::WaitAndActive => (view.waiting + view.active) as f64,
        }
    }

    /// KEDA's own loop. Activates to `max(1, minReplicaCount)`; deactivates at once to zero after the cool-down.
    fn poll(&mut self, view: &View<'_>) -> u32 {
        if self.length(view) > 0.0 {
            self.active_at_s = view.now_s;
            return view.desired.max(1);
        }
        let cooled = view.now_s - self.active_at_s >= COOLDOWN_S;
        if self.fewest == 0 && cooled { 0 } else { view.desired }
    }

    /// The HPA's rule for an `AverageValue` of an external metric.
    fn recommend(&self, view: &View<'_>) -> u32 {
        let pods = f64::from((view.ready + view.starting).max(1));
        let length = self.length(view);
        if tolerated(length / (self.target * pods)) {
            return view.desired;
        }
        replicas(length / self.target)
    }
}

impl Policy for Keda {
    fn name(&self) -> &str {
        self.name
    }

    fn interval_s(&self) -> f64 {
        self.polling_s.min(SYNC_S)
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        if self.poll.elapsed(view.now_s) {
            let polled = self.poll(view);
            if polled == 0 || view.desired == 0 {
                self.horizontal.forget();
                return polled;
            }
        }
        if view.desired == 0 || !self.sync.elapsed(view.now_s) {
            return view.desired;
        }
        let recommendation = self.recommend(view).max(self.fewest).max(1);
        self.horizontal.next(view, recommendation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::setting;
    use super::*;

    fn view(now_s: f64, waiting: u64, active: u64, desired: u32) -> View<'static> {
        View { now_s, waiting, active, desired, ready: desired, ..View::default() }
    }

    #[test]
    fn length_over_list_length_rounded_up() {
        assert_eq!(Keda::published(&setting()).recommend(&view(0.0, 101, 50, 4)), 21);
        assert_eq!(Keda::tuned(&setting()).recommend(&view(0.0, 101, 50, 4)), 16);
    }

    #[test]
    fn the_tolerance_keeps_20_replicas_at_a_need_of_22() {
        assert_eq!(Keda::published(&setting()).recommend(&view(0.0, 110, 0, 20)), 20);
        assert_eq!(Keda::published(&setting()).recommend(&view(0.0, 111, 0, 20)), 23);
    }

    #[test]
    fn busy_replicas_look_idle_to_the_wait_list() {
        assert_eq!(Keda::published(&setting()).recommend(&view(0.0, 0, 200, 20)), 0);
    }

    #[test]
    fn zero_is_left_at_a_poll_and_reached_after_the_cool_down() {
        let mut keda = Keda::published(&Setting { bounds: (0, 400), ..setting() });
        assert_eq!(keda.decide(&view(0.0, 0, 0, 0)), 0);
        assert_eq!(keda.decide(&view(15.0, 80, 0, 0)), 0, "no poll yet");
        assert_eq!(keda.decide(&view(30.0, 80, 0, 0)), 1);
        assert_eq!(keda.decide(&view(45.0, 80, 0, 1)), 5, "the HPA's turn: at most four more");
        for tick in 4..22 {
            let now_s = f64::from(tick) * 15.0;
            assert!(keda.decide(&view(now_s, 0, 0, 5)) > 0, "still cooling down at {now_s} s");
        }
        assert_eq!(keda.decide(&view(330.0, 0, 0, 5)), 0);
    }
}
