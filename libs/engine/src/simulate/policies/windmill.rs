//! Windmill's autoscaling of worker groups.
//!
//! Source: windmill.dev/docs/core_concepts/autoscaling, and the defaults of its settings page in windmill-labs/windmill
//! (`AutoscalingConfigEditor`). Every 30 s: more waiting jobs than the most workers: all workers, whatever the cool-down;
//! waiting jobs, or occupancy above 75 % over 15 s, 5 min and 30 min: a fifth of the range more; occupancy below 25 % over
//! all three: a fifth less.

use super::super::{Policy, Setting, View};
use super::replicas;
use super::timer::Timer;
use super::window::Window;

/// How often it decides.
const INTERVAL_S: f64 = 30.0;
/// How often the occupancy is sampled.
const SAMPLE_S: f64 = 5.0;
/// "Num jobs waiting to trigger an incremental scale-out".
const WAITING: u64 = 1;
/// "Min occupancy rate" and "Max occupancy rate".
const OCCUPANCY: (f64, f64) = (0.25, 0.75);
/// Windows that must agree.
const OVER_S: [f64; 3] = [15.0, 300.0, 1800.0];
/// "Cooldown seconds after incremental scale-in/out".
const COOLDOWN_S: f64 = 300.0;
/// "Cooldown seconds after full scale out".
const FULL_COOLDOWN_S: f64 = 1500.0;
/// "Num workers to scale-in/out by": this part of the range.
const PARTS: f64 = 5.0;

/// Windmill's autoscaler.
#[derive(Debug)]
pub struct Windmill {
    concurrency: f64,
    bounds: (u32, u32),
    step: u32,
    occupancy: Window,
    decision: Timer,
    calm_at_s: f64,
}

impl Windmill {
    /// Every default.
    pub fn published(setting: &Setting) -> Self {
        let (fewest, most) = setting.bounds;
        Self {
            concurrency: f64::from(setting.concurrency.max(1)),
            bounds: setting.bounds,
            step: replicas((f64::from(most.saturating_sub(fewest)) / PARTS).floor()).max(1),
            occupancy: Window::new(OVER_S[2]),
            decision: Timer::every(INTERVAL_S),
            calm_at_s: 0.0,
        }
    }

    fn occupied(&self, now_s: f64, when: impl Fn(f64) -> bool) -> bool {
        OVER_S.iter().all(|over_s| when(self.occupancy.mean_over(now_s, *over_s)))
    }
}

impl Policy for Windmill {
    fn name(&self) -> &str {
        "windmill"
    }

    fn interval_s(&self) -> f64 {
        SAMPLE_S
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let slots = f64::from(view.ready + view.draining) * self.concurrency;
        let occupancy = if slots > 0.0 { view.active as f64 / slots } else { 0.0 };
        self.occupancy.push(view.now_s, occupancy);
        if !self.decision.elapsed(view.now_s) {
            return view.desired;
        }
        let (fewest, most) = self.bounds;
        if view.waiting > u64::from(most) && view.desired < most {
            self.calm_at_s = view.now_s + FULL_COOLDOWN_S;
            return most;
        }
        if view.now_s < self.calm_at_s {
            return view.desired;
        }
        let more = view.waiting > WAITING || self.occupied(view.now_s, |it| it > OCCUPANCY.1);
        let next = if more {
            view.desired.saturating_add(self.step).min(most)
        } else if self.occupied(view.now_s, |it| it < OCCUPANCY.0) {
            view.desired.saturating_sub(self.step).max(fewest)
        } else {
            view.desired
        };
        if next != view.desired {
            self.calm_at_s = view.now_s + COOLDOWN_S;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::setting;
    use super::*;

    fn small() -> Windmill {
        Windmill::published(&Setting { bounds: (1, 11), concurrency: 1, ..setting() })
    }

    fn view(now_s: f64, waiting: u64, active: u64, desired: u32) -> View<'static> {
        View { now_s, waiting, active, desired, ready: desired, ..View::default() }
    }

    #[test]
    fn a_fifth_of_the_range_more_when_jobs_wait_then_a_cool_down() {
        let mut policy = small();
        assert_eq!(policy.decide(&view(0.0, 2, 1, 1)), 3);
        assert_eq!(policy.decide(&view(30.0, 5, 3, 3)), 3);
        assert_eq!(policy.decide(&view(300.0, 5, 3, 3)), 5);
    }

    #[test]
    fn more_waiting_than_the_most_workers_is_a_full_scale_out_at_once() {
        let mut policy = small();
        assert_eq!(policy.decide(&view(0.0, 2, 1, 1)), 3);
        assert_eq!(policy.decide(&view(30.0, 12, 3, 3)), 11);
        assert_eq!(policy.decide(&view(1500.0, 0, 0, 11)), 11, "cooling down for 1500 s");
        assert_eq!(policy.decide(&view(1530.0, 0, 0, 11)), 11, "busy within the last 30 minutes");
        assert_eq!(policy.decide(&view(2000.0, 0, 0, 11)), 9);
    }

    #[test]
    fn busy_for_15_seconds_alone_changes_nothing() {
        let mut policy = small();
        for tick in 0..300 {
            let active = if tick < 200 { 1 } else { 4 };
            let next = policy.decide(&view(400.0 + f64::from(tick) * 5.0, 0, active, 4));
            assert!(next <= 4);
        }
    }
}
