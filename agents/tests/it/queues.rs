use std::collections::BTreeMap;
use std::time::Duration;

use ops_bullmq::{Client, DEFAULT_PREFIX, JobError, JobOptions, Queue, Worker};
use ops_contract::{
    QueueReport, QueueSample, QueueSpec, ReplicaUsage, ScaleSpec, ServiceName, Stack, ValkeySpec,
};
use rustix::process::Signal;
use serde_json::json;
use tokio::time::Instant;

use crate::dependencies::{Valkey, free_port};
use crate::server::Memory;
use crate::world::{World, replica, send};

const STORE: &str = "valkey.main";
const QUEUE: &str = "email";
/// The database that the queues are in, so that it is seen to be asked.
const DATABASE: u16 = 3;

/// A stack in which the service `app` follows a queue of the Valkey at `port`.
fn follow(stack: &mut Stack, port: u16) {
    let spec = ValkeySpec {
        address: format!("127.0.0.1:{port}"),
        password_secret: None,
        development: false,
        queues: Some(QueueSpec { database: DATABASE, prefix: DEFAULT_PREFIX.to_owned() }),
    };
    stack.valkey.insert("main".to_owned(), spec);
    let scale = ScaleSpec {
        queues: vec![format!("{STORE}/{QUEUE}")],
        target_wait: Duration::from_secs(5),
        concurrency: BTreeMap::new(),
        max_waiting: None,
        cpu: None,
        connections: None,
        drain: Duration::from_secs(30),
        start_delay: Duration::from_secs(3),
    };
    stack.services.get_mut(&ServiceName::from("app")).unwrap().scale = Some(scale);
}

async fn client(port: u16) -> Client {
    Client::connect(&format!("redis://127.0.0.1:{port}/{DATABASE}"), DEFAULT_PREFIX).await.unwrap()
}

async fn add(queue: &Queue) {
    queue.add("n", json!({}), JobOptions::default()).await.unwrap();
}

/// The newest report, once it is as it should be.
async fn until(world: &World, what: &str, is: impl Fn(&QueueReport) -> bool) -> QueueReport {
    world.until(what, |memory| memory.queues.last().filter(|report| is(report)).cloned()).await
}

