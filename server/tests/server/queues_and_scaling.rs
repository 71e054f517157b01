//! What operators, other autoscalers and KEDA are told of queues and of numbers of replicas: everybody the same.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use ops_contract::{QueueReport, QueueSample, Role, ScaleSpec, ServiceSpec, Signal, Timestamp};
use ops_server::Grpc;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::agent::{Agent, now};
use crate::harness::{PATIENCE, Server, sqlite, token};
use wire::external_scaler_client::ExternalScalerClient;
use wire::{GetMetricsRequest, ScaledObjectRef};

/// Made of the same file as the server's own.
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all, reason = "generated")]
mod wire {
    tonic::include_proto!("externalscaler");
}

async fn with_grpc() -> (Server, Client, tempfile::TempDir) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Server::config(&sqlite(&folder));
    config.grpc = Grpc::At(free);
    config.stack.services.insert("worker".into(), worker(config.stack.services[&"api".into()].clone()));
    let server = Server::start_on(config).await;
    let client = connect(free).await;
    (server, client, folder)
}

/// It follows a queue.
fn worker(api: ServiceSpec) -> ServiceSpec {
    let scale = ScaleSpec {
        queues: vec!["valkey.main/ai".to_owned()],
        target_wait: Duration::from_secs(5),
        concurrency: BTreeMap::new(),
        max_waiting: None,
        cpu: None,
        connections: None,
        drain: Duration::from_secs(60),
        start_delay: Duration::from_secs(5),
    };
    ServiceSpec { scale: Some(scale), ..api }
}

type Client = ExternalScalerClient<Channel>;

async fn connect(address: SocketAddr) -> Client {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().timeout(PATIENCE);
    ExternalScalerClient::new(endpoint.connect().await.unwrap())
}

type Entries<'a> = &'a [(&'a str, &'a str)];

/// A trigger's metadata as KEDA sends it.
fn trigger(entries: Entries<'_>) -> ScaledObjectRef {
    let scaler_metadata: HashMap<_, _> =
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ScaledObjectRef { name: "worker".into(), namespace: "default".into(), scaler_metadata }
}

fn metrics_of(scaled_object_ref: ScaledObjectRef, name: &str) -> GetMetricsRequest {
    GetMetricsRequest { scaled_object_ref: Some(scaled_object_ref), metric_name: name.to_owned() }
}

fn report(store: &str, policy: &str, queues: &[(&str, QueueSample)], at: Timestamp) -> Signal {
    Signal::Queues(QueueReport {
        store: store.to_owned(),
        epoch: "1".to_owned(),
        queues: queues.iter().map(|(name, sample)| ((*name).to_owned(), sample.clone())).collect(),
        unread: 0,
        fault: None,
        maxmemory_policy: Some(policy.to_owned()),
        took_us: 900,
        at,
    })
}

