//! Queues and scaling for tests and pictures.

use ops_contract::*;

use super::{NOW, ago};

pub(crate) fn queues() -> QueuesView {
    let busy = QueueSample {
        waiting: 1_200,
        prioritized: 3,
        active: 8,
        delayed: 40,
        delayed_due: 1,
        failed: 12,
        oldest_age_s: Some(42.4),
        exact: true,
        run_time: Some(Spread { p95_s: 3.2, ..Spread::default() }),
        wait_time: Some(Spread { p95_s: 38.0, ..Spread::default() }),
        workers: 2,
        limit: Some(RateLimit { max: 100, per_s: 1.0 }),
        schedulers: vec!["nightly".into()],
        ..QueueSample::default()
    };
    let paused = QueueSample { waiting: 2, paused: true, workers: 1, exact: true, ..QueueSample::default() };
    let calm = QueueSample { workers: 2, exact: true, ..QueueSample::default() };
    QueuesView {
        stores: vec![store(Tone::Serving, vec![])],
        queues: vec![
            QueueView {
                rates: QueueRates { arrivals_per_s: 2.1, finished_per_s: 8.44, stalled_per_min: 0.2 },
                clears_in_s: Some(190.0),
                services: vec!["worker".into()],
                target_wait_s: Some(5.0),
                ..queue(
                    "ai-classify",
                    Tone::Down,
                    "1,204 jobs wait, the oldest for 42 s (target 5 s); cleared in about 3 min at the present rates",
                    busy,
                )
            },
            queue(
                "mail",
                Tone::Degraded,
                "2 jobs wait; the queue is paused: nothing is taken until it is resumed",
                paused,
            ),
            queue("report", Tone::Serving, "no job waits", calm),
        ],
        at: NOW,
    }
}

pub(crate) fn calm_queues() -> QueuesView {
    let mut view = queues();
    view.queues.retain(|it| it.tone == Tone::Serving);
    view
}

/// The store throws jobs away, and has not been read for a while.
pub(crate) fn unread_queues() -> QueuesView {
    let mut view = queues();
    let unread = "nothing was seen for 12 s: connection refused";
    let policy =
        "maxmemory-policy is allkeys-lru: when its memory is full it throws jobs away; set it to noeviction";
    view.stores = vec![QueueStoreView {
        age_s: Some(12.0),
        ..store(Tone::Unknown, vec![unread.into(), policy.into()])
    }];
    for queue in &mut view.queues {
        queue.tone = Tone::Unknown;
        queue.summary = format!("{unread}; 1,204 jobs waited then");
        (queue.age_s, queue.clears_in_s) = (12.0, None);
    }
    view
}

pub(crate) fn scaling() -> ScalingView {
    let history = (0..360).rev().map(|index| {
        let deep = (120..240).contains(&index);
        ScalingPoint {
            at: ago(index * 10),
            desired: if deep { 3 } else { 1 },
            ready: if (110..230).contains(&index) { 3 } else { 1 },
            backlog: (index != 200).then_some(if deep { 10 * (240 - index) } else { 0 }),
            oldest_age_s: deep.then_some(4.2),
        }
    });
    let worker = ScalingSignal {
        inputs: [("jobs_waiting".to_owned(), 1_204.0), ("arrivals_per_s".to_owned(), 2.125)].into(),
        held: vec!["no fewer for 42 s more: jobs came in bursts".into()],
        ..signal("worker", 3, ScalingState::Measured, "3 replicas start the 1,204 jobs that wait within 5 s")
    };
    let api = signal("api", 2, ScalingState::Fixed, "the stack file says nothing of what api scales by");
    ScalingView {
        services: vec![
            ScalingServiceView {
                signal: worker,
                ready: 2,
                decisions: vec![decision(20, 1, 3), decision(2_000, 1, 1)],
                history: history.collect(),
            },
            ScalingServiceView { signal: api, ready: 2, decisions: vec![], history: vec![] },
        ],
        history_unavailable: None,
        at: NOW,
    }
}

/// Nothing was decided lately, and the store is away.
pub(crate) fn undecided() -> ScalingView {
    let mut view = scaling();
    let it = &mut view.services[0];
    it.signal.state = ScalingState::Unknown;
    it.signal.reason = "nothing was decided since 11:54:00 UTC (6 min); 3 replicas are held".into();
    (it.history, it.decisions) = (vec![], vec![]);
    view.history_unavailable = Some("the store cannot be read: decisions are missing".into());
    view
}

/// What others may write: names of queues, schedulers, policies, reasons.
pub(crate) fn hostile() -> (QueuesView, ScalingView) {
    let evil = "<script>alert(1)</script> \u{202e}txet\u{202c} \u{1b}[31m \"quoted\" & ' </style><img src=x>";
    let (mut queues, mut scaling) = (unread_queues(), scaling());
    queues.queues[0].name = evil.repeat(20);
    queues.queues[0].store = evil.into();
    queues.queues[0].summary = evil.into();
    queues.queues[0].sample.vanished_schedulers = vec![evil.into(); 5];
    queues.stores[0].name = evil.into();
    queues.stores[0].findings.push(evil.into());
    queues.stores[0].maxmemory_policy = Some(evil.into());
    let it = &mut scaling.services[0];
    it.signal.service = evil.into();
    it.signal.reason = evil.into();
    it.signal.held.push(evil.into());
    it.signal.inputs.insert(evil.into(), f64::NAN);
    it.signal.manual =
        Some(ManualScale { replicas: 4, until: Some(NOW), by: evil.into(), reason: evil.into() });
    it.decisions[0].reason = evil.into();
    (queues, scaling)
}

fn queue(name: &str, tone: Tone, summary: &str, sample: QueueSample) -> QueueView {
    QueueView {
        store: "valkey.main".into(),
        name: name.into(),
        tone,
        summary: summary.into(),
        sample,
        rates: QueueRates::default(),
        clears_in_s: None,
        services: vec![],
        target_wait_s: None,
        age_s: 0.8,
    }
}

fn store(tone: Tone, findings: Vec<String>) -> QueueStoreView {
    let maxmemory_policy = Some("noeviction".into());
    QueueStoreView { name: "valkey.main".into(), tone, findings, age_s: Some(0.8), maxmemory_policy }
}

fn signal(service: &str, desired: u16, state: ScalingState, reason: &str) -> ScalingSignal {
    ScalingSignal {
        service: service.into(),
        desired,
        current: 2,
        bounds: ReplicaBounds { min: 1, max: 4 },
        state,
        reason: reason.into(),
        held: vec![],
        inputs: Default::default(),
        manual: None,
        decided_at: ago(20),
        valid_until: NOW,
    }
}

fn decision(seconds: u64, from: u16, to: u16) -> ScalingDecision {
    ScalingDecision {
        id: seconds.to_string(),
        service: "worker".into(),
        at: ago(seconds),
        from,
        to,
        reason: "jobs wait longer than 5 s".into(),
        held: if from == to { vec!["at most 4 replicas are allowed".into()] } else { vec![] },
        inputs: Default::default(),
    }
}
