//! Server and agent may be killed at any instruction: what runs goes on, and is never started twice.

use std::time::Duration;

use ops_contract::{NowView, ReplicaPhase};
use ops_tests::system::{is_alive, kill};
use ops_tests::{System, eventually};
use rustix::process::Signal;

use crate::toys::TOYS;

#[derive(Clone, Copy)]
enum Part {
    Server,
    Agent,
}

impl Part {
    fn pid(self, system: &System) -> Option<u32> {
        let (server, agent) = system.control_pids().ok()?;
        Some(match self {
            Self::Server => server,
            Self::Agent => agent,
        })
    }
}

/// Kills a part and waits until `up` has started another.
async fn kill_and_wait(system: &System, part: Part) {
    let before = part.pid(system).expect("up.json names the process");
    kill(before, Signal::KILL);
    eventually(Duration::from_secs(20), async || {
        part.pid(system).filter(|now| *now != before && is_alive(*now))
    })
    .await
    .expect("`up` starts it again");
}

/// The page knows all replicas again, from a fresh report.
async fn page_is_right(system: &System) -> NowView {
    system.serves().await.expect("the page is right again")
}

async fn the_same_processes_go_on(part: Part) {
    let system = System::start(TOYS).await.unwrap();
    let before = system.pids().await.unwrap();
    assert_eq!(before.len(), 2);
    for _ in 0..10 {
        kill_and_wait(&system, part).await;
    }
    let now = page_is_right(&system).await;
    assert_eq!(system.pids().await.unwrap(), before);
    assert!(now.services[0].replicas.iter().all(|it| it.state.generation == 1 && it.state.failures == 0));
    assert_eq!(toys(&system), 2, "no second copies");
    log_has_no_gap(&system, 0);
    log_has_no_gap(&system, 1);
}

#[tokio::test]
async fn killing_the_agent_ten_times_touches_no_replica() {
    the_same_processes_go_on(Part::Agent).await;
}

#[tokio::test]
async fn killing_the_server_ten_times_touches_no_replica() {
    the_same_processes_go_on(Part::Server).await;
}

#[tokio::test]
async fn killing_both_at_once_leaves_the_page_right_afterwards() {
    let system = System::start(TOYS).await.unwrap();
    let before = system.pids().await.unwrap();
    let (server, agent) = system.control_pids().unwrap();
    kill(server, Signal::KILL);
    kill(agent, Signal::KILL);
    eventually(Duration::from_secs(20), async || {
        let (new_server, new_agent) = system.control_pids().ok()?;
        (new_server != server && new_agent != agent).then_some(())
    })
    .await
    .expect("both are started again");
    page_is_right(&system).await;
    assert_eq!(system.pids().await.unwrap(), before);
}

/// Killed at moments that spread over stop and start of a rolling restart, a part leaves two toys and no more.
async fn no_second_copy_comes_of_it(part: Part) {
    let system = System::start(TOYS).await.unwrap();
    let restart = async || {
        let asked = system.post("/api/services/toy/restart", serde_json::json!({ "reason": "test" })).await;
        asked.ok()
    };
    for round in 0..5 {
        eventually(Duration::from_secs(20), restart).await.expect("the server takes the wish");
        tokio::time::sleep(Duration::from_millis(40 * round)).await;
        kill_and_wait(&system, part).await;
    }
    page_is_right(&system).await;
    eventually(Duration::from_secs(20), async || (toys(&system) == 2).then_some(()))
        .await
        .expect("two, and no more");
    let now = page_is_right(&system).await;
    assert!(now.services[0].replicas.iter().all(|it| it.state.failures == 0), "no replica failed");
}

#[tokio::test]
async fn killing_the_agent_during_starts_and_restarts_makes_no_second_copy() {
    no_second_copy_comes_of_it(Part::Agent).await;
}

#[tokio::test]
async fn killing_the_server_during_starts_and_restarts_makes_no_second_copy() {
    no_second_copy_comes_of_it(Part::Server).await;
}

#[tokio::test]
async fn a_replica_that_died_while_nobody_watched_is_seen_and_replaced() {
    let system = System::start(TOYS).await.unwrap();
    let pid = system.replica("toy", 0).await.unwrap().state.pid.unwrap();
    let (_, agent) = system.control_pids().unwrap();
    kill(agent, Signal::KILL);
    kill(pid, Signal::KILL);
    let replica = system.replaced("toy", 0, pid).await.unwrap();
    assert_eq!(replica.state.phase, ReplicaPhase::Ready);
    assert_eq!(replica.state.last_exit.unwrap().signal, Some(9));
}

/// Living toys of this stack.
fn toys(system: &System) -> usize {
    let state = system.state();
    let shims = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let cwd = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("toy.mjs")
            && (cwd.starts_with(system.folder())
                || String::from_utf8_lossy(&environment).contains(&*state.to_string_lossy()))
    });
    shims.count()
}

/// The toy writes `line 1`, `line 2`, …: none may be missing.
fn log_has_no_gap(system: &System, slot: u16) {
    let path = system.state().join(format!("logs/toy/{slot}/1.log"));
    let text = std::fs::read_to_string(&path).unwrap();
    let numbers: Vec<u64> = text
        .lines()
        .filter_map(|line| line.split_once(" o line "))
        .filter_map(|(_, number)| number.parse().ok())
        .collect();
    assert!(numbers.len() > 10, "{} lines", numbers.len());
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{}", path.display());
}
