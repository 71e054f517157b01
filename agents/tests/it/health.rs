use std::time::Duration;

use ops_contract::{ActionCause, ActionKind, DeepCheck, ExitReason, ReplicaPhase};
use rustix::process::Signal;

use crate::world::{World, replica, send, shell};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_answer_makes_a_replica_unready_and_nothing_more() {
    let flag = tempfile::tempdir().unwrap();
    let bad = flag.path().join("bad");
    let world = World::with(|programs, spec| {
        spec.program.command = vec![programs.program.clone(), "bad-if".to_owned(), bad.display().to_string()];
    })
    .await;
    world.start_ready().await;
    std::fs::write(&bad, "").unwrap();
    let report = world.until_phase(ReplicaPhase::NotReady).await;
    assert_eq!(report.detail.as_deref(), Some("answers 503: no backend"));
    assert!(!report.unresponsive);
    std::fs::remove_file(&bad).unwrap();
    world.until_phase(ReplicaPhase::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_hangs_is_reported_as_unresponsive_and_can_be_restarted() {
    let world = World::with(|_, spec| spec.stop.grace = Duration::from_millis(300)).await;
    let pid = world.start_ready().await.pid.unwrap();
    send(pid, Signal::STOP);
    let find = |memory: &crate::server::Memory| {
        memory.replicas.get(&replica()).filter(|report| report.unresponsive).cloned()
    };
    let report = world.until("unresponsive", find).await;
    assert_eq!(report.phase, ReplicaPhase::NotReady);
    assert_eq!(report.detail.as_deref(), Some("no answer within 300ms"));
    let id = world.ask(ActionKind::Restart, 2, ActionCause::Unresponsive);
    world.result(&id).await;
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!((exit.reason, exit.signal), (ExitReason::Unresponsive, Some(9)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_never_answers_is_reported_after_its_start_timeout() {
    let world = World::with(|_, spec| {
        let health = spec.health.clone();
        shell(spec, "sleep 1000");
        spec.health = health;
        spec.health.as_mut().unwrap().start_timeout = Duration::from_millis(500);
    })
    .await;
    world.must(ActionKind::Start, 1).await;
    let find = |memory: &crate::server::Memory| {
        memory.replicas.get(&replica()).filter(|report| report.unresponsive).cloned()
    };
    let report = world.until("unresponsive", find).await;
    assert_eq!(report.phase, ReplicaPhase::Starting);
    assert_eq!(
        report.detail.as_deref(),
        Some("no good answer within 500ms of its start: connection refused")
    );
    let id = world.ask(ActionKind::Stop, 1, ActionCause::Unresponsive);
    world.result(&id).await;
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!(exit.reason, ExitReason::StartTimeout);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_read_path_is_asked_and_told() {
    let flag = tempfile::tempdir().unwrap();
    let bad = flag.path().join("bad");
    let world = World::with(|programs, spec| {
        spec.program.command = vec![programs.program.clone(), "bad-if".to_owned(), bad.display().to_string()];
        spec.deep_check =
            Some(DeepCheck { path: "/v1/read".to_owned(), interval: Duration::from_millis(100) });
        spec.health = None;
    })
    .await;
    world.must(ActionKind::Start, 1).await;
    world
        .until("a good check", |memory| memory.deep_checks.iter().any(|(good, _)| *good).then_some(()))
        .await;
    std::fs::write(&bad, "").unwrap();
    let seen =
        |memory: &crate::server::Memory| memory.deep_checks.iter().rev().find(|(good, _)| !good).cloned();
    let (_, detail) =
        world.until("a bad check", |memory| seen(memory).filter(|(_, detail)| detail.contains("503"))).await;
    assert_eq!(detail, "/v1/read answers 503: no backend");
}
