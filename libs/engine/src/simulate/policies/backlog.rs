//! AWS's backlog per instance with target tracking.
//!
//! Source: Amazon EC2 Auto Scaling user guide, "Scaling policy based on Amazon SQS": acceptable backlog per instance =
//! acceptable latency / average processing time. Target tracking evaluates one datapoint a minute, scales out after 3 and
//! in after 15 of them, in proportion on the way out and gradually on the way in; while instances warm up it does not
//! scale in at all. The counts of datapoints are what it puts into its alarms; the size of a step in is not published, here
//! it is a tenth.

use super::super::{Policy, Setting, View};
use super::replicas;

/// One datapoint a minute.
const PERIOD_S: f64 = 60.0;
/// Datapoints above the target before it scales out.
const OUT_POINTS: u32 = 3;
/// Datapoints below the target before it scales in.
const IN_POINTS: u32 = 15;
/// Share of the target below which a datapoint is low.
const LOW: f64 = 0.9;
/// Largest part of the instances that one minute takes away.
const STEP_IN: f64 = 0.1;

/// Target tracking of the backlog per instance.
#[derive(Debug)]
pub struct BacklogPerInstance {
    target: f64,
    fewest: u32,
    high: u32,
    low: u32,
}

impl BacklogPerInstance {
    /// An instance that works on `concurrency` jobs at once is done with one every `mean run / concurrency`.
    pub fn published(setting: &Setting) -> Self {
        let processing_s = setting.mean_run_s / f64::from(setting.concurrency.max(1));
        Self { target: setting.target_wait_s / processing_s, fewest: setting.bounds.0, high: 0, low: 0 }
    }
}

impl Policy for BacklogPerInstance {
    fn name(&self) -> &str {
        "backlog-per-instance"
    }

    fn interval_s(&self) -> f64 {
        PERIOD_S
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let in_service = f64::from(view.ready.max(1));
        let backlog = view.waiting as f64 / in_service;
        self.high = if backlog > self.target { self.high + 1 } else { 0 };
        self.low = if backlog < self.target * LOW { self.low + 1 } else { 0 };
        let needed = replicas(in_service * backlog / self.target);
        // From nothing, the first message is what starts an instance.
        let awake = u32::from(view.waiting + view.active > 0);
        if self.high >= OUT_POINTS {
            return view.desired.max(needed);
        }
        if self.low >= IN_POINTS && view.starting == 0 {
            let step = replicas(f64::from(view.desired) * STEP_IN);
            let next = view.desired.saturating_sub(step).max(needed).max(self.fewest);
            return next.min(view.desired).max(awake);
        }
        view.desired.max(awake)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::setting;
    use super::*;

    fn aws() -> BacklogPerInstance {
        // The guide's example: 10 s of acceptable latency, 0.1 s per message, one at a time.
        BacklogPerInstance::published(&Setting {
            target_wait_s: 10.0,
            mean_run_s: 0.1,
            concurrency: 1,
            ..setting()
        })
    }

    fn view(waiting: u64, ready: u32) -> View<'static> {
        View { waiting, ready, desired: ready, ..View::default() }
    }

    #[test]
    fn the_guides_example_adds_five_instances() {
        let mut policy = aws();
        assert_eq!(policy.target, 100.0);
        assert_eq!(policy.decide(&view(1500, 10)), 10);
        assert_eq!(policy.decide(&view(1500, 10)), 10);
        assert_eq!(policy.decide(&view(1500, 10)), 15, "the third minute");
    }

    #[test]
    fn it_scales_in_after_a_quarter_of_an_hour_by_a_tenth() {
        let mut policy = aws();
        for _ in 0..14 {
            assert_eq!(policy.decide(&view(100, 20)), 20);
        }
        assert_eq!(policy.decide(&view(100, 20)), 18);
        let warming = View { starting: 1, ..view(100, 20) };
        assert_eq!(policy.decide(&warming), 20, "not while an instance warms up");
    }
}
