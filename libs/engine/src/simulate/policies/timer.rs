//! A period inside a policy that is asked more often than it decides.

/// Elapses at 0 and then every period.
#[derive(Debug)]
pub(super) struct Timer {
    period_s: f64,
    next_s: f64,
}

impl Timer {
    /// Elapses every `period_s` seconds.
    pub(super) fn every(period_s: f64) -> Self {
        Self { period_s, next_s: 0.0 }
    }

    /// Whether a period has ended.
    pub(super) fn elapsed(&mut self, now_s: f64) -> bool {
        // Sums of floating intervals end a hair before the period does.
        if now_s + 1e-6 < self.next_s {
            return false;
        }
        self.next_s = now_s + self.period_s;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_elapses_once_a_period() {
        let mut timer = Timer::every(30.0);
        let elapsed: Vec<bool> = (0..5).map(|tick| timer.elapsed(f64::from(tick) * 15.0)).collect();
        assert_eq!(elapsed, [true, false, true, false, true]);
    }
}
