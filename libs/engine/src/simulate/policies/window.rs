//! Samples of the last seconds.

use std::collections::VecDeque;

/// Keeps what was seen within its length.
#[derive(Debug)]
pub(super) struct Window {
    length_s: f64,
    samples: VecDeque<(f64, f64)>,
}

impl Window {
    /// Keeps samples for `length_s` seconds.
    pub(super) fn new(length_s: f64) -> Self {
        Self { length_s, samples: VecDeque::new() }
    }

    /// Adds a sample and forgets the old ones.
    pub(super) fn push(&mut self, now_s: f64, value: f64) {
        self.samples.push_back((now_s, value));
        while self.samples.front().is_some_and(|(at_s, _)| at_s + self.length_s <= now_s) {
            self.samples.pop_front();
        }
    }

    /// Mean of the samples of the last `length_s` seconds, for a length up to the window's own.
    pub(super) fn mean_over(&self, now_s: f64, length_s: f64) -> f64 {
        let recent = self.samples.iter().rev().take_while(|(at_s, _)| at_s + length_s > now_s);
        let (count, sum) = recent.fold((0.0, 0.0), |(count, sum), (_, value)| (count + 1.0, sum + value));
        if count == 0.0 { 0.0 } else { sum / count }
    }

    /// Largest sample.
    pub(super) fn most(&self) -> f64 {
        self.samples.iter().map(|(_, value)| *value).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_window_no_longer_counts() {
        let mut window = Window::new(6.0);
        for (at_s, value) in [(0.0, 90.0), (2.0, 10.0), (4.0, 20.0), (6.0, 30.0)] {
            window.push(at_s, value);
        }
        assert_eq!(window.most(), 30.0);
        assert_eq!(window.mean_over(6.0, 6.0), 20.0);
        assert_eq!(window.mean_over(6.0, 2.0), 30.0);
    }
}
