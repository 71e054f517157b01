//! Turns development stores and the balancer into services: `insightdesk dev …` prepares each and becomes it.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{
    Driver, Health, Program, ReplicaBounds, RestartMode, RestartPolicy, ServiceName, ServiceRole,
    ServiceSpec, StopPolicy,
};

use crate::Context;
use crate::sections::Draft;

/// Names of the services that [`services`] adds.
pub(crate) fn names(draft: &Draft) -> Vec<String> {
    let mut names = Vec::new();
    for (name, store) in draft.postgres.iter().filter(|(_, store)| store.spec.development) {
        names.push(format!("postgres-{name}"));
        names.extend((1..store.ports.len()).map(|number| replica_name(name, number - 1)));
    }
    let valkey = draft.valkey.iter().filter(|(_, store)| store.spec.development);
    names.extend(valkey.map(|(name, _)| format!("valkey-{name}")));
    names.extend(draft.balancer.iter().map(|_| "balancer".to_owned()));
    names
}

/// The services that the stack adds to those of the file.
pub(crate) fn services(draft: &Draft, context: &Context) -> BTreeMap<ServiceName, ServiceSpec> {
    let mut services = BTreeMap::new();
    let mut add = |name: String, spec: ServiceSpec| services.insert(ServiceName(name), spec);
    for (name, store) in draft.postgres.iter().filter(|(_, store)| store.spec.development) {
        let Some((primary, replicas)) = store.ports.split_first() else { continue };
        let primary = primary.value;
        let service = format!("postgres-{name}");
        let words = ["--database", &store.spec.database, "--user", &store.spec.user];
        let spec = own(context, "postgres", &service, primary, &words);
        add(service, ServiceSpec { stop: stop(30, "INT"), ..spec });
        for (index, port) in replicas.iter().enumerate() {
            let service = replica_name(name, index);
            let (primary, slot) = (primary.to_string(), format!("replica_{index}"));
            let words = ["--primary-port", &primary, "--user", &store.spec.user, "--slot", &slot];
            let spec = own(context, "postgres-replica", &service, port.value, &words);
            let depends_on = vec![format!("postgres.{name}")];
            add(service, ServiceSpec { stop: stop(30, "INT"), depends_on, ..spec });
        }
    }
    for (name, store) in draft.valkey.iter().filter(|(_, store)| store.spec.development) {
        let Some(port) = &store.port else { continue };
        let service = format!("valkey-{name}");
        let spec = own(context, "valkey", &service, port.value, &[]);
        add(service, ServiceSpec { stop: stop(10, "TERM"), ..spec });
    }
    if let Some(balancer) = &draft.balancer {
        add("balancer".to_owned(), balancer_spec(draft, context, balancer.port.value));
    }
    services
}

fn balancer_spec(draft: &Draft, context: &Context, port: u16) -> ServiceSpec {
    let mut words = Vec::new();
    for (name, service) in &draft.services {
        if let Some(route) = &service.spec.route {
            words.extend(["--route".to_owned(), format!("{route}={name}")]);
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let health = Health {
        path: "/balancer-health".to_owned(),
        live_path: None,
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(2),
        retries: 3,
        start_period: Duration::from_secs(5),
        start_timeout: Duration::from_secs(30),
    };
    // QUIT lets requests in flight end.
    ServiceSpec {
        health: Some(health),
        stop: stop(15, "QUIT"),
        ..own(context, "nginx", "nginx", port, &words)
    }
}

fn replica_name(cluster: &str, index: usize) -> String {
    format!("postgres-{cluster}-replica-{index}")
}

fn own(context: &Context, store: &str, folder: &str, port: u16, words: &[&str]) -> ServiceSpec {
    let mut command =
        vec![context.insightdesk.to_string_lossy().into_owned(), "dev".to_owned(), store.to_owned()];
    let data = context.state_dir.join("data").join(folder);
    command.extend(["--data".to_owned(), data.to_string_lossy().into_owned()]);
    command.extend(["--port".to_owned(), port.to_string()]);
    command.extend(words.iter().map(|word| (*word).to_owned()));
    ServiceSpec {
        role: ServiceRole::Infrastructure,
        program: Program { command, directory: context.base_dir.to_string_lossy().into_owned() },
        driver: Driver::Process,
        port: Some(port),
        replicas: ReplicaBounds { min: 1, max: 1 },
        // The probe of the data store tells how it does.
        health: None,
        deep_check: None,
        restart: RestartPolicy {
            mode: RestartMode::OnFailure,
            max: 3,
            window: Duration::from_secs(600),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(30),
            never_on: vec![78],
        },
        stop: stop(30, "TERM"),
        depends_on: Vec::new(),
        env: BTreeMap::new(),
        secrets: Vec::new(),
        scale: None,
        route: None,
        metrics: None,
    }
}

fn stop(grace: u64, signal: &str) -> StopPolicy {
    StopPolicy { grace: Duration::from_secs(grace), signal: signal.to_owned() }
}
