//! Wrong input gets a clear answer.

use ops_tests::program::Program;
use ops_tests::stores::{Postgres, Valkey};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{API, Desk, environment, ticket};

#[tokio::test]
async fn rubbish_requests_get_problem_details_with_the_right_status() {
    let desk = Desk::open().await;
    let token = desk.token.to_string();
    let json = "application/json";
    let big = format!("{{\"subject\":\"{}\"}}", "x".repeat(1 << 20));
    let id = uuid::Uuid::now_v7();
    let missing = format!("/v1/tickets/{id}");
    let cases: [(Method, &str, &str, &str, &str, u16); 16] = [
        (Method::GET, "/v1/tickets", "", "", "", 401),
        (Method::GET, "/v1/tickets", "wrong", "", "", 401),
        (Method::GET, "/v1/nothing", &token, "", "", 404),
        (Method::GET, "/", "", "", "", 404),
        (Method::GET, &missing, &token, "", "", 404),
        (Method::GET, "/v1/tickets/no-id", &token, "", "", 404),
        (Method::GET, "/v1/tickets?limit=many", &token, "", "", 400),
        (Method::GET, "/v1/tickets?limit=101", &token, "", "", 400),
        (Method::GET, "/v1/tickets?cursor=1", &token, "", "", 400),
        (Method::DELETE, "/v1/tickets", &token, "", "", 405),
        (Method::POST, "/v1/tickets", &token, json, &big, 413),
        (Method::POST, "/v1/tickets", &token, json, "{ not json", 400),
        (Method::POST, "/v1/tickets", &token, json, "[]", 422),
        (Method::POST, "/v1/tickets", &token, json, "{\"subject\":7,\"description\":\"x\"}", 422),
        (Method::POST, "/v1/tickets", &token, "text/plain", "{}", 415),
        (
            Method::POST,
            "/v1/auth/sign-in",
            "",
            json,
            "{\"email\":\"admin@acme.example\",\"password\":\"wrong\"}",
            401,
        ),
    ];
    for (method, path, token, kind, body, expected) in cases {
        let mut request =
            desk.http.request(method.clone(), format!("{}{path}", desk.api.url)).body(body.to_owned());
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let response = request.send().await.unwrap();
        let what = format!("{method} {path} {:.20}", body);
        assert_eq!(response.status().as_u16(), expected, "{what}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{what}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["status"], expected, "{what}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn every_wrong_field_is_told_at_once() {
    let desk = Desk::open().await;
    let check = async |body: Value, expected: &[&str]| {
        let response = desk.post("/v1/tickets", &body).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let problem: Value = response.json().await.unwrap();
        let fields: Vec<&str> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| fault["field"].as_str().unwrap())
            .collect();
        assert_eq!(fields, expected, "{problem}");
    };
    check(json!({}), &["subject", "description"]).await;
    check(
        json!({ "subject": " ", "description": 7, "priority": "soon" }),
        &["subject", "description", "priority"],
    )
    .await;
    check(json!({ "subject": "two\nlines", "description": "x" }), &["subject"]).await;
    check(
        json!({ "subject": "x".repeat(201), "description": "x".repeat(20_001) }),
        &["subject", "description"],
    )
    .await;
    check(json!({ "subject": "null \u{0}", "description": "x", "priority": null }), &["subject", "priority"])
        .await;
    // Letters count, not bytes.
    assert_eq!(
        desk.post("/v1/tickets", &json!({ "subject": "ü".repeat(200), "description": "x" })).await.status(),
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again_and_health_is_exempt() {
    let postgres = Postgres::start().await.unwrap();
    let valkey = Valkey::start().await.unwrap();
    let mut environment = environment(&postgres, &valkey);
    environment.retain(|(name, _)| *name != "RATE_LIMIT_MAX_REQUESTS");
    environment.push(("RATE_LIMIT_MAX_REQUESTS", "5".to_owned()));
    environment.push(("RATE_LIMIT_WINDOW_MS", "3600000".to_owned()));
    let api = Program::ready(API, &environment).await.unwrap();
    let http = ops_tests::program::client().unwrap();
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(http.get(format!("{}/v1/tickets", api.url)).send().await.unwrap());
    }
    let codes: Vec<u16> = statuses.iter().map(|response| response.status().as_u16()).collect();
    assert_eq!(codes, [401, 401, 401, 401, 401, 429, 429]);
    assert!(statuses[6].headers().contains_key("retry-after"));
    for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
        assert_eq!(
            http.get(format!("{}{path}", api.url)).send().await.unwrap().status(),
            StatusCode::OK,
            "{path}"
        );
    }
    // Another address, as the balancer tells it.
    let other =
        http.get(format!("{}/v1/tickets", api.url)).header("x-real-ip", "192.0.2.7").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn metrics_count_by_route_and_never_by_address() {
    let desk = Desk::open().await;
    desk.post("/v1/tickets", &ticket("counted")).await;
    desk.get(&format!("/v1/tickets/{}", uuid::Uuid::now_v7())).await;
    let text = desk.http.get(format!("{}/metrics", desk.api.url)).send().await.unwrap().text().await.unwrap();
    for part in [
        "insightdesk_http_requests_total{",
        "route=\"/v1/tickets/{id}\"",
        "insightdesk_db_pool_size{state=\"max\"}",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_wrong_environment_is_reported_whole_and_ends_with_78() {
    let environment = [
        ("NODE_ENV", "test".to_owned()),
        ("DATABASE_URL", "mysql://u:hunter2@localhost/x".to_owned()),
        ("JWT_SECRET", "short".to_owned()),
    ];
    let (code, said) = Program::run(API, &environment).unwrap();
    assert_eq!(code, Some(78), "{said}");
    for variable in ["DATABASE_URL", "VALKEY_URL", "JWT_SECRET", "JWT_REFRESH_SECRET"] {
        assert!(said.contains(variable), "{variable} is not in\n{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}
