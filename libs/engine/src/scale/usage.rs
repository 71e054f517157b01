//! What processors and connections need: as many replicas as keep each at its target.

use ops_contract::ScaleSpec;
use serde::{Deserialize, Serialize};

use super::input::ReplicaUse;

/// Within this share of the target nothing is changed (the tolerance of Kubernetes' autoscaler).
const TOLERANCE: f64 = 0.1;
/// Processors are judged over this time, in seconds: a program that starts is no load.
const CPU_OVER_S: f64 = 20.0;

/// What the replicas used lately.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct UsageMemory {
    cpu_cores: f64,
    seen_s: f64,
}

/// What the use of the replicas asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct UsageNeed {
    /// At least so many, or the replicas are overloaded.
    pub(super) up: f64,
    /// No fewer than so many. Replicas that tell nothing are taken as fully used.
    pub(super) stay: f64,
    /// All that the replicas use together.
    pub(super) total: f64,
    /// Replicas that told nothing.
    pub(super) untold: usize,
}

impl UsageMemory {
    /// Cores in use against `spec.cpu`. Until it has been seen for a while, the number stays.
    pub(super) fn cpu(
        &mut self,
        spec: &ScaleSpec,
        usage: &[Option<ReplicaUse>],
        desired: u32,
        span_s: f64,
    ) -> Option<UsageNeed> {
        let target = spec.cpu?;
        let told = usage.iter().flatten().map(|it| it.cpu_cores).filter(|it| it.is_finite());
        let now: f64 = told.map(|it| it.clamp(0.0, 1e4)).sum();
        let weight = if self.seen_s > 0.0 { 1.0 - (-span_s / CPU_OVER_S).exp() } else { 1.0 };
        self.cpu_cores += (now - self.cpu_cores) * weight;
        self.seen_s = (self.seen_s + span_s).min(CPU_OVER_S);
        let untold = usage.iter().filter(|it| it.is_none()).count();
        if self.seen_s < CPU_OVER_S {
            let stays = f64::from(desired);
            return Some(UsageNeed { up: 0.0, stay: stays, total: self.cpu_cores, untold });
        }
        Some(need(self.cpu_cores, untold, target, desired))
    }
}

/// Connections against `spec.connections`; they do not come and go in seconds.
pub(super) fn connections(spec: &ScaleSpec, usage: &[Option<ReplicaUse>], desired: u32) -> Option<UsageNeed> {
    let target = spec.connections? as f64;
    let told: Vec<Option<u64>> = usage.iter().map(|it| it.and_then(|it| it.connections)).collect();
    let total: f64 = told.iter().flatten().map(|it| *it as f64).sum();
    Some(need(total, told.iter().filter(|it| it.is_none()).count(), target, desired))
}

fn need(total: f64, untold: usize, target: f64, desired: u32) -> UsageNeed {
    let settled = |replicas: f64| {
        let have = f64::from(desired.max(1));
        if (replicas / have - 1.0).abs() <= TOLERANCE { have } else { replicas }
    };
    let stay = (total + untold as f64 * target) / target;
    UsageNeed { up: settled(total / target), stay: settled(stay), total, untold }
}
