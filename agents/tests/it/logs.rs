use ops_contract::{ActionKind, LogStream, LogSubscription, ReplicaPhase};

use crate::world::{World, replica, shell};

fn subscribe(world: &World, generation: Option<i64>, lines: u32, follow: bool) {
    let subscription = LogSubscription {
        id: uuid::Uuid::new_v4().to_string(),
        replica: replica(),
        generation,
        lines,
        follow,
    };
    world.server.memory.lock().unwrap().subscriptions.push(subscription);
    world.server.work.notify_waiters();
}

fn texts(memory: &crate::server::Memory) -> Vec<String> {
    memory.lines.iter().map(|line| line.text.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_the_past_and_what_follows_without_a_gap() {
    let world = World::with(|programs, spec| {
        spec.program.command = vec![programs.program.clone(), "count".to_owned()];
    })
    .await;
    world.start_ready().await;
    subscribe(&world, None, 10, true);
    let lines = world.until("40 lines", |memory| Some(texts(memory)).filter(|lines| lines.len() >= 40)).await;
    let numbers: Vec<u64> =
        lines.iter().filter_map(|line| line.strip_prefix("count ")?.parse().ok()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    world.server.memory.lock().unwrap().nobody_reads = true;
    world.until("the end", |memory| memory.log_refused.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_followed_ends() {
    let world = World::with(|_, spec| shell(spec, "echo one; echo two >&2; sleep 1000")).await;
    world.start_ready().await;
    world.eventually(|| world.log_text(1).contains("two").then_some(())).await.unwrap();
    subscribe(&world, Some(1), 100, false);
    let end = world.until("the end", |memory| memory.log_ended.clone()).await;
    assert_eq!(end.error, None);
    let memory = world.server.memory.lock().unwrap();
    let mut lines: Vec<(LogStream, &str)> =
        memory.lines.iter().map(|line| (line.stream, line.text.as_str())).collect();
    lines.sort_by_key(|(_, text)| *text);
    assert_eq!(lines, [(LogStream::Out, "one"), (LogStream::Err, "two")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_there_is_said_not_to_be() {
    let world = World::with(|_, _| {}).await;
    subscribe(&world, Some(9), 100, true);
    let end = world.until("the end", |memory| memory.log_ended.clone()).await;
    assert_eq!(end.error.as_deref(), Some("no log of generation 9 is kept"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_lines_and_never_the_program() {
    let world = World::with(|programs, spec| {
        spec.program.command = vec![programs.program.clone(), "count".to_owned()];
    })
    .await;
    let logs = world.state_dir().join("logs/app/0");
    std::fs::create_dir_all(&logs).unwrap();
    std::os::unix::fs::symlink("/dev/full", logs.join("1.log")).unwrap();
    let report = world.start_ready().await;
    let again = world
        .until("a later look", |memory| memory.inventory.first().filter(|now| now.usage.is_some()).cloned())
        .await;
    assert_eq!((again.pid, again.phase), (report.pid, ReplicaPhase::Ready));
    world.must(ActionKind::Stop, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lines_are_split_and_broken_text_passes() {
    let world = World::with(|_, spec| {
        shell(spec, "head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'bad \\377 byte\\n'; printf 'no end'; sleep 1000");
    })
    .await;
    world.start_ready().await;
    world.eventually(|| world.log_text(1).contains("byte").then_some(())).await.unwrap();
    let log = std::fs::read(world.state_dir().join("logs/app/0/1.log")).unwrap();
    let lines: Vec<&[u8]> = log.split(|&byte| byte == b'\n').collect();
    let x = lines.iter().map(|line| line.iter().filter(|&&byte| byte == b'x').count());
    assert_eq!(x.sum::<usize>(), 40_000);
    assert!(lines.iter().all(|line| line.len() <= 16 * 1024 + 24));
    assert!(log.windows(10).any(|part| part == b"bad \xff byte"));
    world.must(ActionKind::Stop, 1).await;
    assert!(world.log_text(1).contains("no end"), "what has no line end is kept too");
}
