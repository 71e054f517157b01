use std::time::Duration;

use bytes::Bytes;
use ops_contract::{ActionReport, Hello, Lease, LeaseRequest, LogChunk, QueueReply, Report, Welcome};
use ops_samples::frames::CONTENT_TYPE as FRAME;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the server may hold a lease request open.
const LEASE_WAIT: Duration = Duration::from_secs(25);
/// Longest answer that is read.
const MAX_BYTES: usize = 8 << 20;

/// The server, as an agent knows it. Every request has a deadline and the agent's token.
pub(crate) struct Control {
    client: reqwest::Client,
    url: String,
    token: SecretString,
}

/// Why the server could not be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the server answers {0}")]
    Refused(StatusCode),
    #[error("the server's answer cannot be understood")]
    Nonsense(#[source] serde_json::Error),
    #[error("the server's answer is too long")]
    TooLong,
}

impl ControlError {
    /// Whether the server said so itself, with this status.
    pub(crate) fn is(&self, status: StatusCode) -> bool {
        matches!(self, Self::Refused(refused) if *refused == status)
    }
}

impl Control {
    pub(crate) fn new(url: &str, token: SecretString) -> anyhow::Result<Self> {
        let client =
            reqwest::Client::builder().connect_timeout(PATIENCE).pool_max_idle_per_host(4).build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), token })
    }

    pub(crate) async fn hello(&self, hello: &Hello) -> Result<Welcome, ControlError> {
        read(self.send(self.request(Method::POST, "/agent/hello", hello).timeout(PATIENCE)).await?).await
    }

    pub(crate) async fn signals(&self, report: &Report) -> Result<(), ControlError> {
        self.send(self.request(Method::POST, "/agent/signals", report).timeout(PATIENCE)).await.map(drop)
    }

    /// Asks for work and waits for it. `stopping` is what is known of the stack.
    pub(crate) async fn lease(&self, session: &str, stopping: bool) -> Result<Lease, ControlError> {
        let wait_ms = u64::try_from(LEASE_WAIT.as_millis()).unwrap_or(u64::MAX);
        let request = LeaseRequest { session: session.to_owned(), wait_ms, stopping };
        let request = self.request(Method::POST, "/agent/lease", &request).timeout(LEASE_WAIT + PATIENCE);
        read(self.send(request).await?).await
    }

    pub(crate) async fn action(&self, id: &str, report: &ActionReport) -> Result<(), ControlError> {
        let path = format!("/agent/actions/{id}");
        self.send(self.request(Method::PUT, &path, report).timeout(PATIENCE)).await.map(drop)
    }

    pub(crate) async fn queue_command(&self, id: &str, reply: &QueueReply) -> Result<(), ControlError> {
        let path = format!("/agent/queue-commands/{id}");
        self.send(self.request(Method::PUT, &path, reply).timeout(PATIENCE)).await.map(drop)
    }

    pub(crate) async fn log(&self, id: &str, chunk: &LogChunk) -> Result<(), ControlError> {
        let path = format!("/agent/logs/{id}");
        self.send(self.request(Method::POST, &path, chunk).timeout(PATIENCE)).await.map(drop)
    }

    pub(crate) async fn samples(&self, frame: Bytes) -> Result<(), ControlError> {
        let request = self.client.post(format!("{}/agent/samples", self.url));
        let request = request.bearer_auth(self.token.expose_secret()).header(CONTENT_TYPE, FRAME).body(frame);
        self.send(request.timeout(PATIENCE)).await.map(drop)
    }

    fn request(&self, method: Method, path: &str, body: &impl Serialize) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.bearer_auth(self.token.expose_secret()).json(body)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ControlError> {
        let response =
            request.send().await.map_err(|error| ControlError::Unreachable(error.without_url()))?;
        match response.status() {
            status if status.is_success() => Ok(response),
            status => Err(ControlError::Refused(status)),
        }
    }
}

async fn read<T: DeserializeOwned>(mut response: Response) -> Result<T, ControlError> {
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| ControlError::Unreachable(error.without_url()))?
    {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(ControlError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(ControlError::Nonsense)
}
