//! What processors and connections need: as many replicas as keep each at its target.

use ops_contract::ScaleSpec;

use super::input::ReplicaUse;

/// Within this share of the target nothing is changed (the tolerance of Kubernetes' autoscaler).
const TOLERANCE: f64 = 0.1;

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

/// Cores in use against `spec.cpu`.
pub(super) fn cpu(spec: &ScaleSpec, usage: &[Option<ReplicaUse>], desired: u32) -> Option<UsageNeed> {
    let target = spec.cpu?;
    Some(need(usage.iter().map(|it| it.map(|it| it.cpu_cores)).collect(), target, desired))
}

/// Connections against `spec.connections`.
pub(super) fn connections(spec: &ScaleSpec, usage: &[Option<ReplicaUse>], desired: u32) -> Option<UsageNeed> {
    let target = spec.connections? as f64;
    let told = usage.iter().map(|it| it.and_then(|it| it.connections).map(|it| it as f64)).collect();
    Some(need(told, target, desired))
}

fn need(told: Vec<Option<f64>>, target: f64, desired: u32) -> UsageNeed {
    let total: f64 = told.iter().flatten().sum();
    let untold = told.iter().filter(|it| it.is_none()).count();
    let settled = |replicas: f64| {
        let have = f64::from(desired.max(1));
        if (replicas / have - 1.0).abs() <= TOLERANCE { have } else { replicas }
    };
    let stay = (total + untold as f64 * target) / target;
    UsageNeed { up: settled(total / target), stay: settled(stay), total, untold }
}
