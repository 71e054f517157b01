use std::time::Duration;

use ops_contract::{ActionCause, ActionKind, ExitReason, ReplicaPhase};
use rustix::process::Signal;

use crate::world::{World, copies, is_alive, replica, send, shell, start_ticks};

/// Numbers after `count`, in the order of the log.
fn counted(log: &str) -> Vec<u64> {
    log.lines().filter_map(|line| line.rsplit_once("count ")?.1.parse().ok()).collect()
}

fn counting(programs: &crate::world::Programs, spec: &mut ops_contract::ServiceSpec, mark: &str) {
    spec.program.command = vec![programs.program.clone(), "count".to_owned(), mark.to_owned()];
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_of_the_agent_change_nothing_for_what_runs() {
    let mark = format!("mark-{}", uuid::Uuid::new_v4());
    let mut world = World::with(|programs, spec| counting(programs, spec, &mark)).await;
    let pid = world.start_ready().await.pid.unwrap();
    for _ in 0..10 {
        world.kill_agent();
        {
            let mut memory = world.server.memory.lock().unwrap();
            memory.replicas.clear();
            memory.inventory.clear();
        }
        world.start_agent();
        assert_eq!(world.until_phase(ReplicaPhase::Ready).await.pid, Some(pid));
    }
    assert_eq!(copies(&mark), 1);
    assert!(world.server.memory.lock().unwrap().exits.is_empty());
    let lines = counted(&world.log_text(1));
    assert!(lines.len() > 20, "{} lines", lines.len());
    assert!(lines.iter().copied().eq(0..lines.len() as u64), "the log has a gap");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_killed_during_a_start_never_starts_a_second_copy() {
    let mark = format!("mark-{}", uuid::Uuid::new_v4());
    let mut world = World::with(|programs, spec| counting(programs, spec, &mark)).await;
    world.until("hello", |memory| (memory.hellos > 0).then_some(())).await;
    for round in 0..10 {
        let generation = round + 1;
        let kind = if round == 0 { ActionKind::Start } else { ActionKind::Restart };
        let id = world.ask(kind, generation, ActionCause::Operator);
        // Some moment of the start, or of the restart: each round another.
        tokio::time::sleep(Duration::from_millis(u64::try_from(round).unwrap() * 7)).await;
        world.kill_agent();
        world.start_agent();
        world.result(&id).await;
        world
            .until("the new generation", |memory| {
                let report = memory.replicas.get(&replica())?;
                (report.generation == generation && report.phase == ReplicaPhase::Ready).then_some(())
            })
            .await;
        assert_eq!(copies(&mark), 1, "in round {round}");
    }
    let exits = &world.server.memory.lock().unwrap().exits;
    assert!(exits.iter().all(|exit| exit.reason == ExitReason::Asked), "{exits:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ended_without_an_agent_is_collected() {
    let mut world = World::with(|_, spec| shell(spec, "echo bye; sleep 0.5; exit 3")).await;
    world.must(ActionKind::Start, 1).await;
    world.kill_agent();
    let exit_file = world.state_dir().join("run/app/0/1/exit.json");
    world.eventually(|| exit_file.exists().then_some(())).await.unwrap();
    world.start_agent();
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!((exit.reason, exit.code, exit.generation), (ExitReason::Failed, Some(3), 1));
    assert_eq!(exit.last_lines[0].text, "bye");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_a_reused_id_is_left_alone() {
    let mut world = World::with(|_, spec| shell(spec, "sleep 1000")).await;
    let pid = world.start_ready().await.pid.unwrap();
    world.kill_agent();
    send(world.shim_pid(1), Signal::KILL);
    world.eventually(|| (!is_alive(pid)).then_some(())).await.unwrap();

    let mut innocent = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let mut record = world.record(1).unwrap();
    record["pid"] = innocent.id().into();
    std::fs::write(world.state_dir().join("run/app/0/1/process.json"), record.to_string()).unwrap();
    world.start_agent();
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!(exit.reason, ExitReason::Lost);
    world.must(ActionKind::Stop, 1).await;
    assert!(is_alive(innocent.id()) && start_ticks(innocent.id()).is_some());
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_dies_with_its_shim_and_so_do_its_children() {
    let mark = format!("1000.{}", uuid::Uuid::new_v4().as_u128() % 1_000_000);
    let script = format!("sleep {mark} & wait");
    let world = World::with(|_, spec| shell(spec, &script)).await;
    let pid = world.start_ready().await.pid.unwrap();
    world.eventually(|| (copies(&format!("sleep\0{mark}")) == 1).then_some(())).await.unwrap();
    send(world.shim_pid(1), Signal::KILL);
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!(exit.reason, ExitReason::Lost);
    assert!(!is_alive(pid));
    world.eventually(|| (copies(&format!("sleep\0{mark}")) == 0).then_some(())).await.unwrap();
    world.must(ActionKind::Start, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_in_the_run_folder_is_survived() {
    let mut world = World::with(|_, spec| shell(spec, "sleep 1000")).await;
    world.kill_agent();
    let run = world.state_dir().join("run");
    for folder in ["app/0/7", "app/x", "app/99999999", "nobody/0/3", "empty"] {
        std::fs::create_dir_all(run.join(folder)).unwrap();
    }
    std::fs::write(run.join("app/0/7/process.json"), "{\"pid\": 1, \"sta").unwrap();
    std::fs::write(run.join("app/0/7/exit.json"), [0xff, 0xfe, 0]).unwrap();
    std::fs::write(run.join("app/0/notes.txt"), "mine").unwrap();
    std::fs::write(run.join("file"), "mine").unwrap();
    std::fs::write(world.state_dir().join("stack.json"), "[").unwrap();
    world.start_agent();
    let exit = world
        .until("the exit", |memory| memory.exits.iter().find(|exit| exit.generation == 7).cloned())
        .await;
    assert_eq!(exit.reason, ExitReason::Lost);
    world.must(ActionKind::Start, 8).await;
    assert!(run.join("app/0/notes.txt").exists());
}
