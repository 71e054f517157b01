//! One file per probe. To add one: its file here, and its start in [`restart`].
//!
//! A probe looks and never touches. A failing probe is a signal, not an error; one that could not tell says so. No
//! probe begins before the one before it has ended.

mod bullmq;
mod deep;
mod dependency;
pub(crate) mod host;
pub(crate) mod http;
mod postgres;
pub(crate) mod scrape;
mod valkey;

use std::sync::Arc;

use ops_tasks::ServiceHandle;

use crate::agent::Agent;

/// The probes of a stack, apart from those of its replicas.
pub(crate) type Handles = Vec<ServiceHandle>;

/// Ends the probes of an earlier stack and begins those of this one.
pub(crate) fn restart(agent: &Arc<Agent>, earlier: &[ServiceHandle]) -> Handles {
    for handle in earlier {
        handle.stop();
    }
    let Some(stack) = agent.stack.borrow().clone() else { return Vec::new() };
    let mut handles = Vec::new();
    for (name, spec) in &stack.postgres {
        handles.push(dependency::begin(agent, postgres::primary(name, spec)));
        for index in 0..spec.replicas.len() {
            handles.push(dependency::begin(agent, postgres::replica(name, spec, index)));
        }
    }
    for (name, spec) in &stack.valkey {
        handles.push(dependency::begin(agent, valkey::target(name, spec)));
        handles.extend(bullmq::begin(agent, &stack, name, spec));
    }
    for (service, spec) in &stack.services {
        if let Some(check) = &spec.deep_check {
            handles.push(deep::begin(agent, service.clone(), check.clone()));
        }
    }
    handles
}
