//! Restart, back-off, give up, liveness, drain, scale: what the control plane does for any program.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ops_contract::{Exit, Page, ReplicaPhase, ServiceStatus, Tone};
use ops_tests::system::{http_client, kill, leftovers};
use ops_tests::{System, eventually};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::toys::TOYS;

#[tokio::test]
async fn a_killed_replica_is_replaced_and_the_evidence_is_kept() {
    let system = System::start(TOYS).await.unwrap();
    let before = system.replica("toy", 0).await.unwrap().state;
    let started = std::time::Instant::now();
    kill(before.pid.unwrap(), Signal::KILL);
    let after = system.replaced("toy", 0, before.pid.unwrap()).await.unwrap().state;
    println!("ready again after {} ms", started.elapsed().as_millis());
    assert_eq!(after.generation, before.generation + 1);
    assert_eq!(after.failures, 1);

    let exits: Page<Exit> = system.get("/api/services/toy/replicas/0/exits").await.unwrap();
    let exit = &exits.items[0];
    assert_eq!((exit.signal, exit.generation), (Some(9), before.generation));
    assert!(exit.meaning.contains("SIGKILL"), "{}", exit.meaning);
    assert!(exit.last_lines.iter().any(|line| line.text.starts_with("line ")), "its last lines are kept");

    let logs = system.cli(&["logs", "toy/0", "-n", "5"]).unwrap();
    assert!(logs.status.success(), "{logs:?}");
    assert!(String::from_utf8_lossy(&logs.stdout).contains("line "), "{logs:?}");
}

#[tokio::test]
async fn the_third_crash_gives_up_and_a_person_can_start_it_again() {
    let system = System::start(TOYS).await.unwrap();
    for _ in 0..3 {
        let replica =
            system.replica_becomes("toy", 1, |it| it.state.phase == ReplicaPhase::Ready).await.unwrap();
        let url = format!("http://127.0.0.1:{}/crash", replica.state.port.unwrap());
        let _ = system.http.get(url).send().await;
        system
            .replica_becomes("toy", 1, |it| {
                it.state.generation > replica.state.generation || it.state.phase == ReplicaPhase::GaveUp
            })
            .await
            .unwrap();
    }
    let gave_up =
        system.replica_becomes("toy", 1, |it| it.state.phase == ReplicaPhase::GaveUp).await.unwrap();
    assert_eq!(gave_up.state.failures, 3);
    let now = system.now().await.unwrap();
    assert_eq!(now.services[0].status, ServiceStatus::Degraded);
    assert!(now.verdict.sentence.contains("gave up"), "{}", now.verdict.sentence);

    let restart = system.cli(&["restart", "toy/1"]).unwrap();
    assert!(restart.status.success(), "{restart:?}");
    system.replica_becomes("toy", 1, |it| it.state.phase == ReplicaPhase::Ready).await.unwrap();
}

#[tokio::test]
async fn a_replica_that_hangs_is_restarted() {
    let system = System::start(TOYS).await.unwrap();
    let pid = system.replica("toy", 0).await.unwrap().state.pid.unwrap();
    kill(pid, Signal::STOP);
    system.replaced("toy", 0, pid).await.unwrap();
    let exits: Page<Exit> = system.get("/api/services/toy/replicas/0/exits").await.unwrap();
    assert_eq!(exits.items[0].reason, ops_contract::ExitReason::Unresponsive);
}

#[tokio::test]
async fn a_replica_whose_health_is_bad_is_not_ready_and_not_restarted() {
    let system = System::start(TOYS).await.unwrap();
    let before = system.replica("toy", 0).await.unwrap().state;
    system.http.post(format!("http://127.0.0.1:{}/sick", before.port.unwrap())).send().await.unwrap();
    let sick =
        system.replica_becomes("toy", 0, |it| it.state.phase == ReplicaPhase::NotReady).await.unwrap().state;
    assert!(sick.detail.as_deref().unwrap_or_default().contains("503"), "{:?}", sick.detail);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let later = system.replica("toy", 0).await.unwrap().state;
    assert_eq!((later.pid, later.generation), (before.pid, before.generation));
    assert_eq!(system.now().await.unwrap().verdict.tone, Tone::Degraded);
}

