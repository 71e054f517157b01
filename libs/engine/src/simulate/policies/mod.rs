//! Published policies, as their sources and handbooks say they decide; each with its published defaults.
//!
//! One file per policy. To add one: a type that implements [`Policy`], a line in [`all`], and a test with
//! the numbers of its publication. What an operator must fill in is derived from the [`Setting`] by one formula for all
//! traces, never by hand for one of them.

mod backlog;
mod fixed;
mod horizontal;
mod hpa;
mod judoscale;
mod keda;
mod knative;
mod timer;
mod windmill;
mod window;
mod wpa;

pub use backlog::BacklogPerInstance;
pub use fixed::Fixed;
pub use hpa::CpuUtilisation;
pub use judoscale::Judoscale;
pub use keda::Keda;
pub use knative::Knative;
pub use windmill::Windmill;
pub use wpa::WorkerPodAutoscaler;

use super::{Policy, Setting};

/// A policy that can be handed to a thread.
pub type Boxed = Box<dyn Policy + Send>;

/// Makes a policy for a setting.
type Make = fn(&Setting) -> Boxed;

/// All of them, in the order of the tables.
const ALL: &[(&str, Make)] = &[
    ("keda", |setting| Box::new(Keda::published(setting))),
    ("keda-tuned", |setting| Box::new(Keda::tuned(setting))),
    ("hpa", |setting| Box::new(CpuUtilisation::published(setting))),
    ("knative", |setting| Box::new(Knative::published(setting))),
    ("knative-tuned", |setting| Box::new(Knative::tuned(setting))),
    ("backlog-per-instance", |setting| Box::new(BacklogPerInstance::published(setting))),
    ("judoscale", |setting| Box::new(Judoscale::published(setting))),
    ("judoscale-tuned", |setting| Box::new(Judoscale::tuned(setting))),
    ("wpa", |setting| Box::new(WorkerPodAutoscaler::published(setting))),
    ("wpa-tuned", |setting| Box::new(WorkerPodAutoscaler::tuned(setting))),
    ("windmill", |setting| Box::new(Windmill::published(setting))),
    ("static-max", |setting| Box::new(Fixed::most(setting))),
    ("static-min", |setting| Box::new(Fixed::fewest(setting))),
];

/// Every policy, fresh.
pub fn all(setting: &Setting) -> Vec<Boxed> {
    ALL.iter().map(|(_, make)| make(setting)).collect()
}

/// The names of all policies.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

/// One policy, fresh; `fixed-N` is N replicas for ever.
pub fn by_name(name: &str, setting: &Setting) -> Option<Boxed> {
    if let Some(replicas) = name.strip_prefix("fixed-") {
        return Some(Box::new(Fixed::new(replicas.parse().ok()?)));
    }
    ALL.iter().find(|(known, _)| *known == name).map(|(_, make)| make(setting))
}

/// Replicas for an amount, rounded up; what is beyond all bounds stays beyond them.
fn replicas(amount: f64) -> u32 {
    amount.max(0.0).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::super::View;
    use super::*;

    pub(super) fn setting() -> Setting {
        Setting {
            target_wait_s: 30.0,
            concurrency: 10,
            bounds: (1, 400),
            mean_run_s: 0.5,
            mean_start_s: 30.0,
            limit_per_s: None,
        }
    }

    #[test]
    fn every_policy_goes_by_the_name_that_finds_it() {
        for (name, make) in ALL {
            assert_eq!(make(&setting()).name(), *name);
        }
        assert_eq!(by_name("fixed-7", &setting()).unwrap().decide(&View::default()), 7);
        assert!(by_name("fixed-many", &setting()).is_none());
        assert!(by_name("oracle", &setting()).is_none());
    }

    #[test]
    fn no_policy_stumbles_over_an_empty_world() {
        for bounds in [(0, 400), (1, 1), (0, 1)] {
            let setting = Setting { bounds, ..setting() };
            for mut policy in all(&setting) {
                assert!(policy.interval_s() > 0.0, "{}", policy.name());
                for tick in 0..200 {
                    policy.decide(&View { now_s: f64::from(tick) * policy.interval_s(), ..View::default() });
                }
            }
        }
    }
}
