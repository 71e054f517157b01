//! Whether all is ready, and if not, what it waits for.

use ops_contract::{DependencyStatus, NowView, ReplicaPhase, ServiceStatus, ServiceView};

/// What `up` waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// Every wanted replica is ready, and every store answers.
    All,
    /// Not yet.
    Waiting,
    /// A replica was given up: waiting longer does not help.
    Never(String),
}

impl Ready {
    /// Judges one view.
    pub(crate) fn judge(now: &NowView) -> Self {
        let gave_up = now.services.iter().find_map(|service| {
            let replica = service.replicas.iter().find(|it| it.state.phase == ReplicaPhase::GaveUp)?;
            Some(format!("{}/{}", service.name, replica.slot))
        });
        match gave_up {
            Some(name) => Self::Never(name),
            // A stack may have no service, and is ready when its agent reports.
            None if now.data_age_s.is_some() && now.services.iter().all(is_ready) && stores_up(now) => {
                Self::All
            }
            None => Self::Waiting,
        }
    }

    /// The replica to look at first: one that is not ready, infrastructure first, because the rest stands on it.
    pub(crate) fn culprit(now: &NowView) -> Option<(&ServiceView, u16)> {
        let mut unready: Vec<&ServiceView> = now.services.iter().filter(|it| !is_ready(it)).collect();
        unready.sort_by_key(|it| std::cmp::Reverse(it.role));
        unready.iter().find_map(|service| {
            let bad = service.replicas.iter().find(|it| it.state.phase != ReplicaPhase::Ready)?;
            Some((*service, bad.slot))
        })
    }
}

/// A process that runs is not yet a store that answers.
fn stores_up(now: &NowView) -> bool {
    now.dependencies.iter().all(|(_, store)| store.status == DependencyStatus::Up)
}

fn is_ready(service: &ServiceView) -> bool {
    let idle = service.desired == 0 && service.bounds.min == 0;
    idle || (service.status == ServiceStatus::Serving
        && service.desired > 0
        && service.ready >= service.desired)
}
