//! What is decided, in named scenarios.

mod world;

use ops_contract::*;
use ops_engine::{Intent, Rolling};
use world::{World, id, short};

#[track_caller]
fn check(world: &mut World, expected: &[&str]) {
    assert_eq!(short(&world.plan()), expected);
}

#[test]
fn a_well_system_is_left_alone() {
    check(&mut World::well(), &[]);
}

#[test]
fn stores_start_first_and_services_wait_for_their_probe() {
    let mut world = World::empty();
    check(&mut world, &["hold api/0", "hold api/1", "start postgres-main/0"]);
    world.replica("postgres-main", 0, ReplicaPhase::Ready);
    check(&mut world, &["hold api/0", "hold api/1"]);
    world.store("postgres.main", DependencyStatus::Up, "answers");
    check(&mut world, &["start api/0", "start api/1"]);
}

#[test]
fn nothing_is_decided_before_an_agent_has_told_what_it_has() {
    let world = World::empty();
    let facts = ops_engine::Facts { inventory_known: false, ..world.facts() };
    assert_eq!(short(&ops_engine::plan(&facts)), Vec::<String>::new());
}

#[test]
fn a_plan_whose_actions_are_open_adds_nothing() {
    let mut world = World::well();
    world.crashes("api", 0, 1);
    world.later(2);
    let plan = world.plan();
    assert_eq!(short(&plan), ["start api/0"]);
    world.open(&plan);
    check(&mut world, &[]);
}

#[test]
fn a_crash_waits_a_second_then_starts_again() {
    let mut world = World::well();
    world.crashes("api", 0, 1);
    let plan = world.plan();
    assert_eq!(short(&plan), ["wait api/0"]);
    let wait = plan.wake_at.unwrap().since(world.now).as_secs_f64();
    assert!((0.8..=1.2).contains(&wait), "{wait}");
    assert_eq!(world.state.services[&"api".into()].replicas[&0].phase, ReplicaPhase::BackingOff);
    world.now = plan.wake_at.unwrap();
    check(&mut world, &["start api/0"]);
}

#[test]
fn the_third_failure_in_the_window_gives_up_for_good() {
    let mut world = World::well();
    for generation in 1..=3 {
        world.later(3).crashes("api", 0, generation);
    }
    check(&mut world, &["give up api/0"]);
    assert_eq!(world.state.services[&"api".into()].replicas[&0].phase, ReplicaPhase::GaveUp);
    world.later(86_400);
    let report = world.report("postgres-main", 0, 1, ReplicaPhase::Ready);
    let other = world.report("api", 1, 1, ReplicaPhase::Ready);
    let gone = world.report("api", 0, 3, ReplicaPhase::Exited);
    world.signal(&Signal::Inventory { replicas: vec![report, other, gone] });
    world.store("postgres.main", DependencyStatus::Up, "answers");
    check(&mut world, &["give up api/0"]);
    assert_eq!(world.state.services[&"api".into()].replicas[&0].failures, 3);
}

#[test]
fn failures_further_apart_than_the_window_never_give_up() {
    let mut world = World::well();
    for generation in 1..=6 {
        world.later(400).crashes("api", 0, generation);
    }
    let plan = world.plan();
    assert!(short(&plan).contains(&"wait api/0".to_owned()), "{:?}", short(&plan));
}

#[test]
fn a_bad_configuration_is_not_tried_again() {
    let mut world = World::well();
    world.ends("api", 0, 1, ExitReason::Failed, Some(78));
    check(&mut world, &["give up api/0"]);
}

#[test]
fn an_exit_with_code_zero_stays_down_and_is_not_green() {
    let mut world = World::well();
    world.ends("api", 0, 1, ExitReason::Finished, Some(0));
    check(&mut world, &["hold api/0"]);
    assert_eq!(world.state.services[&"api".into()].status, ServiceStatus::Degraded);
}

#[test]
fn what_ended_while_its_store_is_down_waits_for_the_store() {
    let mut world = World::well();
    world.store("postgres.main", DependencyStatus::Down, "connection refused");
    world.crashes("api", 0, 1);
    world.later(5);
    world.store("postgres.main", DependencyStatus::Down, "connection refused");
    check(&mut world, &["hold api/0"]);
    world.store("postgres.main", DependencyStatus::Up, "answers");
    check(&mut world, &["start api/0"]);
}

#[test]
fn one_that_hangs_is_restarted() {
    let mut world = World::well();
    world.hangs("api", 1);
    check(&mut world, &["restart api/1"]);
}

#[test]
fn hanging_is_held_when_the_store_is_at_fault_or_most_hang() {
    let mut world = World::well();
    world.hangs("api", 0);
    world.store("postgres.main", DependencyStatus::Unknown, "no answer within 2 s");
    check(&mut world, &["hold api/0"]);
    world.store("postgres.main", DependencyStatus::Up, "answers");
    world.hangs("api", 1);
    check(&mut world, &["hold api/0", "hold api/1"]);
}

#[test]
fn silence_is_unknown_and_holds_everything() {
    let mut world = World::well();
    world.later(16);
    check(&mut world, &["hold api/0", "hold api/1", "hold postgres-main/0"]);
    assert_eq!(world.state.services[&"api".into()].status, ServiceStatus::Unknown);
    assert_eq!(world.state.dependencies["postgres.main"].status, DependencyStatus::Unknown);
}