#[tokio::test]
async fn keda_is_told_the_same_number_as_everybody() {
    let (server, mut client, _folder) = with_grpc().await;
    let viewer = token(Role::Viewer);
    let asked = trigger(&[("service", "api"), ("tokenFromEnv", &viewer)]);

    let spec = client.get_metric_spec(asked.clone()).await.unwrap().into_inner().metric_specs.remove(0);
    assert_eq!(
        (spec.metric_name.as_str(), spec.target_size, spec.target_size_float),
        ("insightdesk-api", 1, 1.0)
    );
    assert!(client.is_active(asked.clone()).await.unwrap().into_inner().result);
    let mut active = client.stream_is_active(asked.clone()).await.unwrap().into_inner();
    assert!(active.message().await.unwrap().unwrap().result);
    let mut specs = client.stream_metric_spec(asked.clone()).await.unwrap().into_inner();
    assert_eq!(specs.message().await.unwrap().unwrap().metric_specs, [spec]);

    server.post("/api/services/api/scale", json!({"replicas": 3})).await;
    let signal = server.get("/api/scaling/api").await;
    assert_eq!((&signal["desired"], &signal["state"]), (&json!(3), &json!("fixed")));
    for name in ["insightdesk-api", "s0-insightdesk-api", ""] {
        let answer = client.get_metrics(metrics_of(asked.clone(), name)).await.unwrap().into_inner();
        let value = &answer.metric_values[0];
        assert_eq!(json!(value.metric_value), signal["desired"]);
        assert_eq!(json!(value.metric_value_float), json!(3.0));
    }
    let text = server.ask(Role::Viewer, Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(text.contains("ops_scaling_desired{service=\"api\"} 3\n"), "{text}");
    assert!(text.contains("ops_scaling_state{service=\"api\",state=\"fixed\"} 1\n"), "{text}");
    // Open streams do not keep the server.
    server.stop().await;
    assert!(active.message().await.is_ok_and(|it| it.is_none()) || specs.message().await.is_err());
}

#[tokio::test]
async fn a_queue_that_fills_is_decided_on_and_keda_gets_that_number() {
    let (server, mut client, _folder) = with_grpc().await;
    let viewer = token(Role::Viewer);
    let asked = trigger(&[("service", "worker"), ("token", &viewer)]);
    let agent = Agent::connect(&server).await;
    agent.inventory(Vec::new()).await;
    let mut active = client.stream_is_active(asked.clone()).await.unwrap().into_inner();

    let full = QueueSample { waiting: 5_000, arrivals_total: 5_000, exact: true, ..QueueSample::default() };
    agent.signal(vec![report("valkey.main", "noeviction", &[("ai", full)], now())]).await;
    let signal = server
        .eventually("a decision", async |it| {
            let signal = it.get("/api/scaling/worker").await;
            (signal["state"] == "measured").then_some(signal)
        })
        .await;
    assert_eq!(signal["desired"], 3, "{signal}");
    assert!(signal["reason"].as_str().unwrap().starts_with("ai: 5000 jobs wait"), "{signal}");
    let answer = client.get_metrics(metrics_of(asked, "")).await.unwrap().into_inner();
    assert_eq!(json!(answer.metric_values[0].metric_value), signal["desired"]);
    assert!(active.message().await.unwrap().unwrap().result, "what is decided is pushed");

    // Why, and all that it rests on.
    let decisions = server.get("/api/scaling/worker/decisions").await;
    let first = decisions["items"].as_array().unwrap().iter().find(|it| it["to"] == 3).unwrap();
    assert_eq!(first["from"], 1, "{first}");
    let recordings = server.get("/api/scaling/worker/recordings").await;
    let recordings: Vec<ops_engine::scale::Recording> =
        serde_json::from_value(recordings["items"].clone()).unwrap();
    assert!(!recordings.is_empty() && recordings.iter().all(|it| it.replay().is_ok()));
    let changes = server.get("/api/changes").await.to_string();
    assert!(changes.contains("worker from 1 to 3") && changes.contains("autoscaler"), "{changes}");

    // An operator's number counts until it is withdrawn, and the bounds are the stack file's.
    server.post("/api/services/worker/scale", json!({"replicas": 2, "for_s": 60, "reason": "calm"})).await;
    let manual = server
        .eventually("the operator's number", async |it| {
            let signal = it.get("/api/scaling/worker").await;
            (signal["state"] == "manual").then_some(signal)
        })
        .await;
    assert_eq!((&manual["desired"], &manual["manual"]["replicas"]), (&json!(2), &json!(2)));
    server.post("/api/services/worker/scale", json!({"auto": true})).await;
    server
        .eventually("its own number", async |it| {
            (it.get("/api/scaling/worker").await["state"] != "manual").then_some(())
        })
        .await;
    for slip in [
        json!({}),
        json!({"replicas": 9}),
        json!({"replicas": 2, "auto": true}),
        json!({"replicas": 2, "for_s": -1}),
        json!({"replicas": 2, "for_s": 1e300}),
    ] {
        let answer =
            server.ask(Role::Admin, Method::POST, "/api/services/worker/scale").json(&slip).send().await;
        assert_eq!(answer.unwrap().status(), 422, "{slip}");
    }
    let answer =
        server.ask(Role::Admin, Method::POST, "/api/services/api/scale").json(&json!({"auto": true})).send();
    assert_eq!(answer.await.unwrap().status(), 422, "it scales by nothing");
    drop(active);
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_known_is_an_error_and_never_a_number() {
    let (server, mut client, _folder) = with_grpc().await;
    let viewer = token(Role::Viewer);
    // `worker` follows a queue that nobody has looked at yet.
    let asked = trigger(&[("service", "worker"), ("token", &viewer)]);
    let signal = server.get("/api/scaling/worker").await;
    assert_eq!(signal["state"], "unknown", "{signal}");
    let is = |status: Status| (status.code(), status.message().contains("worker is not to be scaled"));
    let metrics = client.get_metrics(metrics_of(asked.clone(), "")).await.unwrap_err();
    assert_eq!(is(metrics), (Code::Unavailable, true));
    assert_eq!(is(client.is_active(asked.clone()).await.unwrap_err()), (Code::Unavailable, true));
    // Without a specification KEDA would make no HPA and heed no fallback.
    client.get_metric_spec(asked.clone()).await.unwrap();
    // Nothing is said until something is known.
    let mut active = client.stream_is_active(asked).await.unwrap().into_inner();
    assert!(tokio::time::timeout(Duration::from_millis(200), active.message()).await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn strangers_and_slips_are_told_what_is_wrong() {
    let (server, mut client, _folder) = with_grpc().await;
    let viewer = token(Role::Viewer);
    let long = "x".repeat(100 * 1024);
    let cases: [(Entries<'_>, Code, &str); 7] = [
        (&[("service", "api")], Code::Unauthenticated, "tokenFromEnv"),
        (&[("service", "api"), ("token", "wrong")], Code::Unauthenticated, "viewer's token"),
        (&[("service", "api"), ("token", "agent-token")], Code::PermissionDenied, "/agent only"),
        (&[("token", &viewer)], Code::InvalidArgument, "lacks `service`; name one of api, worker"),
        (&[("token", &viewer), ("service", "")], Code::InvalidArgument, "lacks `service`"),
        (&[("token", &viewer), ("service", "no")], Code::InvalidArgument, "it has api, worker"),
        (&[("token", &viewer), ("service", &long)], Code::OutOfRange, "65536"),
    ];
    for (metadata, code, words) in cases {
        let status = client.get_metric_spec(trigger(metadata)).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(words), "{status}");
    }
    let asked = trigger(&[("token", &viewer), ("service", "api")]);
    let status = client.get_metrics(metrics_of(asked, "s0-other")).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, "the metric of api is insightdesk-api")
    );
    // A program that can send headers need not put its token into the metadata.
    let mut request = Request::new(trigger(&[("service", "api")]));
    request.metadata_mut().insert("authorization", format!("Bearer {viewer}").parse().unwrap());
    client.is_active(request).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_told_when_somebody_wants_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let with = |grpc| ops_server::Config { grpc, ..Server::config(&database) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = ops_server::run_on(listener, with(Grpc::At(address)), CancellationToken::new());
    let error = error.await.unwrap_err();
    assert!(error.to_string().contains(&format!("could not listen on {address} for gRPC")), "{error}");
    // Nobody asked for the usual port: the server does without.
    Server::start_on(with(Grpc::IfFree(address))).await.stop().await;
}

#[tokio::test]
async fn queues_are_judged_shown_and_measured_and_vanish_when_they_are_old() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::connect(&server).await;
    let deep = QueueSample { waiting: 6_000, workers: 2, arrivals_total: 7_000, ..QueueSample::default() };
    let calm = QueueSample { workers: 1, ..QueueSample::default() };
    let look = report("valkey.main", "allkeys-lru", &[("ai", deep), ("mail", calm)], now());
    agent.signal(vec![look]).await;

    let view = server.get("/api/queues").await;
    let names: Vec<&Value> = view["queues"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["ai", "mail"]);
    assert_eq!((&view["queues"][0]["tone"], &view["queues"][0]["waiting"]), (&json!("down"), &json!(6_000)));
    let page = async |path: &'static str| {
        let answer = server.ask(Role::Viewer, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{path}");
        answer.text().await.unwrap()
    };
    let text = page("/queues").await;
    assert!(text.contains("6,000 jobs wait") && text.contains("maxmemory-policy is allkeys-lru"), "{text}");
    assert!(page("/scaling").await.contains("scaling-api"));
    let scrape = async || {
        server.ask(Role::Viewer, Method::GET, "/metrics").send().await.unwrap().text().await.unwrap()
    };
    let text = scrape().await;
    let labels = "store=\"valkey.main\",queue=\"ai\"";
    assert!(text.contains(&format!("ops_queue_jobs{{{labels},state=\"waiting\"}} 6000\n")), "{text}");
    assert!(text.contains(&format!("ops_queue_arrivals_total{{{labels}}} 7000\n")), "{text}");
    assert!(text.contains(&format!("ops_queue_workers{{{labels}}} 2\n")), "{text}");

    // Three looks later nothing is known any more, and it is said how old it is.
    server
        .eventually("unknown", async |it| {
            let view = it.get("/api/queues").await;
            view["queues"].as_array().unwrap().iter().all(|it| it["tone"] == "unknown").then_some(())
        })
        .await;
    let text = scrape().await;
    assert!(!text.contains("ops_queue_jobs{"), "{text}");
    assert!(text.contains("ops_queue_data_age_seconds{store=\"valkey.main\"}"), "{text}");
    for path in ["/queues", "/scaling", "/api/queues", "/api/scaling", "/api/scaling/api"] {
        let answer = server.client.get(server.at(path)).send().await.unwrap();
        assert!([303, 401].contains(&answer.status().as_u16()), "{path} is open: {}", answer.status());
    }
    let answer = server.ask(Role::Viewer, Method::GET, "/api/scaling/none").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    server.stop().await;
}
