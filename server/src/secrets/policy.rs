//! Who may have which secret for what. Pure: what is asked about the store was looked up before.

use std::collections::{BTreeMap, BTreeSet};

use ops_contract::{Operator, Role, SecretPurpose, SecretSpec, ServiceSpec, Stack};

/// Secrets of a service: those that it lists, and those in its variables.
pub(super) fn of_service(spec: &ServiceSpec) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = spec.secrets.iter().map(String::as_str).collect();
    for template in spec.env.values() {
        for part in template.split("${secret.").skip(1) {
            names.extend(part.split_once('}').map(|(name, _)| name));
        }
    }
    names
}

/// Which services use each secret.
pub(crate) fn consumers(stack: &Stack) -> BTreeMap<String, BTreeSet<String>> {
    let mut consumers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (service, spec) in &stack.services {
        for name in of_service(spec) {
            consumers.entry(name.to_owned()).or_default().insert(service.to_string());
        }
    }
    consumers
}

/// Why an agent may not have a secret for this purpose. `leased`: it has an action to do just this start.
pub(super) fn refuse_agent(
    stack: &Stack,
    name: &str,
    purpose: &SecretPurpose,
    leased: bool,
) -> Option<String> {
    if stack.secrets.get(name).is_some_and(|spec| spec.canary) {
        return Some(format!("{name} is a canary, which nothing uses"));
    }
    match purpose {
        SecretPurpose::Start { replica, .. } => {
            let service = &replica.service;
            let spec = stack.services.get(service);
            if !spec.is_some_and(|spec| of_service(spec).contains(name)) {
                return Some(format!(
                    "{service} does not use {name}: add it to secrets of [services.{service}]"
                ));
            }
            (!leased).then(|| format!("no start of {replica} was asked of this agent"))
        }
        SecretPurpose::Probe { store } => {
            let of = |kind: &str| store.strip_prefix(kind);
            let password = of("postgres.")
                .and_then(|it| stack.postgres.get(it)?.password_secret.as_deref())
                .or_else(|| of("valkey.").and_then(|it| stack.valkey.get(it)?.password_secret.as_deref()));
            (password != Some(name)).then(|| format!("{name} is not the password of {store}"))
        }
    }
}

/// Why a person may not read a secret.
pub(super) fn refuse_person(spec: &SecretSpec, operator: &Operator, name: &str) -> Option<String> {
    let may = operator.role == Role::Admin || spec.readers.contains(&operator.name);
    (!may).then(|| {
        format!(
            "{} may not read {name}: add them to readers of [secrets.{name}], or ask an admin",
            operator.name
        )
    })
}
