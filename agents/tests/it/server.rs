//! A stand-in for the server: the agent's endpoints, and a memory of what it was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use ops_contract::{
    Action, ActionReport, ActionStatus, AgentName, Concealed, DependencyReport, Exit, Hello, Lease,
    LeaseRequest, LogChunk, LogLine, LogSubscription, QueueCommand, QueueReply, QueueReport, ReplicaId,
    ReplicaReport, Report, SecretValues, SecretsRequest, Signal, Stack, Welcome,
};
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) stack: Option<Stack>,
    /// Answer everything with this instead.
    pub(crate) broken: Option<StatusCode>,
    pub(crate) session: String,
    pub(crate) hellos: usize,
    pub(crate) replicas: BTreeMap<ReplicaId, ReplicaReport>,
    pub(crate) inventory: Vec<ReplicaReport>,
    pub(crate) exits: Vec<Exit>,
    pub(crate) dependencies: BTreeMap<String, DependencyReport>,
    pub(crate) dependency_reports: Vec<DependencyReport>,
    pub(crate) deep_checks: Vec<(bool, String)>,
    pub(crate) queues: Vec<QueueReport>,
    pub(crate) open: Vec<(Action, Option<String>)>,
    pub(crate) results: BTreeMap<String, ActionReport>,
    /// Queue commands that are not ended, and the session that has them.
    pub(crate) queue_commands: Vec<(QueueCommand, Option<String>)>,
    pub(crate) queue_replies: BTreeMap<String, QueueReply>,
    pub(crate) queue_answers: usize,
    pub(crate) subscriptions: Vec<LogSubscription>,
    pub(crate) lines: Vec<LogLine>,
    pub(crate) log_ended: Option<LogChunk>,
    pub(crate) nobody_reads: bool,
    pub(crate) log_refused: bool,
    pub(crate) samples: crate::samples::Store,
    /// Values of secrets by name; `along` says which goes with which.
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) along: BTreeMap<String, String>,
    pub(crate) secret_requests: Vec<SecretsRequest>,
    /// Answer requests for secrets with this instead: status, content type, body.
    pub(crate) secrets_answer: Option<(StatusCode, &'static str, String)>,
}

#[derive(Clone, Default)]
pub(crate) struct Server {
    pub(crate) memory: Arc<Mutex<Memory>>,
    pub(crate) work: Arc<Notify>,
}

