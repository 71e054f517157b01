//! Knative's pod autoscaler (KPA).
//!
//! Source: knative/serving `config/core/configmaps/autoscaler.yaml`, `pkg/autoscaler/scaling/autoscaler.go`. Waiting jobs
//! stand for the requests that its proxies hold. Every tick `ceil(mean concurrency / target)` over a stable and a panic
//! window; a panic never scales down.

use super::super::{Policy, Setting, View};
use super::window::Window;

/// `tick-interval`, fixed in the source.
const TICK_S: f64 = 2.0;
/// `stable-window`.
const STABLE_S: f64 = 60.0;
/// `panic-window-percentage` of 10 %.
const PANIC_S: f64 = 6.0;
/// `panic-threshold-percentage` of 200 %.
const PANIC_THRESHOLD: f64 = 2.0;
/// `container-concurrency-target-percentage` of 70 %.
const UTILISATION: f64 = 0.7;
/// `max-scale-up-rate`.
const UP_RATE: f64 = 1000.0;
/// `max-scale-down-rate`.
const DOWN_RATE: f64 = 2.0;
/// `scale-to-zero-grace-period`.
const ZERO_GRACE_S: f64 = 30.0;

/// The KPA.
#[derive(Debug)]
pub struct Knative {
    name: &'static str,
    target: f64,
    concurrency: Window,
    panic_since_s: Option<f64>,
    panic_most: f64,
    delay: Option<Window>,
    idle_since_s: Option<f64>,
}

impl Knative {
    /// Every default.
    pub fn published(setting: &Setting) -> Self {
        Self::new("knative", UTILISATION, None, setting)
    }

    /// For jobs that can wait: full use, and `scale-down-delay` of 120 s.
    pub fn tuned(setting: &Setting) -> Self {
        Self::new("knative-tuned", 1.0, Some(120.0), setting)
    }

    fn new(name: &'static str, utilisation: f64, delay_s: Option<f64>, setting: &Setting) -> Self {
        Self {
            name,
            target: utilisation * f64::from(setting.concurrency.max(1)),
            concurrency: Window::new(STABLE_S),
            panic_since_s: None,
            panic_most: 0.0,
            delay: delay_s.map(Window::new),
            idle_since_s: None,
        }
    }

    /// The larger need while it panics, else the stable one.
    fn need(&mut self, now_s: f64, ready: f64) -> f64 {
        let (fewest, most) = ((ready / DOWN_RATE).floor(), (UP_RATE * ready).ceil());
        let stable = (self.concurrency.mean_over(now_s, STABLE_S) / self.target).ceil();
        let panic = (self.concurrency.mean_over(now_s, PANIC_S) / self.target).ceil();
        if panic / ready >= PANIC_THRESHOLD {
            self.panic_since_s = Some(now_s);
        } else if self.panic_since_s.is_some_and(|since_s| since_s + STABLE_S < now_s) {
            self.panic_since_s = None;
            self.panic_most = 0.0;
        }
        let stable = stable.max(fewest).min(most);
        if self.panic_since_s.is_none() {
            return stable;
        }
        self.panic_most = self.panic_most.max(stable).max(panic.max(fewest).min(most));
        self.panic_most
    }
}

impl Policy for Knative {
    fn name(&self) -> &str {
        self.name
    }

    fn interval_s(&self) -> f64 {
        TICK_S
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        self.concurrency.push(view.now_s, (view.waiting + view.active) as f64);
        let mut need = self.need(view.now_s, f64::from(view.ready.max(1)));
        if let Some(delay) = &mut self.delay {
            delay.push(view.now_s, need);
            need = delay.most();
        }
        if need > 0.0 {
            self.idle_since_s = None;
            return need as u32;
        }
        let idle_since_s = *self.idle_since_s.get_or_insert(view.now_s);
        let over = view.now_s - idle_since_s >= ZERO_GRACE_S;
        if over { 0 } else { view.desired.min(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::setting;
    use super::*;

    fn view(now_s: f64, concurrency: u64, ready: u32) -> View<'static> {
        View { now_s, active: concurrency, ready, desired: ready, ..View::default() }
    }

    #[test]
    fn mean_concurrency_over_seven_tenths_of_the_limit() {
        let mut kpa = Knative::published(&setting());
        let mut tuned = Knative::tuned(&setting());
        let (mut last, mut last_tuned) = (0, 0);
        for tick in 0..40 {
            last = kpa.decide(&view(f64::from(tick) * 2.0, 70, 10));
            last_tuned = tuned.decide(&view(f64::from(tick) * 2.0, 70, 10));
        }
        assert_eq!((last, last_tuned), (10, 7));
    }

    #[test]
    fn twice_the_ready_replicas_is_a_panic_that_lasts_a_stable_window() {
        let mut kpa = Knative::published(&setting());
        for tick in 0..30 {
            kpa.decide(&view(f64::from(tick) * 2.0, 7, 1));
        }
        assert_eq!(kpa.decide(&view(60.0, 63, 1)), 4, "(7 + 7 + 63) / 3 / 7");
        assert_eq!(kpa.decide(&view(62.0, 0, 4)), 4, "a panic never scales down");
        assert_eq!(kpa.decide(&view(120.0, 7, 4)), 4);
        assert!(kpa.decide(&view(124.0, 7, 4)) < 4);
    }

    #[test]
    fn down_by_half_a_tick_at_most() {
        let mut kpa = Knative::published(&setting());
        assert_eq!(kpa.decide(&view(0.0, 7, 100)), 50);
    }

    #[test]
    fn the_delay_keeps_the_most_of_two_minutes() {
        let mut kpa = Knative::tuned(&setting());
        assert_eq!(kpa.decide(&view(0.0, 100, 10)), 10);
        assert_eq!(kpa.decide(&view(118.0, 10, 10)), 10);
        assert_eq!(kpa.decide(&view(120.0, 10, 10)), 5);
    }
}
