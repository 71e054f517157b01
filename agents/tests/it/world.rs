//! A state folder, an agent as a process of its own, the stand-in server, and services to run.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ops_contract::{
    Action, ActionCause, ActionKind, ActionReport, ActionStatus, Driver, Environment, Health, Program,
    ReplicaBounds, ReplicaId, ReplicaPhase, ReplicaReport, RestartMode, RestartPolicy, ServiceName,
    ServiceRole, ServiceSpec, Stack, StopPolicy, Timestamp,
};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::time::Instant;
use uuid::Uuid;

use crate::server::{Memory, Server};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) server: Server,
    url: String,
    agent: Option<Child>,
    programs: Programs,
}

/// Where the programs under test are.
#[derive(Clone)]
pub(crate) struct Programs {
    shim: PathBuf,
    agent: PathBuf,
    pub(crate) program: String,
}

impl Programs {
    /// Builds the shim with the cargo and the target folder that built the tests; the examples are built with them.
    pub(crate) fn build() -> Self {
        let test = std::env::current_exe().unwrap();
        let profile_dir = test.ancestors().nth(2).unwrap().to_owned();
        let target_dir = profile_dir.parent().unwrap();
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "ops-shim", "--target-dir"])
            .arg(target_dir)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success(), "cannot build the programs under test");
        let examples = profile_dir.join("examples");
        Self {
            shim: profile_dir.join("insightdesk-shim"),
            agent: examples.join("agent_under_test"),
            program: examples.join("program_under_test").display().to_string(),
        }
    }
}

impl World {
    /// Lets the server have a value of a secret, from now on.
    pub(crate) fn set_secret(&self, name: &str, value: &str) {
        self.server.memory.lock().unwrap().secrets.insert(name.to_owned(), value.to_owned());
    }

    /// Starts an agent for one service `app`, whose spec `change` may alter.
    pub(crate) async fn with(change: impl FnOnce(&Programs, &mut ServiceSpec)) -> Self {
        Self::with_stack(|programs, stack| {
            change(programs, stack.services.get_mut(&ServiceName::from("app")).unwrap());
        })
        .await
    }

    /// The same, for a whole stack.
    pub(crate) async fn with_stack(change: impl FnOnce(&Programs, &mut Stack)) -> Self {
        Self::with_secrets(&[], change).await
    }

