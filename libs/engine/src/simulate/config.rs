//! What one simulated run is told besides its trace and its policy.

use super::Setting;

/// The actuator and the machine below it. The same for every policy of a comparison.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the policies know.
    pub setting: Setting,
    /// Seed of the start delays; one seed, one outcome.
    pub seed: u64,
    /// Mean time from asking for a replica to its first job, in seconds.
    pub start_delay_mean_s: f64,
    /// How far a start delay is from the mean, as a share of it: 0.2 is evenly spread over ±20 %.
    pub start_delay_spread: f64,
    /// Whether scaling down kills a replica that still works when its grace is over, instead of draining it.
    pub kill_on_scale_down: bool,
    /// Seconds from the signal to stop to the kill.
    pub grace_s: f64,
}

impl Config {
    /// Drain-safe, and start delays of the setting's mean ±20 %, as in the published comparison.
    pub fn new(setting: Setting, seed: u64) -> Self {
        let start_delay_mean_s = setting.mean_start_s;
        Self {
            setting,
            seed,
            start_delay_mean_s,
            start_delay_spread: 0.2,
            kill_on_scale_down: false,
            // Kubernetes' `terminationGracePeriodSeconds` when none is set.
            grace_s: 30.0,
        }
    }
}
