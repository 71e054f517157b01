use std::collections::BTreeMap;

use ops_contract::QueueReport;

use super::*;
use crate::testing;

const NOW: Timestamp = Timestamp(1_792_000_000_000_000);

fn stack() -> Stack {
    Stack {
        name: "test".into(),
        environment: ops_contract::Environment::Test,
        services: [testing::service("worker", true), testing::service("api", false)].into(),
        postgres: BTreeMap::new(),
        valkey: BTreeMap::new(),
        secrets: BTreeMap::new(),
        alerts: Default::default(),
        telemetry: Default::default(),
        scrape: Vec::new(),
        secret_stores: Default::default(),
        audit: Default::default(),
    }
}

fn known(queues: &[(&str, QueueSample, QueueRates)]) -> QueueStoreState {
    let report = QueueReport {
        store: "valkey.main".into(),
        epoch: "1".into(),
        queues: queues.iter().map(|(name, sample, _)| ((*name).to_owned(), sample.clone())).collect(),
        unread: 0,
        fault: None,
        maxmemory_policy: Some("noeviction".into()),
        took_us: 900,
        at: NOW,
    };
    let rates = queues.iter().map(|(name, _, rates)| ((*name).to_owned(), *rates)).collect();
    QueueStoreState { last: Some(report), seen_at: NOW - Duration::from_secs(1), fault: None, rates }
}

fn view(store: QueueStoreState) -> QueuesView {
    let state = SystemState { queues: [("valkey.main".to_owned(), store)].into(), ..Default::default() };
    queues_view(&stack(), &state, NOW)
}

fn calm() -> QueueSample {
    QueueSample { workers: 2, ..Default::default() }
}

fn even() -> QueueRates {
    QueueRates { arrivals_per_s: 2.0, finished_per_s: 2.0, stalled_per_min: 0.0 }
}

fn check(sample: QueueSample, rates: QueueRates, tone: Tone, summary: &str) {
    let view = view(known(&[("ai", sample, rates)]));
    assert_eq!((view.queues[0].tone, view.queues[0].summary.as_str()), (tone, summary));
}

#[test]
fn a_queue_is_as_bad_as_the_worst_of_it() {
    let waits = |waiting, age| QueueSample { waiting, oldest_age_s: Some(age), ..calm() };
    let falling = QueueRates { finished_per_s: 8.0, arrivals_per_s: 2.0, stalled_per_min: 0.0 };
    let rising = QueueRates { finished_per_s: 1.0, arrivals_per_s: 3.5, stalled_per_min: 0.0 };
    let stalling = QueueRates { stalled_per_min: 0.4, ..even() };
    use Tone::{Degraded, Down, Serving};
    check(calm(), even(), Serving, "no job waits");
    check(QueueSample { active: 3, ..calm() }, even(), Serving, "no job waits, 3 are under way");
    check(
        waits(1, 0.42),
        even(),
        Serving,
        "1 job waits, for 0.4 s (target 5 s); it does not shrink at the present rates",
    );
    check(
        waits(1_204, 12.0),
        falling,
        Degraded,
        "1,204 jobs wait, the oldest for 12 s (target 5 s); cleared in about 3 min at the present rates",
    );
    check(
        waits(40, 5.2),
        rising,
        Degraded,
        "40 jobs wait, the oldest for 5.2 s (target 5 s); it grows by 2.5 jobs a second",
    );
    check(
        waits(40, 20.6),
        falling,
        Down,
        "40 jobs wait, the oldest for 21 s (target 5 s); cleared in about 6.7 s at the present rates",
    );
    check(
        waits(5_000, 4.0),
        falling,
        Down,
        "5,000 jobs wait, the oldest for 4 s (target 5 s); cleared in about 13 min at the present rates",
    );
    check(
        QueueSample { workers: 0, ..waits(2, 1.0) },
        even(),
        Down,
        "2 jobs wait, the oldest for 1 s (target 5 s); no worker is connected: nothing is taken until one comes",
    );
    check(
        QueueSample { paused: true, workers: 0, ..waits(2, 1.0) },
        even(),
        Degraded,
        "2 jobs wait, the oldest for 1 s (target 5 s); the queue is paused: nothing is taken until it is resumed",
    );
    check(QueueSample { paused: true, ..calm() }, even(), Serving, "no job waits");
    check(calm(), stalling, Degraded, "no job waits; 0.4 jobs a minute lose their worker");
    check(
        QueueSample { vanished_schedulers: vec!["nightly".into()], ..calm() },
        even(),
        Degraded,
        "no job waits; job schedulers are gone: nightly",
    );
}

