//! What an agent does to queues, with a real server that wants a password, and npm bullmq as the peer.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ops_contract::{
    JobState, QueueCommand, QueueOperation, QueueOutcome, QueueReply, QueueSpec, SecretPurpose, ServiceName,
    Timestamp, ValkeySpec,
};
use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, send};

const PASSWORD: &str = "p@ss/w:rd in the stack";
/// What the service of the stack is started with, and what comes along with it.
const API_KEY: &str = "4f6e-of-the-service";
const PREVIOUS: &str = "9a1b-before-it";
const DATABASE: u16 = 2;
const QUEUE: &str = "email";

/// A Valkey with a password, and npm's client of it. Both end with the test.
struct Peer {
    port: u16,
    valkey: Child,
    node: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let program = std::env::var_os("INSIGHTDESK_TEST_VALKEY_BIN").map(PathBuf::from);
        let candidates = program.into_iter().chain(["valkey-server".into(), "redis-server".into()]);
        let text = port.to_string();
        let arguments = ["--port", &text, "--save", "", "--bind", "127.0.0.1", "--requirepass", PASSWORD];
        let valkey = candidates
            .filter_map(|it| Command::new(it).args(arguments).stdout(Stdio::null()).spawn().ok())
            .next()
            .expect("no Valkey: install valkey-server or redis-server, or set INSIGHTDESK_TEST_VALKEY_BIN");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/node");
        assert!(folder.join("node_modules/bullmq").is_dir(), "no npm packages: run `npm ci` in tests/node");
        let mut node = Command::new("node")
            .args(["bull_ask.mjs", &text, PASSWORD, &DATABASE.to_string()])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let (input, output) = (node.stdin.take().unwrap(), BufReader::new(node.stdout.take().unwrap()));
        Self { port, valkey, node, input, output }
    }

    /// An agent whose stack has these queues.
    async fn world(&self) -> World {
        let address = format!("127.0.0.1:{}", self.port);
        let secrets = [("VALKEY_PASSWORD", PASSWORD), ("API_KEY", API_KEY), ("API_KEY_PREVIOUS", PREVIOUS)];
        World::with_secrets(&secrets, |_, stack| {
            let queues = Some(QueueSpec { database: DATABASE, prefix: "bull".to_owned() });
            let password_secret = Some("VALKEY_PASSWORD".to_owned());
            let spec = ValkeySpec { address, password_secret, development: false, queues };
            stack.valkey.insert("main".to_owned(), spec);
            stack.services.get_mut(&ServiceName::from("app")).unwrap().secrets = vec!["API_KEY".to_owned()];
        })
        .await
    }

    fn ask(&mut self, what: &str, mut command: Value) -> Value {
        command["do"] = json!(what);
        command["queue"] = json!(QUEUE);
        writeln!(self.input, "{command}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("error").is_none(), "{what}: {answer}");
        answer["value"].take()
    }

    fn add(&mut self, jobs: Vec<Value>) -> Vec<String> {
        serde_json::from_value(self.ask("add", json!({ "jobs": jobs }))).unwrap()
    }

    fn count(&mut self, state: &str) -> u64 {
        self.ask("counts", json!({}))[state].as_u64().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        for child in [&mut self.node, &mut self.valkey] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn command(queue: &str, operation: QueueOperation) -> QueueCommand {
    QueueCommand {
        id: Uuid::now_v7().to_string(),
        store: "valkey.main".to_owned(),
        queue: queue.to_owned(),
        operation,
        requested_by: "anna".to_owned(),
        requested_at: Timestamp(jiff::Timestamp::now().as_microsecond()),
    }
}

fn hand_out(world: &World, command: &QueueCommand) {
    world.server.memory.lock().unwrap().queue_commands.push((command.clone(), None));
    world.server.work.notify_waiters();
}

async fn reply(world: &World, command: &QueueCommand) -> QueueReply {
    world.until("an answer", |memory| memory.queue_replies.get(&command.id).cloned()).await
}

async fn run(world: &World, operation: QueueOperation) -> QueueReply {
    let command = command(QUEUE, operation);
    hand_out(world, &command);
    reply(world, &command).await
}

async fn must(world: &World, operation: QueueOperation) -> QueueOutcome {
    match run(world, operation).await {
        QueueReply::Succeeded(outcome) => outcome,
        other => panic!("{other:?}\n{}", world.agent_log()),
    }
}

fn welcome(number: usize) -> Value {
    json!({ "name": "welcome", "data": { "number": number } })
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_sees_a_queue_paused_drained_and_promoted() {
    let mut peer = Peer::start();
    let world = peer.world().await;
    peer.add((0..30).map(welcome).collect());
    assert_eq!(must(&world, QueueOperation::Pause).await.done, 1);
    assert_eq!(peer.ask("paused", json!({})), true);
    assert_eq!(must(&world, QueueOperation::Pause).await.done, 0, "twice is once");
    let page = QueueOperation::ListJobs { state: JobState::Waiting, from: 25, limit: 10 };
    assert_eq!(must(&world, page).await.jobs.len(), 5, "a paused queue's line is its line");
    assert_eq!(must(&world, QueueOperation::Resume).await.done, 1);
    assert_eq!(peer.ask("paused", json!({})), false);

    let later = |n| json!({ "name": "later", "data": { "n": n }, "opts": { "delay": 3_600_000 + n } });
    peer.add((0..20).map(later).collect());
    peer.add(
        (0..10).map(|n| json!({ "name": "urgent", "data": {}, "opts": { "priority": n + 1 } })).collect(),
    );
    let promoted = must(&world, QueueOperation::PromoteDelayed { limit: 5 }).await;
    assert_eq!((promoted.done, promoted.more), (5, true));
    assert_eq!((peer.count("delayed"), peer.count("waiting")), (15, 35));

    // What was added after the asking stays, also when the command comes again.
    let drain = command(QUEUE, QueueOperation::Drain { delayed: false });
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    peer.add(vec![welcome(1), json!({ "name": "urgent", "data": {}, "opts": { "priority": 1 } })]);
    hand_out(&world, &drain);
    let QueueReply::Succeeded(drained) = reply(&world, &drain).await else { panic!("not drained") };
    assert_eq!((drained.done, drained.more), (45, false));
    assert_eq!((peer.count("waiting"), peer.count("prioritized"), peer.count("delayed")), (1, 1, 15));
    world.server.memory.lock().unwrap().queue_replies.clear();
    hand_out(&world, &drain);
    let QueueReply::Succeeded(drained) = reply(&world, &drain).await else { panic!("not drained") };
    assert_eq!(drained.done, 0);
    assert_eq!(must(&world, QueueOperation::Drain { delayed: true }).await.done, 17);
    assert_eq!(must(&world, QueueOperation::PromoteDelayed { limit: 5 }).await, QueueOutcome::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_failed_jobs_are_retried_once_and_npm_works_them_off() {
    let mut peer = Peer::start();
    let world = peer.world().await;
    peer.add((0..2_500).map(welcome).collect());
    peer.ask("work", json!({ "ended": 2_500, "fail": "the relay is away" }));
    assert_eq!(peer.count("failed"), 2_500);
    let first = must(&world, QueueOperation::RetryFailed { limit: 400 }).await;
    assert_eq!((first.done, first.more), (400, true));
    let retry = command(QUEUE, QueueOperation::RetryFailed { limit: 1_000_000 });
    hand_out(&world, &retry);
    let QueueReply::Succeeded(rest) = reply(&world, &retry).await else { panic!("not retried") };
    assert_eq!((rest.done, rest.more), (2_100, false));
    assert_eq!((peer.count("waiting"), peer.count("failed")), (2_500, 0));

    // It fails again, and the command comes again: jobs that failed since are left alone.
    peer.ask("work", json!({ "ended": 100, "fail": "still away" }));
    let failed = peer.count("failed");
    assert!(failed >= 100);
    world.server.memory.lock().unwrap().queue_replies.clear();
    hand_out(&world, &retry);
    let QueueReply::Succeeded(again) = reply(&world, &retry).await else { panic!("not retried") };
    assert_eq!(again.done, 0);
    assert_eq!(peer.count("failed"), failed);
    let left = peer.count("waiting");
    peer.ask("work", json!({ "ended": left }));
    assert_eq!((peer.count("completed"), peer.count("waiting")), (left, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_shown_without_what_nobody_may_see() {
    let mut peer = Peer::start();
    let world = peer.world().await;
    let data = json!({
        "ticketId": "t-1", "password": "hunter2", "customer": { "email": "anna@example.org", "name": "Anna" },
        "note": format!("the store's is {PASSWORD}"), "text": "x".repeat(500),
    });
    let handed_out = json!({ "note": format!("{API_KEY} or {PREVIOUS}?") });
    let large = json!({ "blob": "y".repeat(600_000) });
    let options = json!({ "attempts": 2, "backoff": 1 });
    let ids = peer.add(vec![
        json!({ "name": "welcome", "data": data, "opts": options }),
        json!({ "name": "large", "data": large }),
        json!({ "name": "handed out", "data": handed_out }),
    ]);
    let fault = format!("no mailbox anna@example.org; token=abcdef; {PASSWORD}");
    peer.ask("work", json!({ "ended": 4, "fail": fault }));
    let all = QueueOperation::ListJobs { state: JobState::Failed, from: 0, limit: 1 };
    let page = must(&world, all).await;
    assert_eq!((page.jobs.len(), page.more), (1, true));
    let list = QueueOperation::ListJobs { state: JobState::Failed, from: 0, limit: 100 };
    let page = must(&world, list).await;
    assert_eq!((page.jobs.len(), page.more), (3, false));
    assert!(page.jobs.iter().all(|job| job.data.is_none() && job.stack.is_empty()));

    let shown = must(&world, QueueOperation::LookAt { job_id: ids[0].clone() }).await.jobs.remove(0);
    assert_eq!((shown.attempts_made, shown.attempts, shown.state), (2, Some(2), JobState::Failed));
    assert_eq!(shown.stack.len(), 2);
    assert!(shown.stack[0].contains("bull_ask.mjs"), "{}", shown.stack[0]);
    assert_eq!(shown.failed_reason.as_deref(), Some("no mailbox ‹redacted›; token=‹redacted›; ‹redacted›"));
    let carried: Value = serde_json::from_str(shown.data.as_ref().unwrap()).unwrap();
    assert_eq!(carried["ticketId"], "t-1");
    assert_eq!(carried["customer"], json!({ "email": "‹redacted›", "name": "‹redacted›" }));
    assert_eq!(carried["note"], "the store's is ‹redacted›");
    assert!(carried["text"].as_str().unwrap().ends_with("… 300 more characters"));

    let handed_out = QueueOperation::LookAt { job_id: ids[2].clone() };
    assert!(must(&world, handed_out.clone()).await.jobs[0].data.as_ref().unwrap().contains(API_KEY));
    world.server.memory.lock().unwrap().along.insert("API_KEY".to_owned(), "API_KEY_PREVIOUS".to_owned());
    world.start_ready().await;
    let data = must(&world, handed_out).await.jobs.remove(0).data.unwrap();
    assert_eq!(data, r#"{"note":"‹redacted› or ‹redacted›?"}"#, "what was handed out is known from then on");

    let large = must(&world, QueueOperation::LookAt { job_id: ids[1].clone() }).await.jobs.remove(0);
    assert!(large.data.unwrap().contains("longer than"));
    let told = format!("{page:?}{shown:?}{}", world.agent_log());
    for secret in ["hunter2", "anna@example.org", "Anna\"", "abcdef", PASSWORD] {
        assert!(!told.contains(secret), "{secret} got out: {told}");
    }
    for id in ["999", "meta", "wait", "id", "nonsense:1", "1:lock"] {
        let missing = QueueReply::Missing { error: format!("email has no job {id}") };
        let reply = run(&world, QueueOperation::LookAt { job_id: id.to_owned() }).await;
        assert_eq!(reply, missing, "{}", world.agent_log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_no_queue_makes_none_and_a_store_that_is_away_is_told() {
    let mut peer = Peer::start();
    let world = peer.world().await;
    peer.add(vec![welcome(1)]);
    let mistyped = command("emial", QueueOperation::Pause);
    hand_out(&world, &mistyped);
    let missing = QueueReply::Missing { error: "valkey.main has no queue emial".to_owned() };
    assert_eq!(reply(&world, &mistyped).await, missing);
    hand_out(&world, &mistyped);

    // A store that hears and does not answer.
    send(peer.valkey.id(), Signal::STOP);
    let frozen = run(&world, QueueOperation::Pause).await;
    send(peer.valkey.id(), Signal::CONT);
    assert_eq!(frozen, QueueReply::Failed { error: "valkey.main does not answer".to_owned(), done: 0 });
    peer.valkey.kill().unwrap();
    peer.valkey.wait().unwrap();
    let QueueReply::Failed { error, done: 0 } = run(&world, QueueOperation::Resume).await else {
        panic!("resumed nothing");
    };
    assert!(error.starts_with("valkey.main"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_agent_had_is_done_by_the_next_and_what_cannot_be_told_is_told_later() {
    let mut peer = Peer::start();
    let mut world = peer.world().await;
    peer.add((0..50).map(welcome).collect());
    // Killed while the store does not answer: nobody can tell whether it was done.
    send(peer.valkey.id(), Signal::STOP);
    let drain = command(QUEUE, QueueOperation::Drain { delayed: false });
    hand_out(&world, &drain);
    world
        .until("the agent to have it", |memory| {
            memory.queue_commands.iter().any(|it| it.1.is_some()).then_some(())
        })
        .await;
    world.kill_agent();
    send(peer.valkey.id(), Signal::CONT);
    world.start_agent();
    let QueueReply::Succeeded(_) = reply(&world, &drain).await else { panic!("not drained") };
    assert_eq!(peer.count("waiting"), 0);

    // The server is away when the work is done: it hears of it once it is back, and the work is not done again.
    peer.add((0..5).map(welcome).collect());
    let answers = world.server.memory.lock().unwrap().queue_answers;
    send(peer.valkey.id(), Signal::STOP);
    let drain = command(QUEUE, QueueOperation::Drain { delayed: false });
    hand_out(&world, &drain);
    world
        .until("the agent to have it", |memory| {
            memory.queue_commands.iter().any(|it| it.1.is_some()).then_some(())
        })
        .await;
    world.server.memory.lock().unwrap().broken = Some(StatusCode::SERVICE_UNAVAILABLE);
    send(peer.valkey.id(), Signal::CONT);
    let drained = world.eventually(|| (peer_len(peer.port) == Some(0)).then_some(())).await;
    assert!(drained.is_some(), "the work goes on without the server");
    world.server.memory.lock().unwrap().broken = None;
    let QueueReply::Succeeded(outcome) = reply(&world, &drain).await else { panic!("not drained") };
    assert_eq!(outcome.done, 5);
    assert_eq!(world.server.memory.lock().unwrap().queue_answers, answers + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_takes_up_a_password_that_was_renewed() {
    let mut peer = Peer::start();
    let world = peer.world().await;
    peer.add(vec![welcome(1)]);
    assert_eq!(must(&world, QueueOperation::Pause).await.done, 1);
    world.set_secret("VALKEY_PASSWORD", "renewed, and longer");
    let mut store = connection(peer.port).unwrap();
    let set: redis::RedisResult<()> =
        redis::cmd("CONFIG").arg(&["SET", "requirepass", "renewed, and longer"]).query(&mut store);
    set.unwrap();
    assert_eq!(must(&world, QueueOperation::Resume).await.done, 1);
    let memory = world.server.memory.lock().unwrap();
    let purpose = SecretPurpose::Probe { store: "valkey.main".to_owned() };
    let requests = &memory.secret_requests;
    assert!(
        requests.iter().all(|it| it.names == ["VALKEY_PASSWORD"] && it.purpose == purpose),
        "{requests:?}"
    );
    assert_eq!(requests.len(), 2, "probes and commands share what was handed out");
}

/// How long the line is, asked without npm.
fn peer_len(port: u16) -> Option<u64> {
    redis::cmd("LLEN").arg(format!("bull:{QUEUE}:wait")).query(&mut connection(port)?).ok()
}

fn connection(port: u16) -> Option<redis::Connection> {
    let info =
        redis::IntoConnectionInfo::into_connection_info(format!("redis://127.0.0.1:{port}/{DATABASE}"))
            .ok()?;
    let settings = redis::RedisConnectionInfo::default().set_db(i64::from(DATABASE)).set_password(PASSWORD);
    redis::Client::open(info.set_redis_settings(settings)).ok()?.get_connection().ok()
}
