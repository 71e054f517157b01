//! Wrong input gets a clear answer, and loses and tells nothing.

use ops_contract::Problem;
use ops_tests::System;
use ops_tests::system::{insightdesk, prepare};
use reqwest::{Method, StatusCode};

use crate::toys::TOYS;

#[tokio::test]
async fn rubbish_requests_get_problem_details() {
    let system = System::start(TOYS).await.unwrap();
    let client: serde_json::Value =
        serde_json::from_slice(&std::fs::read(system.state().join("client.json")).unwrap()).unwrap();
    let (url, token) = (client["url"].as_str().unwrap(), client["token"].as_str().unwrap());
    let json = "application/json";
    let scale = "/api/services/toy/scale";
    let big = format!("{{\"reason\":\"{}\"}}", "x".repeat(2 << 20));
    let cases: [(Method, &str, &str, &str, &str, u16); 9] = [
        (Method::GET, "/api/services", "", "", "", 401),
        (Method::GET, "/api/services", "idk_wrong", "", "", 401),
        (Method::GET, "/api/nothing", token, "", "", 404),
        (Method::DELETE, "/api/services", token, "", "", 405),
        (Method::POST, scale, token, json, &big, 413),
        (Method::POST, scale, token, json, "{ not json", 400),
        (Method::POST, scale, token, json, "{\"replicas\":\"many\"}", 422),
        (Method::POST, scale, token, "text/plain", "{\"replicas\":2}", 415),
        (Method::POST, "/api/services/nobody/restart", token, json, "{}", 404),
    ];
    for (method, path, token, kind, body, expected) in cases {
        let mut request = system.http.request(method.clone(), format!("{url}{path}")).body(body.to_owned());
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let response = request.send().await.unwrap();
        let what = format!("{method} {path}");
        assert_eq!(response.status(), StatusCode::from_u16(expected).unwrap(), "{what}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{what}");
        let problem: Problem = response.json().await.unwrap();
        assert_eq!(problem.status, expected, "{what}");
        assert!(!problem.detail.is_empty(), "{what}");
    }
    let log = std::fs::read_to_string(system.state().join("logs/control/server.log")).unwrap();
    assert!(!log.contains(token), "the token is in the server's log");
}

#[test]
fn every_fault_of_a_stack_file_is_reported_at_once() {
    let folder = prepare(
        r#"
[stack]
name = "faulty"
environment = "test"
colour = "red"

[services.a]
run = ["/does/not/exist"]
depends_on = ["b"]
port = 4001
health = { path = "/health", interval = "soon" }

[services.b]
run = ["node"]
depends_on = ["a"]
port = 4001
secrets = ["NOBODY_KNOWS"]
"#,
    )
    .unwrap();
    let output = insightdesk(folder.path(), &["up", "--detach"]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let report = String::from_utf8_lossy(&output.stderr);
    for word in ["colour", "soon", "4001", "/does/not/exist", "NOBODY_KNOWS", "insightdesk.toml:5"] {
        assert!(report.contains(word), "{word} is not in:\n{report}");
    }
    assert!(report.contains("a -> b") || report.contains("a → b") || report.contains("cycle"), "{report}");
}
