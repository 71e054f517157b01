//! Who stands on whom. A store `postgres.main` that the stack runs itself is the service `postgres-main`.

use std::collections::BTreeMap;

use ops_contract::{DependencyStatus, ServiceName, ServiceSpec, Stack, SystemState};

/// The service that is, or runs, the dependency `name`.
pub(crate) fn service_of(stack: &Stack, name: &str) -> Option<ServiceName> {
    let candidate = ServiceName(name.replace('.', "-"));
    stack.services.contains_key(&candidate).then_some(candidate)
}

/// The store that the service `name` runs, as its probe calls it.
pub(crate) fn store_of<'a>(state: &'a SystemState, name: &ServiceName) -> Option<&'a str> {
    state.dependencies.keys().map(String::as_str).find(|store| store.replace('.', "-") == name.as_str())
}

/// The first dependency of a service that is not up, with the reason in words.
pub(crate) fn missing(stack: &Stack, state: &SystemState, spec: &ServiceSpec) -> Option<(String, String)> {
    spec.depends_on.iter().find_map(|name| {
        let why = match state.dependencies.get(name) {
            Some(store) if store.status == DependencyStatus::Up => return None,
            Some(store) => store.detail.clone(),
            None if stack.services.contains_key(&ServiceName(name.clone())) => {
                let service = state.services.get(&ServiceName(name.clone()));
                let ready = service.is_some_and(|it| {
                    it.replicas.values().any(|replica| replica.phase == ops_contract::ReplicaPhase::Ready)
                });
                if ready {
                    return None;
                }
                "no replica of it is ready".to_owned()
            }
            None => "not looked at yet".to_owned(),
        };
        Some((name.clone(), why))
    })
}

/// Services by name with those that stand on them, directly.
pub(crate) fn dependents(stack: &Stack) -> BTreeMap<ServiceName, Vec<ServiceName>> {
    let mut dependents: BTreeMap<ServiceName, Vec<ServiceName>> = BTreeMap::new();
    for (name, spec) in &stack.services {
        for below in spec.depends_on.iter().filter_map(|below| service_of(stack, below)) {
            if below != *name {
                dependents.entry(below).or_default().push(name.clone());
            }
        }
    }
    dependents
}

/// Whether the service `upper` stands on `lower` (a store or a service), directly or through others.
pub(crate) fn stands_on(stack: &Stack, upper: &ServiceName, lower: &str) -> bool {
    fn search(stack: &Stack, upper: &ServiceName, lower: &str, depth: usize) -> bool {
        let Some(spec) = stack.services.get(upper) else { return false };
        depth > 0
            && spec.depends_on.iter().any(|below| {
                below == lower
                    || below.replace('.', "-") == lower
                    || service_of(stack, below).is_some_and(|below| search(stack, &below, lower, depth - 1))
            })
    }
    search(stack, upper, lower, stack.services.len())
}
