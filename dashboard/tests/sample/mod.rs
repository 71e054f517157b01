//! Views for tests and pictures, from a system that is well to one that is not.
#![allow(dead_code, reason = "each user takes its own part")]

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod incidents;
pub(crate) mod page;
pub(crate) mod queues;
pub(crate) mod secrets;

use std::time::Duration;

use ops_contract::*;

pub(crate) const NOW: Timestamp = Timestamp(1_792_065_600_000_000);

pub(crate) fn ago(seconds: u64) -> Timestamp {
    NOW - Duration::from_secs(seconds)
}

pub(crate) fn well() -> NowView {
    let service = |name: &str, role, slots: u16| ServiceView {
        name: name.into(),
        role,
        status: ServiceStatus::Serving,
        since: ago(11_000),
        reason: String::new(),
        ready: slots,
        desired: slots,
        bounds: ReplicaBounds { min: 1, max: 4 },
        replicas: (0..slots).map(ready).collect(),
        last_change: Some(change(11_000, ChangeKind::Start, &format!("{name}/0 was started"), "engine")),
    };
    NowView {
        stack: "insightdesk".into(),
        verdict: Verdict {
            tone: Tone::Serving,
            sentence: "All 9 replicas serving · nothing changed for 3 h".into(),
            root: None,
            since: None,
            affected: vec![],
            nearest_change: None,
        },
        services: vec![
            service("api", ServiceRole::Frontend, 2),
            service("realtime", ServiceRole::Frontend, 2),
            service("worker", ServiceRole::Background, 1),
            service("balancer", ServiceRole::Infrastructure, 1),
            service("postgres-main", ServiceRole::Infrastructure, 1),
        ],
        dependencies: vec![
            ("postgres.main".into(), store(DependencyStatus::Up, "primary, 1 replica streaming")),
            ("postgres.main.replica-0".into(), store(DependencyStatus::Up, "replica, 0 bytes behind")),
            ("valkey.main".into(), store(DependencyStatus::Up, "master, noeviction")),
        ],
        changes: vec![
            change(
                11_000,
                ChangeKind::Start,
                "worker/0 was started: worker/0 is wanted and does not run",
                "engine",
            ),
            change(11_003, ChangeKind::Stack, "the stack was started", "local"),
        ],
        history_unavailable: None,
        at: NOW,
        data_age_s: Some(2.1),
    }
}

pub(crate) fn broken() -> NowView {
    let mut view = well();
    view.verdict = Verdict {
        tone: Tone::Down,
        sentence: "PostgreSQL main is down since 11:54:00 UTC (6 min): connection refused · also unwell: api, worker".into(),
        root: Some("postgres.main".into()),
        since: Some(ago(360)),
        affected: vec!["api".into(), "worker".into()],
        nearest_change: Some(change(400, ChangeKind::Config, "the stack file differs from the one before", "ann")),
    };
    view.dependencies[0].1 = store(DependencyStatus::Down, "connection refused (127.0.0.1:15432)");
    view.dependencies[1].1.status = DependencyStatus::Unknown;
    let api = &mut view.services[0];
    api.status = ServiceStatus::Down;
    api.reason = "0 of 2 replicas ready; api/0 gave up after 3 failures, last killed by SIGKILL (137), api/1 is not ready: /health/ready answered 503".into();
    api.ready = 0;
    api.since = ago(358);
    let it = &mut api.replicas[0].state;
    (it.phase, it.failures, it.pid) = (ReplicaPhase::GaveUp, 3, None);
    it.last_exit = Some(exit());
    it.detail = Some("gave up after 3 failures in 10 min: last killed by SIGKILL (137)".into());
    api.replicas[1].state.phase = ReplicaPhase::NotReady;
    api.replicas[1].state.detail =
        Some("/health/ready answered 503: {\"status\":\"unready\",\"postgres\":\"down\"}".into());
    let worker = &mut view.services[2];
    worker.status = ServiceStatus::Degraded;
    let it = &mut worker.replicas[0].state;
    (it.phase, it.failures, it.retry_at, it.last_exit) =
        (ReplicaPhase::BackingOff, 1, Some(NOW + Duration::from_millis(800)), Some(exit()));
    view.services[1].status = ServiceStatus::Unknown;
    view.services[1].replicas[1].state.phase = ReplicaPhase::Unknown;
    view.services[1].replicas[0].state.phase = ReplicaPhase::Draining;
    view.history_unavailable =
        Some("history unavailable since 11:58:00 UTC: the store does not answer".into());
    view
}

pub(crate) fn empty() -> NowView {
    let sentence = "No agent has reported yet: nothing is known of what runs".to_owned();
    let verdict = Verdict {
        tone: Tone::Unknown,
        sentence,
        root: None,
        since: None,
        affected: vec![],
        nearest_change: None,
    };
    NowView { verdict, services: vec![], dependencies: vec![], changes: vec![], data_age_s: None, ..well() }
}

pub(crate) fn hostile() -> NowView {
    let mut view = broken();
    let evil =
        "<script>alert(1)</script> \u{202e}txet desrever\u{202c} 🔥 \u{7}\u{1b}[31m \"quoted\" & ' </style>";
    view.stack = evil.into();
    view.verdict.sentence = format!("{evil} {}", "very-long-name-".repeat(700));
    view.services[0].name = evil.into();
    view.services[0].reason = evil.repeat(40);
    view.services[0].replicas[0].state.detail = Some(evil.repeat(100));
    view.changes[0].summary = evil.into();
    view.changes[0].actor = evil.into();
    view.dependencies[0].0 = evil.into();
    view.dependencies[0].1.detail = evil.into();
    view
}

fn ready(slot: u16) -> ReplicaView {
    ReplicaView {
        slot,
        state: ReplicaState {
            agent: "local".into(),
            generation: 1,
            phase: ReplicaPhase::Ready,
            since: ago(11_000),
            pid: Some(4211 + u32::from(slot)),
            port: Some(40_123 + slot),
            started_at: Some(ago(11_000)),
            detail: None,
            unresponsive: false,
            usage: Some(ReplicaUsage {
                cpu_cores: 0.021,
                memory_bytes: 18 << 20,
                open_files: 31,
                connections: None,
                active_jobs: None,
            }),
            last_exit: None,
            failures: 0,
            retry_at: None,
            seen_at: ago(2),
        },
    }
}

fn exit() -> Exit {
    Exit {
        replica: ReplicaId { service: "api".into(), slot: 0 },
        generation: 3,
        reason: ExitReason::Failed,
        code: None,
        signal: Some(9),
        meaning: "killed by SIGKILL (137)".into(),
        started_at: None,
        at: ago(362),
        last_lines: vec![],
    }
}

fn store(status: DependencyStatus, detail: &str) -> DependencyState {
    let latency_ms = (status == DependencyStatus::Up).then_some(0.4);
    DependencyState {
        kind: DependencyKind::Postgres,
        status,
        since: ago(360),
        detail: detail.into(),
        latency_ms,
        seen_at: ago(1),
    }
}

fn change(seconds: u64, kind: ChangeKind, summary: &str, actor: &str) -> Change {
    Change {
        id: "1".into(),
        at: ago(seconds),
        kind,
        subject: "api".into(),
        actor: actor.into(),
        summary: summary.into(),
    }
}