#[tokio::test]
async fn a_rolling_restart_loses_no_request() {
    let system = System::start(
        &format!("{TOYS}\n[balancer]\nport = FREE_PORT_2\n")
            .replace("replicas = {", "route = \"/\"\nreplicas = {"),
    )
    .await
    .unwrap();
    let balancer = system.replica("balancer", 0).await.unwrap().state.port.unwrap();
    let before = system.pids().await.unwrap();
    // All replicas are ready, and nginx may still be on its way from the configuration without them.
    eventually(Duration::from_secs(10), async || {
        for _ in 0..20 {
            let fresh = http_client().unwrap();
            let answer = fresh.get(format!("http://127.0.0.1:{balancer}/slow?ms=0")).send().await.ok()?;
            answer.status().is_success().then_some(())?;
        }
        Some(())
    })
    .await
    .expect("the balancer knows the replicas");

    let stop = Arc::new(AtomicBool::new(false));
    let (good, bad) = (Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(Vec::new())));
    let began = std::time::Instant::now();
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (stop, good, bad) = (Arc::clone(&stop), Arc::clone(&good), Arc::clone(&bad));
            tokio::spawn(async move {
                let http = http_client().unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let answer =
                        http.get(format!("http://127.0.0.1:{balancer}/slow?ms={}", client * 20)).send().await;
                    match answer {
                        Ok(it) if it.status().is_success() => drop(good.fetch_add(1, Ordering::Relaxed)),
                        other => bad.lock().unwrap().push(format!("{:?} {other:?}", began.elapsed())),
                    }
                }
            })
        })
        .collect();

    system.post("/api/services/toy/restart", json!({ "reason": "test" })).await.unwrap();
    for (slot, (_, pid)) in before.iter().filter(|(name, _)| name.starts_with("toy/")).enumerate() {
        system.replaced("toy", slot as u16, *pid).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    println!("{} requests", good.load(Ordering::Relaxed));
    assert!(good.load(Ordering::Relaxed) > 20);
    let bad = bad.lock().unwrap();
    assert!(bad.is_empty(), "{} requests were lost, first {:?}", bad.len(), bad[0]);
}

#[tokio::test]
async fn scaling_starts_and_drains_replicas_and_keeps_to_the_bounds() {
    let system = System::start(TOYS).await.unwrap();
    system.post("/api/services/toy/scale", json!({ "replicas": 3, "reason": "test" })).await.unwrap();
    let third = system.replica_becomes("toy", 2, |it| it.state.phase == ReplicaPhase::Ready).await.unwrap();
    system.post("/api/services/toy/scale", json!({ "replicas": 2 })).await.unwrap();
    eventually(Duration::from_secs(20), async || {
        (!ops_tests::system::is_alive(third.state.pid?)).then_some(())
    })
    .await
    .expect("the third replica is stopped");
    let response =
        system.send(Method::POST, "/api/services/toy/scale", Some(json!({ "replicas": 9 }))).await.unwrap();
    assert_eq!(response.status().as_u16(), 422);
    assert!(response.text().await.unwrap().contains('3'), "the answer names the bound");
}

#[tokio::test]
async fn secrets_that_a_program_prints_are_not_kept() {
    let system = System::start(TOYS).await.unwrap();
    let log = std::fs::read_to_string(system.state().join("logs/toy/0/1.log")).unwrap();
    assert!(log.contains("[redacted]"), "{log}");
}

#[tokio::test]
async fn down_leaves_nothing_running() {
    let system = System::start(TOYS).await.unwrap();
    let down = system.cli(&["down"]).unwrap();
    assert!(down.status.success(), "{down:?}");
    let left =
        eventually(Duration::from_secs(5), async || leftovers(system.folder()).is_empty().then_some(()))
            .await;
    assert!(left.is_some(), "{:?}", leftovers(system.folder()));
}
