//! An agent played by the test: it starts nothing and says what it is told to say.

use std::sync::atomic::{AtomicBool, Ordering};

use ops_contract::{
    Action, ActionReport, ActionStatus, DependencyKind, DependencyReport, DependencyStatus, Exit, ExitReason,
    Hello, Lease, LeaseRequest, QueueCommand, QueueReply, ReplicaId, ReplicaPhase, ReplicaReport, Report,
    ServiceName, Signal, Timestamp, Welcome,
};
use reqwest::{Client, RequestBuilder};
use uuid::Uuid;

use crate::harness::Server;

pub(crate) struct Agent {
    client: Client,
    url: String,
    session: String,
    stopping: AtomicBool,
}

impl Agent {
    /// Says hello and that the store is up and nothing runs.
    pub(crate) async fn connect(server: &Server) -> Self {
        let agent = Self::hello(server).await;
        agent.store(DependencyStatus::Up).await;
        agent.inventory(Vec::new()).await;
        agent
    }

    /// Says hello and nothing else.
    pub(crate) async fn hello(server: &Server) -> Self {
        let session = Uuid::new_v4().to_string();
        let stopping = AtomicBool::new(false);
        let agent = Self { client: server.client.clone(), url: server.url.clone(), session, stopping };
        let hello = Hello { host: "here".to_owned(), pid: 1, session: agent.session.clone() };
        let welcome = agent.ask(agent.client.post(agent.at("/agent/hello")).json(&hello)).await;
        let welcome: Welcome = welcome.json().await.unwrap();
        assert_eq!(welcome.agent.as_str(), "local");
        agent
    }

    /// Waits for work for `wait_ms`.
    pub(crate) async fn lease(&self, wait_ms: u64) -> Lease {
        let stopping = self.stopping.load(Ordering::Relaxed);
        let request = LeaseRequest { session: self.session.clone(), wait_ms, stopping };
        let answer = self.ask(self.client.post(self.at("/agent/lease")).json(&request)).await;
        let lease: Lease = answer.json().await.unwrap();
        self.stopping.store(lease.stopping, Ordering::Relaxed);
        if lease.stopping != stopping && lease.actions.is_empty() {
            // It answered at once to tell only that.
            return Box::pin(self.lease(wait_ms)).await;
        }
        lease
    }

    /// Waits for the one action that must come.
    pub(crate) async fn work(&self) -> Action {
        let mut actions = self.lease(20_000).await.actions;
        assert_eq!(actions.len(), 1, "{actions:?}");
        actions.remove(0)
    }

    /// Waits for the one queue command that must come.
    pub(crate) async fn queue_command(&self) -> QueueCommand {
        let deadline = tokio::time::Instant::now() + crate::harness::PATIENCE;
        while tokio::time::Instant::now() < deadline {
            let mut commands = self.lease(5_000).await.queue_commands;
            assert!(commands.len() <= 1, "{commands:?}");
            if let Some(command) = commands.pop() {
                return command;
            }
        }
        panic!("no queue command came");
    }

    /// Says how a queue command goes.
    pub(crate) async fn answer(&self, command: &QueueCommand, reply: &QueueReply) {
        let path = self.at(&format!("/agent/queue-commands/{}", command.id));
        self.ask(self.client.put(path).json(reply)).await;
    }

    pub(crate) async fn report(&self, action: &Action, status: ActionStatus) {
        let report = ActionReport { status, error: None };
        let path = self.at(&format!("/agent/actions/{}", action.id));
        self.ask(self.client.put(path).json(&report)).await;
    }

    /// Does a start as an agent does it: the program runs and is ready.
    pub(crate) async fn start(&self, action: &Action) {
        self.signal(vec![Signal::Replica(replica(action, ReplicaPhase::Ready))]).await;
        self.report(action, ActionStatus::Succeeded).await;
    }

    /// The program of an action ended by itself.
    pub(crate) async fn crash(&self, action: &Action) {
        let exit = Exit {
            replica: action.replica.clone(),
            generation: action.generation,
            reason: ExitReason::Failed,
            code: Some(1),
            signal: None,
            meaning: "exited with code 1".to_owned(),
            started_at: None,
            at: now(),
            last_lines: Vec::new(),
        };
        self.signal(vec![Signal::ReplicaExited(exit)]).await;
    }

    pub(crate) async fn inventory(&self, replicas: Vec<ReplicaReport>) {
        self.signal(vec![Signal::Inventory { replicas }]).await;
    }

    /// Says how `postgres.main` does.
    pub(crate) async fn store(&self, status: DependencyStatus) {
        let report = DependencyReport {
            name: "postgres.main".to_owned(),
            kind: DependencyKind::Postgres,
            status,
            detail: "as the test wants".to_owned(),
            latency_ms: None,
            at: now(),
        };
        self.signal(vec![Signal::Dependency(report)]).await;
    }

    pub(crate) async fn signal(&self, signals: Vec<Signal>) {
        self.ask(self.client.post(self.at("/agent/signals")).json(&Report { signals })).await;
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn ask(&self, request: RequestBuilder) -> reqwest::Response {
        let answer = request.bearer_auth("agent-token").send().await.unwrap();
        assert!(answer.status().is_success(), "{}: {}", answer.url().path(), answer.status());
        answer
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

/// How the replica of an action looks.
pub(crate) fn replica(action: &Action, phase: ReplicaPhase) -> ReplicaReport {
    ReplicaReport {
        replica: action.replica.clone(),
        generation: action.generation,
        phase,
        since: now(),
        pid: Some(1),
        port: None,
        started_at: Some(now()),
        detail: None,
        unresponsive: false,
        usage: None,
        at: now(),
    }
}

pub(crate) fn api(slot: u16) -> ReplicaId {
    ReplicaId { service: ServiceName::from("api"), slot }
}
