//! What the HTTP interface says, to good requests and to rubbish.

use futures::StreamExt;
use ops_contract::{LogChunk, LogLine, LogStream, Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::agent::{Agent, now};
use crate::harness::{PATIENCE, Server};

#[tokio::test]
async fn rubbish_is_refused_with_a_problem_that_says_what_was_wrong() {
    let (server, _folder) = Server::fresh().await;
    let json = "application/json";
    let large = "x".repeat(1024 * 1024 + 1);
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(600));
    let cases: [(&str, &str, &str, &str, u16, &str); 14] = [
        ("POST", "/api/services/api/scale", json, "{", 400, "line 1, column 1"),
        ("POST", "/api/services/api/scale", json, "\u{0}\u{1}", 400, "not JSON"),
        ("POST", "/api/services/api/scale", json, "[]", 422, "does not fit"),
        ("POST", "/api/services/api/scale", json, r#"{"replicas":-1}"#, 422, "expected u16"),
        ("POST", "/api/services/api/scale", json, r#"{"replicas":9}"#, 422, "1 to 3"),
        ("POST", "/api/services/api/scale", "text/plain", "{}", 415, "application/json"),
        ("POST", "/api/services/api/scale", json, &large, 413, "longer"),
        ("POST", "/api/services/no/scale", json, r#"{"replicas":1}"#, 404, "it has api"),
        ("POST", "/api/services/api/restart", json, r#"{"slot":7}"#, 404, "slot 7"),
        ("POST", "/api/services/api/restart", json, &long, 422, "500 bytes"),
        ("GET", "/api/services/api/replicas/x/exits", "", "", 404, ""),
        ("GET", "/api/changes?limit=many", "", "", 400, "limit"),
        ("GET", "/nowhere", "", "", 404, "nothing at this address"),
        ("DELETE", "/api/now", "", "", 405, "method"),
    ];
    for (method, path, kind, body, status, words) in cases {
        let request = server.ask(Role::Admin, method.parse().unwrap(), path);
        let answer = request.header("content-type", kind).body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{method} {path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{method} {path}: {problem}");
    }
    let many = json!({"signals": vec![json!({"signal": "inventory", "replicas": []}); 1001]});
    let agent = server.client.post(server.at("/agent/signals")).bearer_auth("agent-token");
    assert_eq!(agent.json(&many).send().await.unwrap().status(), 422);
    server.stop().await;
}

#[tokio::test]
async fn an_open_page_is_told_of_a_change() {
    let (server, _folder) = Server::fresh().await;
    let live = server.ask(Role::Viewer, Method::GET, "/api/live").send().await.unwrap();
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let mut events = live.bytes_stream();
    let mut text = String::new();
    let agent = Agent::connect(&server).await;
    let start = agent.work().await;
    agent.start(&start).await;
    let told = async {
        while !text.contains(r#""phase":"ready""#) {
            text.push_str(&String::from_utf8_lossy(&events.next().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
    assert!(text.contains("event: now") && text.contains("id: 0"), "{text}");
    // An open stream does not keep the server.
    server.stop().await;
}

#[tokio::test]
async fn a_log_is_relayed_from_the_agent_to_its_reader_and_no_longer_than_that() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::connect(&server).await;
    agent.start(&agent.work().await).await;
    let reader = server.ask(Role::Viewer, Method::GET, "/api/services/api/replicas/0/logs?lines=5").send();
    let answers = async {
        let lease = agent.lease(10_000).await;
        let wanted = &lease.logs[0];
        assert_eq!((wanted.lines, wanted.follow), (5, false));
        let line = LogLine { at: now(), stream: LogStream::Out, text: "hello".to_owned() };
        let chunk = LogChunk { lines: vec![line], end: true, error: None };
        let path = server.at(&format!("/agent/logs/{}", wanted.id));
        let post = || server.client.post(&path).bearer_auth("agent-token").json(&chunk).send();
        assert_eq!(post().await.unwrap().status(), 204);
        assert_eq!(post().await.unwrap().status(), 410);
    };
    let (read, ()) = tokio::join!(reader, answers);
    let read: LogChunk = read.unwrap().json().await.unwrap();
    assert_eq!(read.lines[0].text, "hello");
    server.stop().await;
}

#[tokio::test]
async fn metrics_tell_of_replicas_and_of_the_store() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::connect(&server).await;
    agent.start(&agent.work().await).await;
    server.phase(0, "ready").await;
    let answer = server.ask(Role::Viewer, Method::GET, "/metrics").send().await.unwrap();
    let text = answer.text().await.unwrap();
    for line in [
        r#"ops_replica_up{service="api",slot="0"} 1"#,
        r#"ops_service_ready{service="api"} 1"#,
        r#"ops_dependency_up{dependency="postgres.main"} 1"#,
        r#"ops_actions_total{kind="start",status="succeeded"} 1"#,
        "ops_store_up 1",
        "ops_signals_total ",
        "process_resident_memory_bytes ",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    server.stop().await;
}

#[test]
fn the_checked_in_document_describes_the_interface() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let document = ops_server::openapi().unwrap();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &document).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    assert!(known == document, "docs/openapi.json is out of date: run the tests with UPDATE_EXPECT=1");
}
