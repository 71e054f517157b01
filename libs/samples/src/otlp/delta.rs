use std::collections::HashMap;

use crate::Labels;

/// What has told nothing for this long makes room for others, in milliseconds.
const IDLE_MS: i64 = 3_600_000;

/// Sums of deltas, by series.
#[derive(Debug)]
pub(super) struct Sums {
    most: usize,
    sums: HashMap<Labels, Sum>,
}

#[derive(Debug)]
struct Sum {
    at_ms: i64,
    value: f64,
}

impl Sums {
    pub(super) fn new(most: usize) -> Self {
        Self { most, sums: HashMap::new() }
    }

    /// Adds a delta and gives the sum; `None` when it is not newer than the last, or there are too many series.
    pub(super) fn add(&mut self, labels: &Labels, at_ms: i64, delta: f64) -> Option<f64> {
        if let Some(sum) = self.sums.get_mut(labels) {
            if at_ms <= sum.at_ms {
                return None;
            }
            (sum.at_ms, sum.value) = (at_ms, sum.value + delta);
            return Some(sum.value);
        }
        if self.sums.len() >= self.most {
            self.sums.retain(|_, sum| at_ms.saturating_sub(sum.at_ms) < IDLE_MS);
        }
        if self.sums.len() >= self.most {
            return None;
        }
        self.sums.insert(labels.clone(), Sum { at_ms, value: delta });
        Some(delta)
    }
}