impl Server {
    /// Serves on a free port; returns the address.
    pub(crate) async fn start(&self) -> String {
        let router = Router::new()
            .route("/agent/hello", post(hello))
            .route("/agent/signals", post(signals))
            .route("/agent/lease", post(lease))
            .route("/agent/actions/{id}", put(action))
            .route("/agent/queue-commands/{id}", put(queue_command))
            .route("/agent/logs/{id}", post(log))
            .route("/agent/secrets", post(secrets))
            .route("/agent/samples", post(crate::samples::take))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        if let Some(status) = self.memory.lock().unwrap().broken {
            return Err(status);
        }
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        if token == Some("Bearer agent-token") { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
    }
}

async fn hello(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(hello): Json<Hello>,
) -> Result<Json<Welcome>, StatusCode> {
    server.check(&headers)?;
    let mut memory = server.memory.lock().unwrap();
    memory.session = hello.session;
    memory.hellos += 1;
    let stack = memory.stack.clone().unwrap();
    Ok(Json(Welcome { agent: AgentName::from("local"), stack }))
}

async fn signals(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(report): Json<Report>,
) -> Result<StatusCode, StatusCode> {
    server.check(&headers)?;
    let mut memory = server.memory.lock().unwrap();
    for signal in report.signals {
        match signal {
            Signal::Replica(report) => {
                memory.replicas.insert(report.replica.clone(), report);
            }
            Signal::ReplicaExited(exit) => memory.exits.push(exit),
            Signal::Inventory { replicas } => {
                memory.replicas =
                    replicas.iter().map(|report| (report.replica.clone(), report.clone())).collect();
                memory.inventory = replicas;
            }
            Signal::Dependency(report) => {
                memory.dependencies.insert(report.name.clone(), report.clone());
                memory.dependency_reports.push(report);
            }
            Signal::Queues(report) => memory.queues.push(report),
            Signal::DeepCheck { good, detail, .. } => memory.deep_checks.push((good, detail)),
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn lease(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(request): Json<LeaseRequest>,
) -> Result<Json<Lease>, StatusCode> {
    for _ in 0..20 {
        server.check(&headers)?;
        let work = server.work.notified();
        {
            let mut memory = server.memory.lock().unwrap();
            if memory.session != request.session {
                return Err(StatusCode::CONFLICT);
            }
            let mut lease = Lease { logs: std::mem::take(&mut memory.subscriptions), ..Lease::default() };
            for (action, leased_to) in &mut memory.open {
                if leased_to.as_ref() != Some(&request.session) {
                    *leased_to = Some(request.session.clone());
                    lease.actions.push(action.clone());
                }
            }
            for (command, leased_to) in &mut memory.queue_commands {
                if leased_to.as_ref() != Some(&request.session) {
                    *leased_to = Some(request.session.clone());
                    lease.queue_commands.push(command.clone());
                }
            }
            if !lease.actions.is_empty() || !lease.logs.is_empty() || !lease.queue_commands.is_empty() {
                return Ok(Json(lease));
            }
        }
        let _ = tokio::time::timeout(Duration::from_millis(100), work).await;
    }
    Ok(Json(Lease::default()))
}

async fn action(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(report): Json<ActionReport>,
) -> Result<StatusCode, StatusCode> {
    server.check(&headers)?;
    let mut memory = server.memory.lock().unwrap();
    if report.status != ActionStatus::Leased {
        memory.open.retain(|(action, _)| action.id != id);
        memory.results.insert(id, report);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn queue_command(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(reply): Json<QueueReply>,
) -> Result<StatusCode, StatusCode> {
    server.check(&headers)?;
    let mut memory = server.memory.lock().unwrap();
    if !matches!(reply, QueueReply::Leased { .. }) {
        memory.queue_commands.retain(|(command, _)| command.id != id);
        memory.queue_answers += 1;
        memory.queue_replies.insert(id, reply);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn log(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(_): Path<String>,
    Json(chunk): Json<LogChunk>,
) -> Result<StatusCode, StatusCode> {
    server.check(&headers)?;
    let mut memory = server.memory.lock().unwrap();
    if memory.nobody_reads {
        memory.log_refused = true;
        return Err(StatusCode::GONE);
    }
    memory.lines.extend(chunk.lines.clone());
    if chunk.end {
        memory.log_ended = Some(chunk);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn secrets(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(request): Json<SecretsRequest>,
) -> Result<Response, StatusCode> {
    server.check(&headers)?;
    let mut memory = server.memory.lock().unwrap();
    memory.secret_requests.push(request.clone());
    if let Some((status, kind, body)) = memory.secrets_answer.clone() {
        return Ok((status, [("content-type", kind)], body).into_response());
    }
    let along = request.names.iter().filter_map(|name| memory.along.get(name)).cloned();
    let mut values = BTreeMap::new();
    for name in request.names.iter().cloned().chain(along) {
        let Some(value) = memory.secrets.get(&name) else {
            let detail = format!("secret {name} has no value: insightdesk secrets set {name}");
            let problem = serde_json::json!({ "title": "Not Found", "status": 404, "detail": detail });
            let kind = [("content-type", "application/problem+json")];
            return Ok((StatusCode::NOT_FOUND, kind, problem.to_string()).into_response());
        };
        values.insert(name, Concealed(value.clone()));
    }
    Ok(Json(SecretValues { values }).into_response())
}
