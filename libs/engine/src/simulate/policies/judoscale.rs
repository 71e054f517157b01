//! Judoscale-like: thresholds on the age of the oldest job.
//!
//! Source: judoscale.com/docs/autoscaling-responsiveness, /docs/tuning-your-application, /guides/autoscaling-behavior. Age
//! reported every 10 s; one more instance above the range, as often as an instance starts; one fewer after 10 minutes
//! below the range, then one per delay. The service is closed: this is its handbook, not its code.

use super::super::{Policy, Setting, View};

/// Reports and decisions.
const INTERVAL_S: f64 = 10.0;
/// `Downscale delay`.
const DOWN_DELAY_S: f64 = 600.0;
/// Ends of the range, as shares of the target wait. The handbook leaves them to the operator; a quarter leaves three for
/// the start.
const RANGE: (f64, f64) = (0.05, 0.25);
/// The same for an operator who would rather pay.
const TIGHT: (f64, f64) = (0.025, 0.125);

/// Thresholds on the age of the oldest job.
#[derive(Debug)]
pub struct Judoscale {
    name: &'static str,
    upper_s: f64,
    lower_s: f64,
    up_every_s: f64,
    up_at_s: f64,
    low_since_s: Option<f64>,
}

impl Judoscale {
    /// Jumps of one instance, upscale frequency equal to the start-up time.
    pub fn published(setting: &Setting) -> Self {
        Self::new("judoscale", RANGE, setting.mean_start_s, setting)
    }

    /// A tighter range, and one more instance with every report.
    pub fn tuned(setting: &Setting) -> Self {
        Self::new("judoscale-tuned", TIGHT, INTERVAL_S, setting)
    }

    fn new(name: &'static str, range: (f64, f64), up_every_s: f64, setting: &Setting) -> Self {
        Self {
            name,
            upper_s: range.1 * setting.target_wait_s,
            lower_s: range.0 * setting.target_wait_s,
            up_every_s,
            up_at_s: f64::NEG_INFINITY,
            low_since_s: None,
        }
    }
}

impl Policy for Judoscale {
    fn name(&self) -> &str {
        self.name
    }

    fn interval_s(&self) -> f64 {
        INTERVAL_S
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        // With no instance at all, any job is reason to start one.
        let woken = view.desired == 0 && view.waiting > 0;
        if view.oldest_wait_s > self.upper_s || woken {
            self.low_since_s = None;
            if view.now_s - self.up_at_s < self.up_every_s {
                return view.desired;
            }
            self.up_at_s = view.now_s;
            return view.desired + 1;
        }
        if view.oldest_wait_s >= self.lower_s {
            self.low_since_s = None;
            return view.desired;
        }
        let low_since_s = *self.low_since_s.get_or_insert(view.now_s);
        if view.now_s - low_since_s < DOWN_DELAY_S {
            return view.desired;
        }
        self.low_since_s = Some(view.now_s);
        view.desired.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::setting;
    use super::*;

    fn view(now_s: f64, oldest_wait_s: f64, desired: u32) -> View<'static> {
        View { now_s, oldest_wait_s, desired, ready: desired, waiting: 1, ..View::default() }
    }

    #[test]
    fn one_more_per_start_up_time_above_the_range() {
        let mut policy = Judoscale::published(&setting());
        assert_eq!(policy.decide(&view(0.0, 16.0, 3)), 4);
        assert_eq!(policy.decide(&view(10.0, 26.0, 4)), 4);
        assert_eq!(policy.decide(&view(30.0, 46.0, 4)), 5);
    }

    #[test]
    fn one_fewer_after_ten_quiet_minutes_then_one_per_delay() {
        let mut policy = Judoscale::published(&setting());
        for tick in 0..60 {
            assert_eq!(policy.decide(&view(f64::from(tick) * 10.0, 0.0, 5)), 5);
        }
        assert_eq!(policy.decide(&view(600.0, 0.0, 5)), 4);
        assert_eq!(policy.decide(&view(610.0, 0.0, 4)), 4);
        assert_eq!(policy.decide(&view(1200.0, 0.0, 4)), 3);
    }

    #[test]
    fn within_the_range_nothing_changes_and_the_delay_begins_anew() {
        let mut policy = Judoscale::published(&setting());
        policy.decide(&view(0.0, 0.0, 5));
        assert_eq!(policy.decide(&view(590.0, 5.0, 5)), 5);
        assert_eq!(policy.decide(&view(600.0, 0.0, 5)), 5);
    }
}
