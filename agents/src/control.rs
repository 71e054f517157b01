use std::time::Duration;

use bytes::Bytes;
use ops_contract::{
    ActionReport, Hello, Lease, LeaseRequest, LogChunk, QueueReply, Report, SecretValues, SecretsRequest,
    Welcome,
};
use ops_samples::frames::CONTENT_TYPE as FRAME;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the server may hold a lease request open.
const LEASE_WAIT: Duration = Duration::from_secs(25);
/// Longest answer that is read.
const MAX_BYTES: usize = 8 << 20;
/// Longest answer with secrets, and longest problem that is read.
const MAX_SECRETS_BYTES: usize = 1 << 20;
const MAX_PROBLEM_BYTES: usize = 64 * 1024;
/// Most characters that are told of a problem.
const LONGEST_DETAIL: usize = 500;

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

/// Why the server gave no secrets, without anything of its answer but what it says of the problem.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSecrets {
    #[error("the server cannot be reached, and it alone hands out secrets")]
    Unreachable(#[source] reqwest::Error),
    #[error("{detail}")]
    Refused { detail: String },
    #[error("the server's answer cannot be understood: are server and agent of one version?")]
    Nonsense,
    #[error("the server's answer is too long")]
    TooLong,
    #[error("the server gave no value: set it with `insightdesk secrets set`")]
    Incomplete,
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

    /// Asks for values of secrets. Neither they nor a faulty answer are ever quoted.
    pub(crate) async fn secrets(&self, request: &SecretsRequest) -> Result<SecretValues, NoSecrets> {
        let unreachable = |error: reqwest::Error| NoSecrets::Unreachable(error.without_url());
        let request = self.request(Method::POST, "/agent/secrets", request).timeout(PATIENCE);
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            // A problem that cannot be read is still one.
            let body = match is_problem(response.headers()) {
                true => collect(&mut response, MAX_PROBLEM_BYTES).await.ok().flatten().unwrap_or_default(),
                false => Zeroizing::default(),
            };
            return Err(NoSecrets::Refused { detail: detail(&body).unwrap_or_else(|| usual(status)) });
        }
        let body = collect(&mut response, MAX_SECRETS_BYTES).await.map_err(unreachable)?;
        // What serde_json says of a fault quotes what it read.
        serde_json::from_slice(&body.ok_or(NoSecrets::TooLong)?).map_err(|_| NoSecrets::Nonsense)
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
    let body = collect(&mut response, MAX_BYTES).await;
    let body = body.map_err(|error| ControlError::Unreachable(error.without_url()))?;
    serde_json::from_slice(&body.ok_or(ControlError::TooLong)?).map_err(ControlError::Nonsense)
}

/// The whole answer, in memory that is wiped; `None` when it is longer than `most` bytes.
async fn collect(response: &mut Response, most: usize) -> Result<Option<Zeroizing<Vec<u8>>>, reqwest::Error> {
    // Grown, it would leave copies behind.
    let expected = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = Zeroizing::new(Vec::with_capacity(expected.min(most)));
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn is_problem(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/problem+json"))
}

/// What the server says of a problem, as one short line.
fn detail(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let problem: Problem = serde_json::from_slice(body).ok()?;
    let words = problem.detail.split(|letter: char| letter.is_control() || letter.is_whitespace());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(LONGEST_DETAIL).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    Some(short).filter(|line| !line.is_empty())
}

/// What a status means when the server says no more.
fn usual(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED => "the server refuses this agent's token".to_owned(),
        StatusCode::FORBIDDEN => "not for this purpose: see what the stack file gives to whom".to_owned(),
        StatusCode::NOT_FOUND => "the server has none: set it with `insightdesk secrets set`".to_owned(),
        StatusCode::SERVICE_UNAVAILABLE => {
            "the server cannot record now that it is handed out: see the server's log".to_owned()
        }
        other => format!("the server answers {other}"),
    }
}
