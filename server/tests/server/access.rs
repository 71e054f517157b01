//! Who may do what, and how people get in.

use ops_contract::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Server, token};

/// Route, method, body, and the least role; `None`: agents only.
const ROUTES: &[(&str, &str, &str, Option<Role>)] = &[
    ("GET", "/", "", Some(Role::Viewer)),
    ("GET", "/metrics", "", Some(Role::Viewer)),
    ("GET", "/api/now", "", Some(Role::Viewer)),
    ("GET", "/api/state", "", Some(Role::Viewer)),
    ("GET", "/api/services", "", Some(Role::Viewer)),
    ("GET", "/api/services/api", "", Some(Role::Viewer)),
    ("GET", "/api/services/api/replicas/0/exits", "", Some(Role::Viewer)),
    ("GET", "/api/changes", "", Some(Role::Viewer)),
    ("GET", "/api/decisions", "", Some(Role::Viewer)),
    ("GET", "/api/actions", "", Some(Role::Viewer)),
    ("GET", "/api/queues/valkey.main/email/commands", "", Some(Role::Viewer)),
    ("GET", "/api/tasks", "", Some(Role::Viewer)),
    ("GET", "/api/me", "", Some(Role::Viewer)),
    ("GET", "/api/openapi.json", "", Some(Role::Viewer)),
    ("POST", "/api/services/api/restart", "{}", Some(Role::Operator)),
    ("POST", "/api/services/api/scale", r#"{"replicas":1}"#, Some(Role::Operator)),
    ("POST", "/api/stack/start", "{}", Some(Role::Admin)),
    ("GET", "/api/operators", "", Some(Role::Admin)),
    ("POST", "/api/links", "{}", Some(Role::Admin)),
    ("POST", "/agent/hello", r#"{"host":"h","pid":1,"session":"s"}"#, None),
    ("POST", "/agent/signals", r#"{"signals":[]}"#, None),
    ("POST", "/agent/lease", r#"{"session":"s","wait_ms":0}"#, None),
];

#[tokio::test]
async fn every_route_is_open_to_its_roles_and_to_no_other() {
    let (server, _folder) = Server::fresh().await;
    let tokens = [
        (None, None),
        (Some("wrong".to_owned()), None),
        (Some(token(Role::Viewer)), Some(Role::Viewer)),
        (Some(token(Role::Operator)), Some(Role::Operator)),
        (Some(token(Role::Admin)), Some(Role::Admin)),
        (Some("agent-token".to_owned()), None),
    ];
    for (method, path, body, least) in ROUTES {
        for (token, role) in &tokens {
            let mut request = server.client.request(method.parse().unwrap(), server.at(path));
            if !body.is_empty() {
                request = request.header("content-type", "application/json").body(*body);
            }
            // Wrong tokens are tried at a few doors only: the brake is another test's.
            if token.as_deref() == Some("wrong") && !path.starts_with("/api/s") {
                continue;
            }
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let is_agent = token.as_deref() == Some("agent-token");
            let answer = request.send().await.unwrap();
            let may = match least {
                Some(least) => role.is_some_and(|role| role >= *least),
                None => is_agent,
            };
            let known = role.is_some() || is_agent;
            let status = answer.status();
            match (may, known) {
                (true, _) => assert!(status.is_success(), "{method} {path} {token:?}: {status}"),
                (false, true) => assert_eq!(status, 403, "{method} {path} {token:?}"),
                (false, false) => assert_eq!(status, 401, "{method} {path} {token:?}"),
            }
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_link_signs_in_once_and_only_when_it_is_confirmed() {
    let (server, _folder) = Server::fresh().await;
    let link = server.post("/api/links", json!({})).await;
    let url = link["url"].as_str().unwrap();
    let code = url.split_once("code=").unwrap().1;
    // A preview of the link does not use it up.
    for _ in 0..2 {
        assert_eq!(server.client.get(url).send().await.unwrap().status(), 200);
    }
    let sign_in = || server.client.post(server.at("/login")).form(&[("code", code)]);
    let answer = sign_in().send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(sign_in().send().await.unwrap().status(), 401);

    let cookie = cookie.split(';').next().unwrap();
    let with =
        |method: Method, path: &str| server.client.request(method, server.at(path)).header("cookie", cookie);
    let page = with(Method::GET, "/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");

    let restart = || with(Method::POST, "/api/services/api/restart").json(&json!({}));
    let foreign = restart().header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    assert_eq!(restart().header("sec-fetch-site", "cross-site").send().await.unwrap().status(), 403);
    assert_eq!(restart().send().await.unwrap().status(), 403);
    assert_eq!(restart().header("sec-fetch-site", "same-origin").send().await.unwrap().status(), 202);

    let out = with(Method::POST, "/logout").header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert_eq!(with(Method::GET, "/api/me").send().await.unwrap().status(), 401);
    server.stop().await;
}

#[tokio::test]
async fn a_browser_without_a_session_is_sent_to_sign_in() {
    let (server, _folder) = Server::fresh().await;
    let answer = server.client.get(server.at("/")).header("accept", "text/html,*/*").send().await.unwrap();
    assert_eq!(
        (answer.status(), answer.headers()["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/login")
    );
    let form = server.client.get(server.at("/login")).send().await.unwrap();
    assert_eq!(form.status(), 200);
    let wrong = server.client.post(server.at("/login")).form(&[("token", "no")]).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let right = [("token", token(Role::Viewer))];
    let right = server.client.post(server.at("/login")).form(&right).send().await.unwrap();
    assert_eq!(right.status(), StatusCode::SEE_OTHER);
    server.stop().await;
}

#[tokio::test]
async fn guessing_is_slowed_down_and_known_tokens_still_pass() {
    let (server, _folder) = Server::fresh().await;
    server.get("/api/me").await;
    let mut refused = None;
    for number in 0..40 {
        let answer =
            server.client.get(server.at("/api/me")).bearer_auth(format!("guess-{number}")).send().await;
        let answer = answer.unwrap();
        if answer.status() == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status(), 401);
    }
    let refused = refused.expect("guessing is never refused");
    assert!(refused.headers().contains_key("retry-after"));
    server.get("/api/me").await;
    server.stop().await;
}

#[tokio::test]
async fn a_new_operator_signs_in_with_a_token_that_is_shown_once() {
    let (server, _folder) = Server::fresh().await;
    let added = server.post("/api/operators", json!({"name": "anna", "role": "operator"})).await;
    let token = added["token"].as_str().unwrap();
    assert!(token.starts_with("idk_"));
    let me = server.client.get(server.at("/api/me")).bearer_auth(token).send().await.unwrap();
    assert_eq!(me.json::<serde_json::Value>().await.unwrap(), json!({"name": "anna", "role": "operator"}));
    let again = json!({"name": "anna", "role": "admin"});
    let again = server.ask(Role::Admin, Method::POST, "/api/operators").json(&again).send().await.unwrap();
    assert_eq!(again.status(), 409);
    server.stop().await;
}
