//! Samples that are sent on to other receivers, of which the test plays one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ops_contract::{RemoteWriteSpec, Role};
use ops_samples::remote_write::{self, Version};
use ops_samples::{Labels, Sample};
use reqwest::Method;

use crate::harness::{Server, sqlite};

/// A receiver: what it is to answer before it takes everything, and what it got.
#[derive(Default)]
struct Receiver {
    answers: Mutex<VecDeque<u16>>,
    /// Name, value, version, and whether the token was the right one.
    got: Mutex<Vec<(String, f64, Version, bool)>>,
    /// It speaks 1.0 only and says that all is well.
    old: bool,
}

async fn receive(State(it): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(status) = it.answers.lock().unwrap().pop_front() {
        return (StatusCode::from_u16(status).unwrap(), [("retry-after", "0")]).into_response();
    }
    let version = Version::of(headers["content-type"].to_str().unwrap()).unwrap();
    if it.old && version == Version::V2 {
        return StatusCode::NO_CONTENT.into_response();
    }
    let good = headers.get("authorization").is_some_and(|it| it == "Bearer hush");
    let request = remote_write::decode(version, &body, 1 << 20).unwrap();
    if request.samples.iter().any(|(labels, _)| labels.metric() == "refused") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    for (labels, sample) in &request.samples {
        assert_eq!(labels.get("cluster"), Some("test"));
        it.got.lock().unwrap().push((labels.metric().to_owned(), sample.value, version, good));
    }
    let written = request.samples.len().to_string();
    (StatusCode::NO_CONTENT, [("x-prometheus-remote-write-samples-written", written)]).into_response()
}

async fn start(receiver: Arc<Receiver>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/write", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/write", axum::routing::post(receive)).with_state(receiver);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn server(folder: &tempfile::TempDir, url: &str) -> Server {
    let mut config = Server::config(&sqlite(folder));
    config.series_dir = Some(folder.path().join("series"));
    config.secrets.insert("elsewhere".to_owned(), "hush".into());
    config.stack.alerts.external_labels.insert("cluster".to_owned(), "test".to_owned());
    config.stack.telemetry.remote_write =
        vec![RemoteWriteSpec { url: url.to_owned(), token_secret: Some("elsewhere".to_owned()) }];
    Server::start_on(config).await
}

async fn push(server: &Server, name: &str, value: f64) {
    let labels = Labels::new([("__name__", name)]).unwrap();
    let body = remote_write::encode_v1(&[(
        labels,
        Sample { at_ms: jiff::Timestamp::now().as_millisecond(), value },
    )]);
    let request = server.ask(Role::Operator, Method::POST, "/prometheus/api/v1/write");
    let request = request.header("content-type", remote_write::CONTENT_TYPE_V1).body(body);
    assert_eq!(request.send().await.unwrap().status(), 204);
}

async fn got(server: &Server, receiver: &Receiver, name: &str) -> (f64, Version, bool) {
    let find = async |_: &Server| {
        let got = receiver.got.lock().unwrap();
        got.iter().find(|it| it.0 == name).map(|it| (it.1, it.2, it.3))
    };
    server.eventually(name, find).await
}

#[tokio::test]
async fn samples_are_sent_again_until_they_are_taken_and_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Arc::new(Receiver::default());
    receiver.answers.lock().unwrap().extend([503, 429]);
    let url = start(receiver.clone()).await;
    let first = server(&folder, &url).await;
    push(&first, "first", 1.0).await;
    assert_eq!(got(&first, &receiver, "first").await, (1.0, Version::V2, true));
    first.stop().await;

    // The receiver asks for patience, and the server ends with a sample that waits.
    receiver.answers.lock().unwrap().extend([500; 100]);
    let away = server(&folder, &url).await;
    push(&away, "waiting", 2.0).await;
    away.stop().await;
    receiver.answers.lock().unwrap().clear();
    let back = server(&folder, &url).await;
    assert_eq!(got(&back, &receiver, "waiting").await, (2.0, Version::V2, true));
    back.stop().await;

    let second = server(&folder, &url).await;
    push(&second, "refused", 3.0).await;
    let metrics = async |it: &Server| {
        let text = it.ask(Role::Viewer, Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with("ops_remote_write_samples_refused_total{"))?;
        (!line.ends_with(" 0")).then_some(())
    };
    second.eventually("the refusal is counted", metrics).await;
    push(&second, "after", 4.0).await;
    assert_eq!(got(&second, &receiver, "after").await.0, 4.0);
    assert!(receiver.got.lock().unwrap().iter().all(|it| it.0 != "refused"));
    second.stop().await;
}

#[tokio::test]
async fn who_knows_the_first_version_only_gets_that() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Arc::new(Receiver { old: true, ..Receiver::default() });
    let url = start(receiver.clone()).await;
    let server = server(&folder, &url).await;
    push(&server, "old", 1.0).await;
    assert_eq!(got(&server, &receiver, "old").await, (1.0, Version::V1, true));
    server.stop().await;

    let folder = tempfile::tempdir().unwrap();
    let receiver = Arc::new(Receiver::default());
    receiver.answers.lock().unwrap().push_back(415);
    let url = start(receiver.clone()).await;
    let server = self::server(&folder, &url).await;
    push(&server, "unknown", 1.0).await;
    assert_eq!(got(&server, &receiver, "unknown").await.1, Version::V1);
    server.stop().await;
}
