//! InsightDesk in one process: its stores are real, its programs run side by side, each with its own settings.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_bullmq::{Client, DEFAULT_PREFIX, Queue};
use ops_program::Program as Running;
use ops_settings::Settings;
use ops_telemetry::Metrics;
use ops_tests::program::{Program, client};
use ops_tests::stores::{Postgres, Valkey};
use ops_tests::{eventually, free_port};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// An API and two realtime replicas with their stores. Workers are started by the tests.
pub(crate) struct Desk {
    pub(crate) postgres: Postgres,
    pub(crate) valkey: Valkey,
    pub(crate) queues: Client,
    pub(crate) realtime: Vec<String>,
    api: String,
    http: reqwest::Client,
    shutdown: CancellationToken,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let (postgres, valkey) = (Postgres::start().await.unwrap(), Valkey::start().await.unwrap());
        let queues = Client::connect(&valkey.url(), DEFAULT_PREFIX).await.unwrap();
        let http = client().unwrap();
        let shutdown = CancellationToken::new();
        let mut desk =
            Self { postgres, valkey, queues, realtime: Vec::new(), api: String::new(), http, shutdown };
        let (settings, url) = desk.settings(&[]);
        let mut config = ops_api::Config::from_settings(&settings, true).unwrap();
        config.rate_limit = None;
        tokio::spawn(ops_api::serve(config, desk.running("insightdesk-api")));
        desk.api = url;
        for _ in 0..2 {
            let (settings, url) = desk.settings(&[]);
            let config = ops_realtime::Config::from_settings(&settings).unwrap();
            tokio::spawn(ops_realtime::serve(config, desk.running("insightdesk-realtime")));
            desk.realtime.push(url);
        }
        for url in desk.realtime.iter().chain([&desk.api]) {
            desk.ready(url).await;
        }
        desk
    }

    /// Starts a worker in this process.
    pub(crate) fn work(&mut self, more: &[(&str, String)]) {
        let (settings, _) = self.settings(more);
        let config = ops_worker::Config::from_settings(&settings).unwrap();
        tokio::spawn(ops_worker::serve(config, self.running("insightdesk-worker")));
    }

    /// Starts a worker as a process.
    pub(crate) async fn spawn_worker(&mut self, more: &[(&str, String)]) -> Program {
        let environment = self.environment(more);
        let environment: Vec<(&str, String)> =
            environment.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        Program::ready(env!("CARGO_BIN_EXE_insightdesk-worker"), &environment).await.unwrap()
    }

    pub(crate) async fn sign_in(&self, email: &str) -> String {
        let credentials = json!({ "email": email, "password": ops_api::PASSWORD });
        let session = eventually(Duration::from_secs(20), async || {
            let answer = self
                .http
                .post(format!("{}/v1/auth/sign-in", self.api))
                .json(&credentials)
                .send()
                .await
                .ok()?;
            (answer.status() == StatusCode::OK).then_some(answer.json::<Value>().await.ok()?)
        });
        session.await.expect("signs in")["accessToken"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn create(&self, token: &str, subject: &str) -> Value {
        self.post(token, "/v1/tickets", &json!({ "subject": subject, "description": "it does not work" }))
            .await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> Value {
        let answer =
            self.http.post(format!("{}{path}", self.api)).bearer_auth(token).json(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json().await.unwrap()
    }

    /// Waits until so many jobs of a queue are completed and none waits.
    pub(crate) async fn done(&self, queue: &str, jobs: u64) {
        let queue = Queue::new(&self.queues, queue).unwrap();
        let done = eventually(Duration::from_secs(20), async || {
            let counts = queue.counts().await.ok()?;
            (counts.completed >= jobs && counts.active + counts.prioritized == 0).then_some(())
        });
        done.await.expect("the jobs are done");
    }

    async fn ready(&self, url: &str) {
        let ready = eventually(Duration::from_secs(30), async || {
            let answer = self.http.get(format!("{url}/health/ready")).send().await.ok()?;
            (answer.status() == StatusCode::OK).then_some(())
        });
        ready.await.expect("becomes ready");
    }

    fn running(&self, name: &'static str) -> Running {
        Running {
            name,
            replica: format!("{name}/test"),
            metrics: Metrics::new(),
            shutdown: self.shutdown.child_token(),
        }
    }

    fn settings(&self, more: &[(&str, String)]) -> (Settings, String) {
        let mut environment = self.environment(more);
        let port = free_port().unwrap();
        environment.insert("PORT".to_owned(), port.to_string());
        (Settings::parse(environment).unwrap(), format!("http://127.0.0.1:{port}"))
    }

    fn environment(&self, more: &[(&str, String)]) -> BTreeMap<String, String> {
        let base = [
            ("NODE_ENV", "test".to_owned()),
            ("DATABASE_URL", self.postgres.url()),
            ("VALKEY_URL", self.valkey.url()),
            ("JWT_SECRET", "an-access-secret-of-these-tests-only-4711".to_owned()),
            ("JWT_REFRESH_SECRET", "a-refresh-secret-of-these-tests-only-0815".to_owned()),
            ("LOG_LEVEL", "warn".to_owned()),
        ];
        base.into_iter().chain(more.iter().cloned()).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
