//! The API against a real PostgreSQL with a streaming replica and a real Valkey.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod drain;
mod refusals;
mod stores;

use std::sync::Arc;

use ops_tests::program::{Program, client};
use ops_tests::stores::{Postgres, Valkey};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

/// The program under test.
pub(crate) const API: &str = env!("CARGO_BIN_EXE_insightdesk-api");

/// An API with its stores, and somebody who signed in.
pub(crate) struct Desk {
    pub(crate) postgres: Postgres,
    pub(crate) valkey: Valkey,
    pub(crate) api: Program,
    pub(crate) http: Client,
    pub(crate) token: Arc<str>,
}

/// What the API is told in these tests.
pub(crate) fn environment(postgres: &Postgres, valkey: &Valkey) -> Vec<(&'static str, String)> {
    vec![
        ("NODE_ENV", "test".to_owned()),
        ("DATABASE_URL", postgres.url()),
        ("DATABASE_REPLICA_URL", postgres.replica_url()),
        ("VALKEY_URL", valkey.url()),
        ("JWT_SECRET", "an-access-secret-of-these-tests-only-4711".to_owned()),
        ("JWT_REFRESH_SECRET", "a-refresh-secret-of-these-tests-only-0815".to_owned()),
        ("RATE_LIMIT_MAX_REQUESTS", "1000000".to_owned()),
        ("LOG_LEVEL", "warn".to_owned()),
        ("SEED", "1".to_owned()),
    ]
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(Postgres::start().await.unwrap()).await
    }

    pub(crate) async fn open_with(postgres: Postgres) -> Self {
        let valkey = Valkey::start().await.unwrap();
        let api = Program::ready(API, &environment(&postgres, &valkey)).await.unwrap();
        let http = client().unwrap();
        let mut desk = Self { postgres, valkey, api, http, token: "".into() };
        desk.token = desk.sign_in("admin@acme.example").await;
        desk
    }

    pub(crate) async fn sign_in(&self, email: &str) -> Arc<str> {
        let credentials = json!({ "email": email, "password": "insightdesk-dev" });
        // The schema is there before the people are.
        let session = ops_tests::eventually(std::time::Duration::from_secs(20), async || {
            let answer = self
                .http
                .post(format!("{}/v1/auth/sign-in", self.api.url))
                .json(&credentials)
                .send()
                .await
                .ok()?;
            (answer.status() == StatusCode::OK).then_some(answer.json::<Value>().await.ok()?)
        });
        session.await.expect("signs in")["accessToken"].as_str().unwrap().into()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.http
            .post(format!("{}{path}", self.api.url))
            .bearer_auth(&self.token)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.api.url)).bearer_auth(&self.token).send().await.unwrap()
    }

    pub(crate) async fn create(&self, subject: &str) -> Value {
        let answer = self.post("/v1/tickets", &ticket(subject)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json().await.unwrap()
    }
}

pub(crate) fn ticket(subject: &str) -> Value {
    json!({ "subject": subject, "description": "it does not work", "priority": "high" })
}

#[tokio::test]
async fn a_ticket_is_written_read_answered_and_settled() {
    let desk = Desk::open().await;
    let ticket = desk.create("Printer on fire").await;
    let path = format!("/v1/tickets/{}", ticket["id"].as_str().unwrap());
    assert_eq!(ticket["status"], "open");

    let answer = desk.post(&format!("{path}/messages"), &json!({ "body": "Use the extinguisher." })).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let settle = desk.http.patch(format!("{}{path}", desk.api.url)).bearer_auth(&desk.token);
    let settled: Value =
        settle.json(&json!({ "status": "closed" })).send().await.unwrap().json().await.unwrap();
    assert_eq!(settled["status"], "closed");
    let answer = desk.post(&format!("{path}/messages"), &json!({ "body": "Too late." })).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);

    let read: Value = desk.get(&path).await.json().await.unwrap();
    assert_eq!(read["messages"].as_array().unwrap().len(), 1);
    assert_eq!(read["messages"][0]["body"], "Use the extinguisher.");
    assert_eq!(read["status"], "closed");
}

#[tokio::test]
async fn pages_hold_every_ticket_once_newest_first() {
    let desk = Desk::open().await;
    for number in 0..7 {
        desk.create(&format!("number {number}")).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: Value = desk.get(&format!("/v1/tickets?limit=4{cursor}")).await.json().await.unwrap();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|ticket| ticket["id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    // Three were seeded.
    assert_eq!(seen.len(), 10);
    assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
}

#[tokio::test]
async fn tenants_and_customers_see_only_what_is_theirs() {
    let mut desk = Desk::open().await;
    let path = format!("/v1/tickets/{}", desk.create("Ours").await["id"].as_str().unwrap());
    for stranger in ["admin@globex.example", "customer@acme.example"] {
        desk.token = desk.sign_in(stranger).await;
        assert_eq!(desk.get(&path).await.status(), StatusCode::NOT_FOUND, "{stranger}");
        let reply = desk.post(&format!("{path}/messages"), &json!({ "body": "hello" })).await;
        assert_eq!(reply.status(), StatusCode::NOT_FOUND, "{stranger}");
        let page: Value = desk.get("/v1/tickets").await.json().await.unwrap();
        assert!(
            page["items"].as_array().unwrap().iter().all(|ticket| ticket["subject"] != "Ours"),
            "{stranger}"
        );
    }
    desk.token = desk.sign_in("agent@acme.example").await;
    assert_eq!(desk.get(&path).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_renews_a_session_and_opens_nothing_else() {
    let desk = Desk::open().await;
    let credentials = json!({ "email": "Agent@Acme.example", "password": "insightdesk-dev" });
    let session: Value = desk.post("/v1/auth/sign-in", &credentials).await.json().await.unwrap();
    let renew = json!({ "refreshToken": session["refreshToken"] });
    let renewed: Value = desk.post("/v1/auth/refresh", &renew).await.json().await.unwrap();
    assert_eq!(renewed["user"], session["user"]);
    let wrong = json!({ "refreshToken": session["accessToken"] });
    assert_eq!(desk.post("/v1/auth/refresh", &wrong).await.status(), StatusCode::UNAUTHORIZED);
    let refresh = session["refreshToken"].as_str().unwrap();
    let used =
        desk.http.get(format!("{}/v1/tickets", desk.api.url)).bearer_auth(refresh).send().await.unwrap();
    assert_eq!(used.status(), StatusCode::UNAUTHORIZED);
}
