//! By how much more than expected has come, how often: the measure of the reserve for bursts.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Bins of the histogram, evenly spread over `asinh(surprise / 0.5)` from −4 to 5.
const BINS: usize = 96;
/// Surprises count for less after this time, in seconds (to 1/e).
const REMEMBERED_S: f64 = 5_400.0;
/// The reserve covers all but this share of the jobs, weighted by jobs: bursts hold more of them.
const UNCOVERED: f64 = 0.05;
/// Surprise assumed before anything is known, in standard deviations of a Poisson process.
const AT_FIRST: f64 = 2.0;

/// Forecasts that wait for their outcome, and how past ones did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Surprise {
    /// When, the rate expected, and all arrivals until then.
    open: VecDeque<(f64, f64, f64)>,
    arrived: f64,
    bins: Vec<f64>,
    last_s: f64,
}

impl Default for Surprise {
    fn default() -> Self {
        Self { open: VecDeque::new(), arrived: 0.0, bins: vec![0.0; BINS], last_s: 0.0 }
    }
}

impl Surprise {
    /// Notes what came since the last look, what is expected from now on, and settles what is `window_s` old.
    pub(super) fn learn(&mut self, now_s: f64, came: f64, expected_per_s: f64, window_s: f64) {
        self.arrived += came;
        let fade = ((self.last_s - now_s) / REMEMBERED_S).exp();
        self.last_s = now_s;
        let mut faded = false;
        while self.open.front().is_some_and(|(at_s, ..)| now_s - at_s >= window_s) {
            let Some((at_s, rate, arrived)) = self.open.pop_front() else { break };
            let window_s = now_s - at_s;
            let got = self.arrived - arrived;
            let expected = (rate * window_s).max(1.0);
            if !faded {
                self.bins.iter_mut().for_each(|it| *it *= fade);
                faded = true;
            }
            if let Some(weight) = self.bins.get_mut(bin((got - rate * window_s) / expected.sqrt())) {
                *weight += got.max(0.02 * expected);
            }
        }
        self.open.push_back((now_s, expected_per_s, self.arrived));
        if self.open.len() > 2_000 {
            self.open.pop_front();
        }
    }

    /// How many more jobs than `expected` a window should be prepared for.
    pub(super) fn reserve(&self, expected: f64) -> f64 {
        self.quantile() * expected.max(1.0).sqrt()
    }

    fn quantile(&self) -> f64 {
        let all: f64 = self.bins.iter().sum();
        if all <= 0.0 {
            return AT_FIRST;
        }
        let mut above = 0.0;
        for (index, weight) in self.bins.iter().enumerate().rev() {
            above += weight;
            if above >= UNCOVERED * all {
                return upper(index).max(0.0);
            }
        }
        0.0
    }
}

fn bin(surprise: f64) -> usize {
    let place = ((surprise / 0.5).asinh() + 4.0) / 9.0 * BINS as f64;
    (place.max(0.0) as usize).min(BINS - 1)
}

/// The largest surprise of a bin.
fn upper(bin: usize) -> f64 {
    ((bin + 1) as f64 / BINS as f64 * 9.0 - 4.0).sinh() * 0.5
}
