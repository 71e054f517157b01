//! Small pieces of a world for unit tests.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::*;

/// A service of one to five replicas; `scales` by the queue `ai`.
pub(crate) fn service(name: &str, scales: bool) -> (ServiceName, ServiceSpec) {
    let spec = ServiceSpec {
        role: ServiceRole::Background,
        program: Program { command: vec!["true".to_owned()], directory: "/".to_owned() },
        driver: Driver::DryRun,
        port: None,
        replicas: ReplicaBounds { min: 1, max: 5 },
        health: None,
        deep_check: None,
        restart: RestartPolicy {
            mode: RestartMode::OnFailure,
            max: 3,
            window: Duration::from_secs(600),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            never_on: Vec::new(),
        },
        stop: StopPolicy { grace: Duration::from_secs(1), signal: "TERM".to_owned() },
        depends_on: Vec::new(),
        env: BTreeMap::new(),
        secrets: Vec::new(),
        scale: scales.then(scale),
        route: None,
        metrics: None,
    };
    (ServiceName::from(name), spec)
}

/// A replica in a phase.
pub(crate) fn replica(phase: ReplicaPhase, at: Timestamp) -> ReplicaState {
    ReplicaState {
        agent: "local".into(),
        generation: 1,
        phase,
        since: at,
        pid: None,
        port: None,
        started_at: None,
        detail: None,
        unresponsive: false,
        usage: None,
        last_exit: None,
        failures: 0,
        retry_at: None,
        seen_at: at,
    }
}

fn scale() -> ScaleSpec {
    ScaleSpec {
        queues: vec!["ai".to_owned()],
        target_wait: Duration::from_secs(5),
        concurrency: BTreeMap::new(),
        max_waiting: None,
        cpu: None,
        connections: None,
        drain: Duration::from_secs(600),
        start_delay: Duration::from_secs(30),
    }
}
