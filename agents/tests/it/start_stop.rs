use std::time::Duration;

use ops_contract::{ActionCause, ActionKind, ActionStatus, ExitReason, ReplicaPhase};

use crate::world::{World, copies, is_alive, replica, shell};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_handed_its_port_and_little_else() {
    let world = World::with(|programs, spec| {
        spec.program.command = vec![programs.program.clone(), "environment".to_owned()];
        spec.env.insert("GREETING".to_owned(), "hello".to_owned());
    })
    .await;
    let report = world.start_ready().await;
    let port = format!("PORT={}", report.port.unwrap());
    let expected = [&port, "HOST=127.0.0.1", "INSIGHTDESK_REPLICA=app/0", "GREETING=hello", "PATH="];
    // It may answer on its port before the shim has written all that it said.
    let whole = || Some(world.log_text(1)).filter(|log| expected.iter().all(|line| log.contains(line)));
    let log = world.eventually(whole).await.unwrap_or_else(|| world.log_text(1));
    for line in expected {
        assert!(log.contains(line), "{line} is not in\n{log}");
    }
    assert!(!log.contains("AGENT_ONLY") && !log.contains("CARGO"), "{log}");
    world
        .until("usage", |memory| {
            memory.inventory.first()?.usage.filter(|usage| usage.memory_bytes > 0 && usage.open_files > 0)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_done_before_succeeds_without_a_second_copy() {
    let world = World::with(|_, _| {}).await;
    let pid = world.start_ready().await.pid;
    world.must(ActionKind::Start, 1).await;
    assert_eq!(world.until_phase(ReplicaPhase::Ready).await.pid, pid);
    let id = world.ask(ActionKind::Start, 2, ActionCause::Operator);
    let result = world.result(&id).await;
    assert_eq!(result.status, ActionStatus::Failed);
    assert!(result.error.unwrap().contains("generation 1 runs in the slot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_missing_is_said_to_be_missing() {
    let world = World::with(|_, spec| spec.program.command = vec!["/nowhere/program".to_owned()]).await;
    let id = world.ask(ActionKind::Start, 1, ActionCause::Operator);
    let result = world.result(&id).await;
    assert!(result.error.unwrap().contains("cannot start /nowhere/program: no such program"));
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!(exit.reason, ExitReason::StartFailed);
    assert!(exit.meaning.contains("no such program"), "{}", exit.meaning);
    assert_eq!(world.until_phase(ReplicaPhase::Exited).await.pid, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_missing_is_said_to_be_missing() {
    let world = World::with(|_, spec| spec.program.directory = "/nowhere".to_owned()).await;
    let id = world.ask(ActionKind::Start, 1, ActionCause::Operator);
    let error = world.result(&id).await.error.unwrap();
    assert!(error.contains("no directory /nowhere"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_reaches_the_whole_process_group() {
    let mark = format!("1000.{}", uuid::Uuid::new_v4().as_u128() % 1_000_000);
    let script = format!(
        "sh -c 'trap \"echo child was told; exit 0\" TERM; echo up; while :; do sleep 0.05; done' {mark} & wait"
    );
    let world = World::with(|_, spec| shell(spec, &script)).await;
    world.start_ready().await;
    world.eventually(|| world.log_text(1).contains("up").then_some(())).await.unwrap();
    world.must(ActionKind::Stop, 1).await;
    assert_eq!(copies(&mark), 0);
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!(exit.reason, ExitReason::Asked);
    assert!(exit.last_lines.iter().any(|line| line.text == "child was told"), "{exit:#?}");
    world.until_phase(ReplicaPhase::Stopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ignores_the_first_signal_is_killed_after_its_grace() {
    let world = World::with(|_, spec| {
        shell(spec, "trap '' TERM; while :; do sleep 0.1; done");
        spec.stop.grace = Duration::from_millis(500);
    })
    .await;
    let pid = world.start_ready().await.pid.unwrap();
    world.must(ActionKind::Stop, 1).await;
    assert!(!is_alive(pid));
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!((exit.reason, exit.signal), (ExitReason::Asked, Some(9)));
    // The shell's own child may be seen to be left behind.
    assert!(exit.meaning.starts_with("stopped as asked: killed by SIGKILL (137)"), "{}", exit.meaning);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_gives_a_new_generation_and_a_new_process() {
    let world = World::with(|_, _| {}).await;
    let before = world.start_ready().await;
    world.must(ActionKind::Restart, 2).await;
    let after = world
        .until("generation 2", |memory| {
            memory
                .replicas
                .get(&replica())
                .filter(|report| report.generation == 2 && report.phase == ReplicaPhase::Ready)
                .cloned()
        })
        .await;
    assert_ne!(before.pid, after.pid);
    assert!(!is_alive(before.pid.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_server_works_unchanged() {
    let script = "require('http').createServer((q, s) => s.end('ok')).listen(process.env.PORT); \
        console.log(JSON.stringify({level: 30, time: 1, msg: 'listening'})); process.on('SIGTERM', () => process.exit(0))";
    let world = World::with(|_, spec| {
        spec.program.command = vec!["node".to_owned(), "-e".to_owned(), script.to_owned()];
    })
    .await;
    let id = world.ask(ActionKind::Start, 1, ActionCause::Operator);
    let result = world.result(&id).await;
    assert_eq!(result.status, ActionStatus::Succeeded, "Node.js is needed on PATH: {:?}", result.error);
    world.until_phase(ReplicaPhase::Ready).await;
    assert!(world.log_text(1).contains(" o {\"level\":30,\"time\":1,\"msg\":\"listening\"}\n"));
    world.must(ActionKind::Stop, 1).await;
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!((exit.reason, exit.code), (ExitReason::Asked, Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_was_not_told_it_is_told_when_it_is_back() {
    let world = World::with(|_, spec| shell(spec, "sleep 0.5; exit 4")).await;
    world.must(ActionKind::Start, 1).await;
    world.server.memory.lock().unwrap().broken = Some(axum::http::StatusCode::SERVICE_UNAVAILABLE);
    let exit_file = world.state_dir().join("exits/app/0/1.json");
    world.eventually(|| exit_file.exists().then_some(())).await.unwrap();
    assert!(world.server.memory.lock().unwrap().exits.is_empty());
    world.server.memory.lock().unwrap().broken = None;
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!(exit.code, Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_said_once_and_what_runs_is_looked_after() {
    let mut world = World::with(|_, _| {}).await;
    let pid = world.start_ready().await.pid.unwrap();
    world.kill_agent();
    world.server.memory.lock().unwrap().broken = Some(axum::http::StatusCode::UNAUTHORIZED);
    world.start_agent();
    world
        .eventually(|| world.agent_log().contains("refuses this agent's token").then_some(()))
        .await
        .unwrap();
    world.eventually(|| world.agent_log().contains("adopted app/0").then_some(())).await.unwrap();
    assert_eq!(world.agent_log().matches("refuses this agent's token").count(), 1);
    assert!(is_alive(pid) && !world.agent_log().contains("agent-token"));
}
