//! What every metric of Kubernetes' Horizontal Pod Autoscaler has in common: tolerance, windows and rates.
//!
//! Source: kubernetes/website `horizontal-pod-autoscale.md`; kubernetes/kubernetes
//! `pkg/controller/podautoscaler/{replica_calculator,horizontal}.go`.

use super::super::View;
use super::replicas;
use super::window::Window;

/// `--horizontal-pod-autoscaler-sync-period`.
pub(super) const SYNC_S: f64 = 15.0;
/// `--horizontal-pod-autoscaler-tolerance`.
const TOLERANCE: f64 = 0.1;
/// `--horizontal-pod-autoscaler-downscale-stabilization`.
const DOWN_WINDOW_S: f64 = 300.0;
/// Default `behavior.scaleUp.policies`: the more of 4 pods and 100 % in 15 s, which is one sync.
const UP_PODS: u32 = 4;

/// The recommendations of the last minutes.
#[derive(Debug)]
pub(super) struct Horizontal {
    recommended: Option<Window>,
}

impl Horizontal {
    /// Default `behavior`.
    pub(super) fn new() -> Self {
        Self { recommended: None }
    }

    /// Forgets everything, as when the autoscaler is switched off at zero replicas.
    pub(super) fn forget(&mut self) {
        self.recommended = None;
    }

    /// Turns a recommendation into the next number of replicas. The default scale-down policy, 100 % in 15 s, limits nothing.
    pub(super) fn next(&mut self, view: &View<'_>, recommendation: u32) -> u32 {
        let current = view.desired;
        let recommended = self.recommended.get_or_insert_with(|| {
            let mut window = Window::new(DOWN_WINDOW_S);
            window.push(view.now_s, f64::from(current));
            window
        });
        recommended.push(view.now_s, f64::from(recommendation));
        if recommendation >= current {
            let fastest = current.saturating_add(UP_PODS).max(current.saturating_mul(2));
            return recommendation.min(fastest);
        }
        replicas(recommended.most()).min(current)
    }
}

/// Whether a ratio of use to target is too near to 1 to act.
pub(super) fn tolerated(ratio: f64) -> bool {
    (1.0 - TOLERANCE..=1.0 + TOLERANCE).contains(&ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(now_s: f64, desired: u32) -> View<'static> {
        View { now_s, desired, ready: desired, ..View::default() }
    }

    #[test]
    fn up_by_four_pods_or_twice_whichever_is_more() {
        let mut hpa = Horizontal::new();
        assert_eq!(hpa.next(&view(0.0, 1), 100), 5);
        assert_eq!(hpa.next(&view(15.0, 5), 100), 10);
        assert_eq!(hpa.next(&view(30.0, 10), 100), 20);
        assert_eq!(hpa.next(&view(45.0, 20), 21), 21);
    }

    #[test]
    fn down_only_to_the_most_of_the_last_300_s() {
        let mut hpa = Horizontal::new();
        assert_eq!(hpa.next(&view(0.0, 20), 20), 20);
        assert_eq!(hpa.next(&view(15.0, 20), 7), 20);
        assert_eq!(hpa.next(&view(285.0, 20), 3), 20);
        assert_eq!(hpa.next(&view(300.0, 20), 3), 7);
        assert_eq!(hpa.next(&view(315.0, 7), 3), 3);
    }

    #[test]
    fn ten_percent_is_tolerated() {
        assert!(tolerated(1.1) && tolerated(0.9) && !tolerated(1.11) && !tolerated(0.89));
    }
}