#[test]
fn delayed_jobs_are_backlog_only_when_due() {
    let sample = QueueSample { delayed: 9_000, delayed_due: 0, ..calm() };
    check(sample, even(), Tone::Serving, "no job waits");
    let due = QueueSample { delayed: 9_000, delayed_due: 6_000, ..calm() };
    let view = view(known(&[("ai", due, even())]));
    assert_eq!(view.queues[0].tone, Tone::Down);
}

#[test]
fn old_data_is_unknown_and_says_its_age() {
    let full = QueueSample { waiting: 9_000, ..calm() };
    for (sample, age, fault) in [(calm(), 7, None), (full, 130, Some("connection refused"))] {
        let mut store = known(&[("ai", sample.clone(), even())]);
        store.seen_at = NOW - Duration::from_secs(age);
        store.fault = fault.map(|it| (it.to_owned(), NOW));
        let view = view(store);
        assert_eq!((view.queues[0].tone, view.stores[0].tone), (Tone::Unknown, Tone::Unknown));
        assert_eq!(view.queues[0].clears_in_s, None);
        let expected = match fault {
            None => "nothing was seen for 7 s; 0 jobs waited then",
            Some(_) => "nothing was seen for 2 min: connection refused; 9,000 jobs waited then",
        };
        assert_eq!(view.queues[0].summary, expected);
    }
    // A fault makes it unknown at once.
    let mut store = known(&[("ai", calm(), even())]);
    store.fault = Some(("timed out".into(), NOW));
    assert_eq!(view(store).queues[0].tone, Tone::Unknown);
}

#[test]
fn a_store_that_was_never_read_is_unknown() {
    let fresh = view(QueueStoreState { fault: Some(("refused".into(), NOW)), ..Default::default() });
    assert_eq!(fresh.stores[0].tone, Tone::Unknown);
    assert_eq!(fresh.stores[0].findings, ["nothing was seen yet: refused"]);
    assert_eq!(fresh.stores[0].age_s, None);
}

#[test]
fn a_policy_that_throws_jobs_away_is_told_of_the_store() {
    let mut store = known(&[("ai", calm(), even())]);
    if let Some(report) = &mut store.last {
        report.maxmemory_policy = Some("allkeys-lru".into());
    }
    let view = view(store);
    assert_eq!((view.stores[0].tone, view.queues[0].tone), (Tone::Down, Tone::Serving));
    assert!(view.stores[0].findings[0].starts_with("maxmemory-policy is allkeys-lru"));
}

#[test]
fn the_worst_comes_first_and_then_the_deepest() {
    let waits = |waiting| QueueSample { waiting, ..calm() };
    let queues = [("a", calm()), ("b", waits(2_000)), ("c", waits(10)), ("d", waits(6_000))];
    let queues: Vec<_> = queues.map(|(name, sample)| (name, sample, even())).into();
    let names: Vec<String> = view(known(&queues)).queues.into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["d", "b", "c", "a"]);
}

#[test]
fn a_queue_names_who_follows_it() {
    let view = view(known(&[("ai", calm(), even()), ("mail", calm(), even())]));
    let of = |name: &str| view.queues.iter().find(|it| it.name == name).unwrap().clone();
    assert_eq!((of("ai").services, of("ai").target_wait_s), (vec!["worker".into()], Some(5.0)));
    assert_eq!((of("mail").services, of("mail").target_wait_s), (vec![], None));
}
