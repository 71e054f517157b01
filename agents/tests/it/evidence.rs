use ops_contract::{ActionKind, ExitReason, ReplicaPhase};

use crate::world::{World, copies, shell};

#[tokio::test(flavor = "multi_thread")]
async fn the_last_lines_of_a_crash_are_kept_with_its_meaning() {
    let world =
        World::with(|_, spec| shell(spec, "for n in $(seq 1 500); do echo line $n; done; kill -SEGV $$"))
            .await;
    world.must(ActionKind::Start, 1).await;
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!((exit.reason, exit.signal, exit.last_lines.len()), (ExitReason::Failed, Some(11), 200));
    assert_eq!(exit.meaning, "killed by SIGSEGV, a bad memory access (139)");
    assert_eq!(
        (exit.last_lines[0].text.as_str(), exit.last_lines[199].text.as_str()),
        ("line 301", "line 500")
    );
    let report = world.until_phase(ReplicaPhase::Exited).await;
    assert_eq!((report.pid, report.detail), (None, Some(exit.meaning)));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_exits_and_six_logs_are_kept() {
    let world = World::with(|_, spec| shell(spec, "echo hello; exit 1")).await;
    for generation in 1..=8 {
        world.must(ActionKind::Start, generation).await;
        world
            .until("the exit", |memory| {
                memory.exits.iter().find(|exit| exit.generation == generation).cloned()
            })
            .await;
    }
    let names = |folder: &str| {
        let entries = std::fs::read_dir(world.state_dir().join(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("exits/app/0"), ["4.json", "5.json", "6.json", "7.json", "8.json"]);
    assert!(names("logs/app/0").len() <= 7, "{:?}", names("logs/app/0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crashed_program_leaves_behind_is_named_and_ended() {
    let mark = format!("1000.{}", uuid::Uuid::new_v4().as_u128() % 1_000_000);
    let script = format!("sleep {mark} & setsid sleep {mark} & sleep 0.3; exit 5");
    let world = World::with(|_, spec| shell(spec, &script)).await;
    world.must(ActionKind::Start, 1).await;
    let exit = world.until("the exit", |memory| memory.exits.first().cloned()).await;
    assert_eq!(exit.meaning.matches("(sleep)").count(), 2, "{}", exit.meaning);
    // The slot is free again only when nothing of it is left.
    world.must(ActionKind::Start, 2).await;
    world.eventually(|| (copies(&format!("sleep\0{mark}")) <= 2).then_some(())).await.unwrap();
}
