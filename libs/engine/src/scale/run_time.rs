//! How long a job keeps a worker busy.

use serde::{Deserialize, Serialize};

use super::look::LONGEST_S;

/// Assumed before anything is known, in seconds.
const UNKNOWN_S: f64 = 1.0;
/// Finished jobs from which the measure is believed.
const ENOUGH: f64 = 3.0;

/// Busy slots over finished jobs (Little's law). Jobs under way count as well, so that a worker which is busy with long
/// jobs does not look idle until the first of them has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RunTime {
    busy_s: f64,
    finished: f64,
    /// The last estimate.
    mean_s: f64,
}

impl RunTime {
    /// Learns from the time since the last look; `told_s` is the mean that finished jobs themselves tell, if any do.
    pub(super) fn learn(&mut self, span_s: f64, active: f64, finished: f64, told_s: Option<f64>) -> f64 {
        let over_s = (20.0 * self.mean_s).max(300.0);
        let fade = (-span_s / over_s).exp();
        self.busy_s = self.busy_s * fade + active * span_s;
        self.finished = self.finished * fade + finished;
        // Before enough have ended: those under way take at least as long as they have.
        let at_least_s = self.busy_s / (self.finished + active).max(1.0);
        self.mean_s = if self.finished >= ENOUGH {
            self.busy_s / self.finished
        } else {
            told_s
                .filter(|it| *it > 0.0)
                .or((self.mean_s > 0.0).then_some(self.mean_s))
                .unwrap_or(UNKNOWN_S)
                .max(at_least_s)
        };
        // A no-op job takes no time that a look could see; a replica still is no infinite supply.
        self.mean_s = self.mean_s.clamp(0.001, LONGEST_S);
        self.mean_s
    }
}
