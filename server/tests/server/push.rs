//! Samples that are pushed: remote write, OTLP, and agents' frames.

use std::io::Write;

use ops_contract::Role;
use ops_samples::frames::{self, Encoder};
use ops_samples::{Labels, Sample, remote_write};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::harness::{Server, token};

const WRITE: &str = "/prometheus/api/v1/write";
const AT_MS: i64 = 1_700_000_000_000;

fn labels(name: &str) -> Labels {
    Labels::new([("__name__", name), ("job", "test")]).unwrap()
}

async fn write(server: &Server, kind: &str, body: Vec<u8>) -> Response {
    let request = server.ask(Role::Operator, Method::POST, WRITE).header("content-encoding", "snappy");
    request.header("content-type", kind).body(body).send().await.unwrap()
}

async fn value(server: &Server, expr: &str) -> Value {
    let path = format!("/prometheus/api/v1/query?query={expr}&time={}", AT_MS / 1_000);
    server.get(&path).await["data"]["result"][0]["value"][1].clone()
}

#[tokio::test]
async fn both_versions_of_remote_write_are_taken_and_repeats_are_no_fault() {
    let (server, _folder) = Server::fresh().await;
    let one = [(labels("one"), Sample { at_ms: AT_MS, value: 1.5 })];
    let two = [(labels("two"), Sample { at_ms: AT_MS, value: 2.5 })];
    for _ in 0..2 {
        let answer = write(&server, remote_write::CONTENT_TYPE_V1, remote_write::encode_v1(&one)).await;
        assert_eq!(answer.status(), 204);
        let answer = write(&server, remote_write::CONTENT_TYPE_V2, remote_write::encode_v2(&two)).await;
        assert_eq!(answer.status(), 204);
        assert_eq!(answer.headers()["x-prometheus-remote-write-samples-written"], "1");
    }
    assert_eq!((value(&server, "one").await, value(&server, "two").await), (json!("1.5"), json!("2.5")));
    server.stop().await;
}

#[tokio::test]
async fn good_samples_are_taken_though_others_are_refused() {
    let (server, _folder) = Server::fresh().await;
    let at = |at_ms: i64, value: f64| (labels("mixed"), Sample { at_ms, value });
    let body =
        remote_write::encode_v2(&[at(AT_MS - 1_000, 1.0), at(AT_MS - 86_400_000, 2.0), at(AT_MS, 3.0)]);
    let answer = write(&server, remote_write::CONTENT_TYPE_V2, body).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["x-prometheus-remote-write-samples-written"], "2");
    let text = answer.text().await.unwrap();
    assert!(text.contains("partial write") && text.contains("out of order"), "{text}");
    let body = remote_write::encode_v1(&[at(AT_MS, 4.0)]);
    let answer = write(&server, remote_write::CONTENT_TYPE_V1, body).await;
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("duplicate sample"));
    assert_eq!(value(&server, "mixed").await, json!("3"));
    server.stop().await;
}

#[tokio::test]
async fn rubbish_bombs_and_strangers_are_refused() {
    let (server, _folder) = Server::fresh().await;
    let kind = remote_write::CONTENT_TYPE_V1;
    assert_eq!(write(&server, kind, vec![0xff; 100]).await.status(), 400);
    assert_eq!(write(&server, kind, Vec::new()).await.status(), 400);
    assert_eq!(write(&server, kind, vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0]).await.status(), 413);
    assert_eq!(write(&server, kind, vec![0; 9 << 20]).await.status(), 413);
    assert_eq!(write(&server, "text/plain", Vec::new()).await.status(), 415);
    let good = remote_write::encode_v1(&[(labels("up"), Sample { at_ms: AT_MS, value: 1.0 })]);
    let as_who = |token: Option<String>| {
        let request = server.client.post(server.at(WRITE)).header("content-type", kind).body(good.clone());
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    };
    for (who, status) in [
        (None, 401),
        (Some(token(Role::Viewer)), 403),
        (Some(token(Role::Operator)), 204),
        (Some("agent-token".to_owned()), 204),
    ] {
        assert_eq!(as_who(who.clone()).send().await.unwrap().status(), status, "{who:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn otlp_is_taken_packed_or_not_and_says_what_it_left_out() {
    let (server, _folder) = Server::fresh().await;
    let nanos = format!("{}000000", AT_MS);
    let export = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "queue.length", "gauge": {"dataPoints": [{"timeUnixNano": nanos, "asInt": "7"}]}},
        {"name": "e", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [
            {"timeUnixNano": nanos, "count": "1", "scale": 0, "zeroCount": "0"}]}},
    ]}]}]})
    .to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(export.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let post =
        || server.ask(Role::Operator, Method::POST, "/v1/metrics").header("content-type", "application/json");
    for request in [post().body(export), post().header("content-encoding", "gzip").body(packed)] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let said: Value = answer.json().await.unwrap();
        assert_eq!(said["partialSuccess"]["rejectedDataPoints"], "1");
    }
    assert_eq!(value(&server, "queue_length").await, json!("7"));
    assert_eq!(post().body("{").send().await.unwrap().status(), 400);
    assert_eq!(post().header("content-encoding", "gzip").body("x").send().await.unwrap().status(), 400);
    assert_eq!(post().header("content-encoding", "br").body("x").send().await.unwrap().status(), 415);
    let viewer = server.ask(Role::Viewer, Method::POST, "/v1/metrics").body("{}");
    assert_eq!(viewer.send().await.unwrap().status(), 403);
    server.stop().await;
}

#[tokio::test]
async fn agents_tell_samples_by_number_and_start_over_when_the_session_is_unknown() {
    let (server, _folder) = Server::fresh().await;
    let send = async |frame: Vec<u8>, token: &str| {
        let request = server.client.post(server.at("/agent/samples")).bearer_auth(token);
        request.header("content-type", frames::CONTENT_TYPE).body(frame).send().await.unwrap().status()
    };
    let mut encoder = Encoder::new(7);
    let number = encoder.define(&labels("told")).unwrap();
    let lost = encoder.finish().unwrap();
    encoder.sample(number, Sample { at_ms: AT_MS - 1_000, value: 1.0 });
    let first = encoder.finish().unwrap();
    // The server never got the frame with which the session began.
    assert_eq!(send(first.clone(), "agent-token").await, 409);
    for frame in encoder.everything() {
        assert_eq!(send(frame, "agent-token").await, 204);
    }
    assert_eq!(send(first, "agent-token").await, 204);
    encoder.sample(number, Sample { at_ms: AT_MS, value: 2.0 });
    assert_eq!(send(encoder.finish().unwrap(), "agent-token").await, 204);
    assert_eq!(value(&server, "told").await, json!("2"));
    assert_eq!(send(lost.clone(), &token(Role::Admin)).await, 403);
    assert_eq!(send(b"rubbish".to_vec(), "agent-token").await, 400);
    assert_eq!(send(lost[..lost.len() - 1].to_vec(), "agent-token").await, 400);
    server.stop().await;
}