#[test]
fn a_rolling_restart_goes_one_by_one() {
    let mut world = World::well();
    let rolling =
        Rolling { service: "api".into(), slots: vec![0, 1], patient: true, requested_by: "ann".into() };
    world.rolling = vec![rolling.clone()];
    check(&mut world, &["restart api/0"]);
    world.rolling = vec![Rolling { slots: vec![1], ..rolling }];
    let report = world.report("api", 0, 2, ReplicaPhase::Starting);
    world.signal(&Signal::Replica(report));
    check(&mut world, &["hold api/1"]);
    let report = world.report("api", 0, 2, ReplicaPhase::Ready);
    world.signal(&Signal::Replica(report));
    check(&mut world, &["restart api/1"]);
}

#[test]
fn an_operator_starts_what_gave_up() {
    let mut world = World::well();
    for generation in 1..=3 {
        world.crashes("api", 0, generation);
    }
    world.rolling =
        vec![Rolling { service: "api".into(), slots: vec![0], patient: false, requested_by: "ann".into() }];
    check(&mut world, &["start api/0"]);
}

#[test]
fn scaling_down_drains_the_highest_slot() {
    let mut world = World::well();
    world.desired.insert("api".into(), 3);
    check(&mut world, &["start api/2"]);
    world.replica("api", 2, ReplicaPhase::Ready);
    world.desired.clear();
    check(&mut world, &["stop api/2"]);
}

#[test]
fn a_stop_goes_from_the_top_down() {
    let mut world = World::well();
    world.intent = Intent::Stopped;
    check(&mut world, &["stop api/0", "stop api/1"]);
    for slot in [0, 1] {
        world.ends("api", slot, 1, ExitReason::Asked, Some(0));
    }
    check(&mut world, &["stop postgres-main/0"]);
}

#[test]
fn the_sentence_says_what_since_when_and_why() {
    let mut world = World::well();
    assert_eq!(world.sentence(), "All 3 replicas serving");
    world.later(60).store("postgres.main", DependencyStatus::Down, "connection refused");
    for slot in [0, 1] {
        world.replica("api", slot, ReplicaPhase::NotReady);
    }
    world.replica("postgres-main", 0, ReplicaPhase::Ready);
    world.judge();
    world.now = world.now + std::time::Duration::from_secs(5);
    assert_eq!(
        world.sentence(),
        "PostgreSQL main is down since 12:01:00 UTC (5 s): connection refused · also unwell: api"
    );
    let verdict = ops_engine::explain(&world.stack, &world.state, &[], world.now);
    assert_eq!((verdict.tone, verdict.root.as_deref()), (Tone::Down, Some("postgres.main")));
}

#[test]
fn the_nearest_change_before_the_onset_is_named() {
    let mut world = World::well();
    let change = |id: &str, at, kind| Change {
        id: id.into(),
        at,
        kind,
        subject: "api".into(),
        actor: "ann".into(),
        summary: id.into(),
    };
    world.changes = vec![
        change("after", world::at(20), ChangeKind::Scale),
        change("exit", world::at(9), ChangeKind::Exit),
        change("before", world::at(8), ChangeKind::Scale),
    ];
    world.later(10).replica("api", 0, ReplicaPhase::NotReady);
    world.replica("api", 1, ReplicaPhase::Ready);
    world.judge();
    let verdict = ops_engine::explain(&world.stack, &world.state, &world.changes, world.now);
    assert_eq!(verdict.nearest_change.map(|it| it.id), Some("before".into()));
}

#[test]
fn late_and_repeated_signals_change_nothing() {
    let mut world = World::well();
    world.crashes("api", 0, 1);
    let ready = world.report("api", 0, 2, ReplicaPhase::Ready);
    world.signal(&Signal::Replica(ready.clone()));
    let state = world.state.clone();
    let old = world.report("api", 0, 1, ReplicaPhase::Ready);
    world.signal(&Signal::Replica(old));
    world.signal(&Signal::Replica(ready));
    assert_eq!(world.state, state);
    assert_eq!(world.state.services[&"api".into()].replicas[&0].generation, 2);
    assert_eq!(id("api", 0).to_string(), "api/0");
}

#[test]
fn a_store_whose_process_has_ended_is_told_once_and_by_its_name() {
    let mut world = World::well();
    world.later(60).ends("postgres-main", 0, 1, ExitReason::Finished, Some(0));
    let not_ready = |world: &mut World| {
        for slot in [0, 1] {
            world.replica("api", slot, ReplicaPhase::NotReady);
        }
    };
    // The exit is known before the probe has asked again.
    world.store("postgres.main", DependencyStatus::Up, "answers");
    not_ready(&mut world);
    let first = world.sentence();
    world.store("postgres.main", DependencyStatus::Down, "connection refused");
    let then = world.sentence();
    for sentence in [first, then] {
        let expected = "PostgreSQL main is down since 12:01:00 UTC (0 s): 0 of 1 replicas ready; \
                        postgres-main/0: exited with code 0 · also unwell: api";
        assert_eq!(sentence, expected);
    }
    let verdict = ops_engine::explain(&world.stack, &world.state, &[], world.now);
    assert_eq!(verdict.root.as_deref(), Some("postgres.main"));
}
