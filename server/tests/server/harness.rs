//! A server in this process, and what a test asks of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ops_contract::{
    AgentName, Driver, Environment, Operator, Program, QueueSpec, ReplicaBounds, RestartMode, RestartPolicy,
    Role, ServiceName, ServiceRole, ServiceSpec, Stack, StopPolicy, ValkeySpec,
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs in this process.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) client: Client,
    shutdown: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    /// Starts one on a store of its own.
    pub(crate) async fn fresh() -> (Self, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let server = Self::start(&sqlite(&folder)).await;
        (server, folder)
    }

    /// Starts one.
    pub(crate) async fn start(database: &str) -> Self {
        Self::start_on(Self::config(database)).await
    }

    /// How the server is told all that it needs.
    pub(crate) fn config(database: &str) -> ops_server::Config {
        let operators = [Role::Viewer, Role::Operator, Role::Admin]
            .map(|role| (Operator { name: name(role), role }, token(role).into()));
        ops_server::Config {
            stack: stack(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            grpc: ops_server::Grpc::Off,
            database: database.to_owned(),
            series_dir: None,
            state_dir: None,
            external_url: None,
            operators: operators.into(),
            agents: vec![(AgentName::from("local"), "agent-token".into())],
            environment: BTreeMap::new(),
            reread: None,
            secrets: BTreeMap::new(),
            variables: BTreeMap::new(),
            metrics: ops_telemetry::Metrics::new(),
        }
    }

    /// Starts one that is told something of its own.
    pub(crate) async fn start_on(config: ops_server::Config) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap(), config).await
    }

    /// Starts one on a socket that listens.
    pub(crate) async fn start_at(listener: TcpListener, config: ops_server::Config) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(ops_server::run_on(listener, config, shutdown.clone()));
        let client =
            Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build().unwrap();
        let mut server = Self { url, client, shutdown, running };
        // The socket listens before the store is open: requests wait until it serves.
        server
            .eventually("ready", async |it| {
                if it.running.is_finished() {
                    return Some(());
                }
                it.client.get(it.at("/readyz")).send().await.ok().filter(|it| it.status() == 200).map(drop)
            })
            .await;
        if server.running.is_finished() {
            panic!("the server ended at its start: {:?}", (&mut server.running).await);
        }
        server
    }

    /// Ends it at once, as `kill -9` would; what it was about to do is not done.
    pub(crate) async fn kill(self) {
        self.running.abort();
        let _ = self.running.await;
        self.shutdown.cancel();
    }

    /// Ends it and waits until it has ended.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.running).await.unwrap().unwrap().unwrap();
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A request with a role's token.
    pub(crate) fn ask(&self, role: Role, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.at(path)).bearer_auth(token(role))
    }

    /// What a viewer sees at `path`.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Role::Viewer, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Has an operator do something.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.ask(Role::Admin, Method::POST, path).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// Asks until there is an answer.
    pub(crate) async fn eventually<T>(&self, what: &str, mut look: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self).await {
                return found;
            }
            assert!(Instant::now() < end, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Waits until the phase of `api/{slot}` is as told.
    pub(crate) async fn phase(&self, slot: u64, phase: &str) -> Value {
        self.eventually(phase, async |it| {
            let service = it.get("/api/services/api").await;
            let replicas = service["replicas"].as_array().unwrap().clone();
            replicas.into_iter().find(|it| it["slot"] == slot && it["phase"] == phase)
        })
        .await
    }
}

pub(crate) fn sqlite(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("state.db").display())
}

pub(crate) fn name(role: Role) -> String {
    format!("{role:?}").to_lowercase()
}

pub(crate) fn token(role: Role) -> String {
    format!("token-of-{}", name(role))
}

/// `api`, one to three replicas, on `postgres.main`; fails fast. Queues in `valkey.main`, none watched in `valkey.cache`.
pub(crate) fn stack() -> Stack {
    let api = ServiceSpec {
        role: ServiceRole::Frontend,
        program: Program { command: vec!["true".to_owned()], directory: "/".to_owned() },
        driver: Driver::DryRun,
        port: None,
        replicas: ReplicaBounds { min: 1, max: 3 },
        health: None,
        deep_check: None,
        restart: RestartPolicy {
            mode: RestartMode::OnFailure,
            max: 3,
            window: Duration::from_secs(600),
            backoff: Duration::from_millis(20),
            backoff_max: Duration::from_secs(1),
            never_on: vec![78],
        },
        stop: StopPolicy { grace: Duration::from_secs(1), signal: "TERM".to_owned() },
        depends_on: vec!["postgres.main".to_owned()],
        env: BTreeMap::new(),
        secrets: Vec::new(),
        scale: None,
        route: None,
        metrics: None,
    };
    let queues = QueueSpec { database: 0, prefix: "bull".to_owned() };
    Stack {
        name: "test".to_owned(),
        environment: Environment::Test,
        services: BTreeMap::from([(ServiceName::from("api"), api)]),
        postgres: BTreeMap::new(),
        valkey: BTreeMap::from([
            ("cache".to_owned(), valkey(None)),
            ("main".to_owned(), valkey(Some(queues))),
        ]),
        secrets: BTreeMap::new(),
        alerts: Default::default(),
        telemetry: Default::default(),
        scrape: Vec::new(),
        secret_stores: Default::default(),
        audit: Default::default(),
    }
}

fn valkey(queues: Option<QueueSpec>) -> ValkeySpec {
    ValkeySpec { address: "127.0.0.1:1".to_owned(), password_secret: None, development: false, queues }
}