fn sample(report: &QueueReport) -> &QueueSample {
    &report.queues[QUEUE]
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_told_every_two_seconds_and_a_job_for_sleepers_at_once() {
    let port = free_port();
    let _valkey = Valkey::start(port, "noeviction");
    let world = World::with_stack(|_, stack| follow(stack, port)).await;
    let first = until(&world, "a look", |report| report.fault.is_none()).await;
    assert_eq!(sample(&first), &QueueSample { exact: true, ..QueueSample::default() });
    assert_eq!((first.store.as_str(), first.unread), (STORE, 0));
    assert_eq!(first.maxmemory_policy.as_deref(), Some("noeviction"));

    let queue = Queue::new(&client(port).await, QUEUE).unwrap();
    let seen = world.server.memory.lock().unwrap().queues.len();
    let again = |memory: &Memory| (memory.queues.len() > seen).then_some(());
    world.until("another look, with nothing to see", again).await;
    // In the middle between two looks.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let added = Instant::now();
    add(&queue).await;
    let report = until(&world, "the job", |report| sample(report).waiting == 1).await;
    assert!(added.elapsed() < Duration::from_millis(400), "told after {:?}", added.elapsed());
    assert_eq!((sample(&report).arrivals_total, sample(&report).exact), (1, true));
    assert_eq!(report.epoch, first.epoch);

    // While work stands there, looks come at their own pace.
    let before = world.server.memory.lock().unwrap().queues.len();
    for _ in 0..20 {
        add(&queue).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let after = world.server.memory.lock().unwrap().queues.len();
    assert!(after - before <= 1, "{} looks in a second", after - before);

    let worker = Worker::builder(&client(port).await, QUEUE)
        .concurrency(5)
        .run(|_| async { Ok::<_, JobError>(json!(null)) })
        .unwrap();
    let report = until(&world, "all done", |report| sample(report).completed_total == 21).await;
    assert_eq!((sample(&report).arrivals_total, sample(&report).started_total), (21, 21));
    assert_eq!(sample(&report).run_time.map(|spread| spread.count), Some(21));
    worker.close(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stops_or_hangs_is_a_fault_and_looks_go_on_by_themselves() {
    let port = free_port();
    let world = World::with_stack(|_, stack| follow(stack, port)).await;
    let down = until(&world, "a fault", |report| report.fault.is_some()).await;
    assert_eq!((down.fault.as_deref(), down.queues.len()), (Some("connection refused"), 0));
    let valkey = Valkey::start(port, "allkeys-lru");
    let up = until(&world, "a look", |report| report.fault.is_none()).await;
    assert_eq!((up.maxmemory_policy.as_deref(), &up.epoch), (Some("allkeys-lru"), &down.epoch));
    add(&Queue::new(&client(port).await, QUEUE).unwrap()).await;
    until(&world, "the job", |report| report.fault.is_none() && sample(report).waiting == 1).await;

    send(valkey.0.id(), Signal::STOP);
    let hangs = until(&world, "a fault", |report| report.fault.is_some()).await;
    assert_eq!(hangs.fault.as_deref(), Some("no answer within 2s"));
    send(valkey.0.id(), Signal::CONT);
    let back = until(&world, "a look", |report| report.fault.is_none()).await;
    assert_eq!((sample(&back).arrivals_total, sample(&back).waiting, sample(&back).exact), (1, 1, true));

    drop(valkey);
    until(&world, "a fault", |report| report.fault.as_deref() == Some("connection refused")).await;
    let _valkey = Valkey::start(port, "allkeys-lru");
    let anew = until(&world, "a look", |report| report.fault.is_none()).await;
    assert_eq!((sample(&anew).arrivals_total, sample(&anew).waiting), (1, 0), "counters never fall");
    assert!(!sample(&anew).exact, "what was in its memory only is lost");
    until(&world, "an exact look", |report| report.fault.is_none() && sample(report).exact).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_used_and_never_told_and_a_new_agent_counts_anew() {
    let port = free_port();
    let _valkey = Valkey::start(port, "noeviction");
    let mut world = World::with_stack(|_, stack| {
        follow(stack, port);
        stack.valkey.get_mut("main").unwrap().password_secret = Some("QUEUE_PASSWORD".to_owned());
    })
    .await;
    until(&world, "the want of a secret", |report| report.fault.is_some()).await;
    client(port).await;
    let open = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut connection = open.get_multiplexed_async_connection().await.unwrap();
    let set: String = redis::cmd("CONFIG")
        .arg(&["SET", "requirepass", "correct-horse"])
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(set, "OK");

    world.set_secret("QUEUE_PASSWORD", "battery-staple");
    let wrong =
        until(&world, "a refusal", |report| report.fault.as_deref() == Some("authentication failed")).await;
    world.set_secret("QUEUE_PASSWORD", "correct-horse");
    let right = until(&world, "a look", |report| report.fault.is_none()).await;
    assert_eq!(wrong.epoch, right.epoch, "it is the same agent");
    world.kill_agent();
    world.start_agent();
    let epoch = &right.epoch;
    until(&world, "a look of the next", |report| report.fault.is_none() && report.epoch != *epoch).await;
    let told = format!("{:?} {}", world.server.memory.lock().unwrap().queues, world.agent_log());
    assert!(!told.contains("battery-staple") && !told.contains("correct-horse"));
}

async fn usage(world: &World, what: &str, is: impl Fn(&ReplicaUsage) -> bool) -> ReplicaUsage {
    let find = |memory: &Memory| memory.replicas.get(&replica())?.usage.filter(|usage| is(usage));
    world.until(what, find).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_says_how_many_jobs_it_works_on() {
    let port = free_port();
    let world = World::with_stack(|programs, stack| {
        follow(stack, port);
        let spec = stack.services.get_mut(&ServiceName::from("app")).unwrap();
        spec.program.command = vec![programs.program.clone(), "jobs".to_owned(), "7".to_owned()];
    })
    .await;
    world.start_ready().await;
    let usage = usage(&world, "its jobs", |usage| usage.active_jobs.is_some()).await;
    assert_eq!((usage.active_jobs, usage.connections), (Some(7), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_replica_are_counted_where_it_scales_by_them() {
    let port = free_port();
    let world = World::with_stack(|programs, stack| {
        follow(stack, port);
        let spec = stack.services.get_mut(&ServiceName::from("app")).unwrap();
        let scale = spec.scale.as_mut().unwrap();
        (scale.queues, scale.connections) = (Vec::new(), Some(100));
        // It answers one after another and waits for each to say something: they stay for a while.
        spec.program.command = vec![programs.program.clone(), "jobs".to_owned(), "7".to_owned()];
        spec.health = None;
    })
    .await;
    let replica = world.start_ready().await;
    let address = ("127.0.0.1", replica.port.unwrap());
    let find = |_: &Memory| std::net::TcpStream::connect(address).ok();
    let mut open = vec![world.until("it listens", find).await];
    for _ in 0..29 {
        open.push(std::net::TcpStream::connect(address).unwrap());
    }
    let usage = usage(&world, "its connections", |usage| usage.connections.is_some_and(|n| n >= 20)).await;
    assert_eq!(usage.active_jobs, None);
}