    /// The same, with values of secrets that the server has.
    pub(crate) async fn with_secrets(
        secrets: &[(&str, &str)],
        change: impl FnOnce(&Programs, &mut Stack),
    ) -> Self {
        let programs = Programs::build();
        let server = Server::default();
        let mut stack = stack(&programs);
        change(&programs, &mut stack);
        server.memory.lock().unwrap().stack = Some(stack);
        let url = server.start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self { folder, server, url, agent: None, programs };
        secrets.iter().for_each(|(name, value)| world.set_secret(name, value));
        world.start_agent();
        world
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn start_agent(&mut self) {
        let log =
            File::options().create(true).append(true).open(self.folder.path().join("agent.log")).unwrap();
        let mut command = Command::new(&self.programs.agent);
        command.arg(&self.url).arg(self.state_dir()).arg(&self.programs.shim);
        command.env("AGENT_ONLY", "not for programs").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.agent = Some(command.spawn().unwrap());
    }

    /// `kill -9`, and nothing else.
    pub(crate) fn kill_agent(&mut self) {
        let mut agent = self.agent.take().unwrap();
        agent.kill().unwrap();
        agent.wait().unwrap();
    }

    pub(crate) fn agent_log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("agent.log")).unwrap()
    }

    /// Hands an action out and returns its id.
    pub(crate) fn ask(&self, kind: ActionKind, generation: i64, cause: ActionCause) -> String {
        self.ask_of(kind, "app", generation, cause)
    }

    pub(crate) fn ask_of(
        &self,
        kind: ActionKind,
        service: &str,
        generation: i64,
        cause: ActionCause,
    ) -> String {
        let id = Uuid::now_v7().to_string();
        let action = Action {
            id: id.clone(),
            kind,
            replica: replica_of(service),
            generation,
            cause,
            reason: "test".to_owned(),
            requested_by: "test".to_owned(),
            requested_at: Timestamp(0),
            status: ActionStatus::Leased,
            error: None,
            finished_at: None,
        };
        self.server.memory.lock().unwrap().open.push((action, None));
        self.server.work.notify_waiters();
        id
    }

    /// Waits for the end of an action.
    pub(crate) async fn result(&self, id: &str) -> ActionReport {
        self.until("the action to end", |memory| memory.results.get(id).cloned()).await
    }

    /// Does an action that must succeed.
    pub(crate) async fn must(&self, kind: ActionKind, generation: i64) {
        let id = self.ask(kind, generation, ActionCause::Operator);
        let result = self.result(&id).await;
        assert_eq!(result.status, ActionStatus::Succeeded, "{:?}\n{}", result.error, self.agent_log());
    }

    /// Starts `app/0` and waits until it is ready.
    pub(crate) async fn start_ready(&self) -> ReplicaReport {
        self.must(ActionKind::Start, 1).await;
        self.until_phase(ReplicaPhase::Ready).await
    }

    pub(crate) async fn until_phase(&self, phase: ReplicaPhase) -> ReplicaReport {
        self.until(&format!("{phase:?}"), |memory| {
            memory.replicas.get(&replica()).filter(|report| report.phase == phase).cloned()
        })
        .await
    }

    /// Polls what the server was told until `find` finds.
    pub(crate) async fn until<T>(&self, what: &str, find: impl Fn(&Memory) -> Option<T>) -> T {
        let found = self.eventually(|| find(&self.server.memory.lock().unwrap())).await;
        found.unwrap_or_else(|| {
            let memory = self.server.memory.lock().unwrap();
            panic!(
                "waited for {what}; replicas {:#?}, exits {:#?}\n{}",
                memory.replicas,
                memory.exits,
                self.agent_log()
            )
        })
    }

    /// Polls anything until `find` finds.
    pub(crate) async fn eventually<T>(&self, find: impl Fn() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(found) = find() {
                return Some(found);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }

    pub(crate) fn log_text(&self, generation: i64) -> String {
        let path = self.state_dir().join(format!("logs/app/0/{generation}.log"));
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    }

    /// `process.json` of a generation.
    pub(crate) fn record(&self, generation: i64) -> Option<serde_json::Value> {
        let path = self.state_dir().join(format!("run/app/0/{generation}/process.json"));
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    pub(crate) fn shim_pid(&self, generation: i64) -> u32 {
        u32::try_from(self.record(generation).unwrap()["shim_pid"].as_u64().unwrap()).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        for entry in walk(&self.state_dir().join("run")) {
            let record: Option<serde_json::Value> =
                std::fs::read(&entry).ok().and_then(|text| serde_json::from_slice(&text).ok());
            let Some(record) = record.filter(|_| entry.ends_with("process.json")) else { continue };
            let field =
                |name: &str| record[name].as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
            let ours = |pid: Pid| start_ticks(pid.as_raw_nonzero().get().unsigned_abs());
            if let Some(pid) = field("pid").filter(|pid| ours(*pid) == record["start_ticks"].as_u64()) {
                let _ = kill_process_group(pid, Signal::KILL);
            }
            if let Some(pid) =
                field("shim_pid").filter(|pid| ours(*pid) == record["shim_start_ticks"].as_u64())
            {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

pub(crate) fn start_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat[stat.rfind(')')? + 2..].split(' ').nth(19)?.parse().ok()
}

pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rfind(')').is_some_and(|end| !stat[end + 2..].starts_with(['Z', 'X']))
}

/// How many live processes have `words` in their command line.
pub(crate) fn copies(words: &str) -> usize {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let lines = numbers
        .filter(|pid| is_alive(*pid))
        .map(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default());
    lines
        .filter(|line| !String::from_utf8_lossy(line).contains("--gate"))
        .filter(|line| String::from_utf8_lossy(line).contains(words))
        .count()
}

pub(crate) fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

pub(crate) fn replica() -> ReplicaId {
    replica_of("app")
}

pub(crate) fn replica_of(service: &str) -> ReplicaId {
    ReplicaId { service: ServiceName::from(service), slot: 0 }
}

/// Runs `script` with `sh`.
pub(crate) fn shell(spec: &mut ServiceSpec, script: &str) {
    spec.program.command = vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    spec.health = None;
}

fn stack(programs: &Programs) -> Stack {
    Stack {
        name: "test".to_owned(),
        environment: Environment::Test,
        services: BTreeMap::from([(ServiceName::from("app"), service(programs))]),
        postgres: BTreeMap::new(),
        valkey: BTreeMap::new(),
        secrets: BTreeMap::new(),
        alerts: Default::default(),
        telemetry: Default::default(),
        scrape: Vec::new(),
        secret_stores: Default::default(),
        audit: Default::default(),
    }
}

pub(crate) fn service(programs: &Programs) -> ServiceSpec {
    let seconds = Duration::from_secs;
    ServiceSpec {
        role: ServiceRole::Frontend,
        program: Program { command: vec![programs.program.clone()], directory: "/".to_owned() },
        driver: Driver::Process,
        port: None,
        replicas: ReplicaBounds { min: 1, max: 1 },
        health: Some(Health {
            path: "/health".to_owned(),
            live_path: None,
            interval: Duration::from_millis(200),
            timeout: Duration::from_millis(300),
            retries: 3,
            start_period: seconds(0),
            start_timeout: seconds(10),
        }),
        deep_check: None,
        restart: RestartPolicy {
            mode: RestartMode::OnFailure,
            max: 3,
            window: seconds(600),
            backoff: seconds(1),
            backoff_max: seconds(30),
            never_on: vec![78],
        },
        stop: StopPolicy { grace: seconds(5), signal: "TERM".to_owned() },
        depends_on: Vec::new(),
        env: BTreeMap::new(),
        secrets: Vec::new(),
        scale: None,
        metrics: None,
        route: None,
    }
}

pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}
