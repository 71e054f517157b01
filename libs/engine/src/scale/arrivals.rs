//! How fast jobs come, whether that has just changed, and for how long a change can be expected to last.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Arrivals are remembered for this long, in seconds.
const KEPT_S: f64 = 600.0;
/// And for at most this many looks.
const MOST_TICKS: usize = 400;
/// A rise is expected to last this many times as long as it has lasted (Lindy's rule): a burst of a second is not
/// extrapolated over a minute, a new level soon is.
const LASTS: f64 = 4.0;
/// Less time than this is not enough to judge a rate by, in seconds.
const FIRST_S: f64 = 10.0;
/// Deviations from the steady rate after which the shortest and the middle window are believed.
const JUMP_SIGMA: f64 = 4.0;
const RISE_SIGMA: f64 = 3.0;

/// Jobs that came between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tick {
    /// End of the time between, on the memory's clock.
    pub(super) at_s: f64,
    /// How long it was.
    pub(super) span_s: f64,
    /// All that became claimable.
    pub(super) jobs: f64,
    /// Of those, how many nobody had announced.
    pub(super) unannounced: f64,
}

/// The arrivals of one queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Arrivals {
    ticks: VecDeque<Tick>,
    /// Since when more come than before.
    rising_since_s: Option<f64>,
}

/// The rate of arrivals from now on: `base + excess · e^(−t / fade)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Flow {
    pub(super) base_per_s: f64,
    pub(super) excess_per_s: f64,
    pub(super) fade_s: f64,
}

impl Flow {
    /// Jobs a second, `in_s` from now.
    pub(super) fn rate(&self, in_s: f64) -> f64 {
        self.base_per_s + self.excess_per_s * (-in_s / self.fade_s).exp()
    }

    /// Jobs from now until `in_s` from now.
    pub(super) fn jobs(&self, in_s: f64) -> f64 {
        if in_s <= 0.0 {
            return 0.0;
        }
        self.base_per_s * in_s + self.excess_per_s * self.fade_s * (1.0 - (-in_s / self.fade_s).exp())
    }
}

impl Arrivals {
    pub(super) fn push(&mut self, tick: Tick) {
        self.ticks.push_back(tick);
        while self.ticks.len() > MOST_TICKS
            || self.ticks.front().is_some_and(|it| it.at_s < tick.at_s - KEPT_S)
        {
            self.ticks.pop_front();
        }
    }

    /// Newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Tick> {
        self.ticks.iter().rev()
    }

    /// What may be expected, judged by three windows that suit the target wait and the run time.
    pub(super) fn flow(&mut self, now_s: f64, target_s: f64, run_s: f64) -> Flow {
        let short = (target_s / 4.0).clamp(4.0, 10.0);
        let middle = target_s.clamp(10.0, 60.0);
        let long = (4.0 * run_s).clamp(120.0, KEPT_S);
        let steady = self.rate(now_s, long);
        let dispersion = self.dispersion();
        let sigma = |window: f64| (dispersion * steady.max(1.0 / window) * window).sqrt();
        let (jump, rise) = (self.rate(now_s, short), self.rate(now_s, middle));
        let rate = if (jump - steady) * short > JUMP_SIGMA * sigma(short) + 3.0 {
            jump
        } else if (rise - steady) * middle > RISE_SIGMA * sigma(middle) + 2.0
            || (steady - rise) * middle > RISE_SIGMA * sigma(middle)
        {
            rise
        } else {
            steady
        };
        let excess_per_s = (rate - steady).max(0.0);
        if excess_per_s > 1e-9 {
            self.rising_since_s.get_or_insert(now_s - short);
        } else {
            self.rising_since_s = None;
        }
        let lasted = self.rising_since_s.map_or(0.0, |since| now_s - since);
        Flow { base_per_s: rate - excess_per_s, excess_per_s, fade_s: LASTS * lasted + short }
    }

    /// Unannounced jobs a second over the last `window` seconds, or over what is known of them.
    fn rate(&self, now_s: f64, window: f64) -> f64 {
        let (mut jobs, mut span) = (0.0, 0.0);
        for tick in self.newest_first() {
            if tick.at_s <= now_s - window + 1e-6 {
                break;
            }
            jobs += tick.unannounced;
            span += tick.span_s;
        }
        // The first jobs after nothing was known are no rate yet.
        if span > 0.0 { jobs / span.max(window.min(FIRST_S)) } else { 0.0 }
    }

    /// Index of dispersion (variance over mean) of the counts of a look, from successive differences, which a slow
    /// change of the level does not disturb. 1 for a Poisson process.
    fn dispersion(&self) -> f64 {
        if self.ticks.len() < 10 {
            return 1.0;
        }
        let count = self.ticks.len() as f64;
        let mean = self.ticks.iter().map(|it| it.unannounced).sum::<f64>() / count;
        if mean <= 0.0 {
            return 1.0;
        }
        let pairs = self.ticks.iter().zip(self.ticks.iter().skip(1));
        let squares: f64 = pairs.map(|(one, next)| (one.unannounced - next.unannounced).powi(2)).sum();
        (squares / 2.0 / (count - 1.0) / mean).clamp(1.0, 200.0)
    }
}
