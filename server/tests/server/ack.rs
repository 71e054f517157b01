//! Who looks after an incident says so on its page, or by a link that asks first and works once.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ops_contract::Role;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::Connection;

use crate::harness::{Server, sqlite, token};

const RULES: &str = r#"
groups:
  - name: always
    rules:
      - alert: Broken
        expr: vector(1)
        labels: { severity: critical }
        annotations: { summary: "it is <b>broken</b>" }
"#;

/// A server on which something fires, and the token of the link that its receiver was sent.
struct Paged {
    server: Server,
    folder: tempfile::TempDir,
    link: String,
}

async fn paged() -> Paged {
    let said: Arc<Mutex<String>> = Arc::default();
    let hear = async |State(said): State<Arc<Mutex<String>>>, body: String| {
        *said.lock().unwrap() = body;
        "ok"
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/slack", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/slack", axum::routing::post(hear)).with_state(said.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let routes = format!(
        "route: {{receiver: slack, group_wait: 0s}}\n\
         receivers: [{{name: slack, slack_configs: [{{api_url: '{url}', channel: '#ops'}}]}}]\n"
    );
    let mut config = Server::config(&sqlite(&folder));
    config.series_dir = Some(folder.path().join("series"));
    config.stack.alerts.builtin = false;
    config.stack.alerts.evaluation_interval = std::time::Duration::from_secs(1);
    config.stack.alerts.rules = vec![file("rules.yml", RULES)];
    config.stack.alerts.alertmanager_file = Some(file("alertmanager.yml", &routes));
    let server = Server::start_on(config).await;
    let find = async |_: &Server| {
        let said = said.lock().unwrap();
        let rest = said.split_once("/ack/")?.1;
        rest.split(['"', '|', '>', ')', '\\', ' ']).next().map(str::to_owned)
    };
    let link = server.eventually("the receiver gets a link", find).await;
    Paged { server, folder, link }
}

impl Paged {
    /// What a mail program's look-ahead gets.
    async fn look(&self, token: &str) -> Response {
        self.server.client.get(self.server.at(&format!("/ack/{token}"))).send().await.unwrap()
    }

    async fn use_link(&self, token: &str, reason: &str) -> Response {
        let path = self.server.at(&format!("/ack/{token}"));
        self.server.client.post(path).form(&[("reason", reason)]).send().await.unwrap()
    }

    async fn incident(&self) -> Value {
        self.server.get("/api/incidents").await["living"][0].clone()
    }

    /// A link as the server would make it.
    async fn sign(&self, claim: &str) -> String {
        let mut db = sqlx::AnyConnection::connect(&sqlite(&self.folder)).await.unwrap();
        let key: String = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'ack_key'")
            .fetch_one(&mut db)
            .await
            .unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(claim.as_bytes());
        let sign = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        format!("{}.{sign}", URL_SAFE_NO_PAD.encode(claim))
    }
}

async fn holds(answer: Response, status: u16, words: &str) {
    let (given, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(given, status, "{text}");
    assert!(text.contains(words), "{words} is not in {text}");
}

#[tokio::test]
async fn a_link_asks_first_and_works_once() {
    let it = paged().await;
    for _ in 0..2 {
        let page = it.look(&it.link).await;
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("form-action 'self'"),
            "{policy}"
        );
        holds(page, 200, "it is &lt;b&gt;broken&lt;/b&gt;").await;
    }
    assert_eq!(it.incident().await["state"], "open", "to look changes nothing");

    holds(it.use_link(&it.link, "  ").await, 422, "reason must say").await;
    let path = it.server.at(&format!("/ack/{}", it.link));
    let foreign = it.server.client.post(path).header("sec-fetch-site", "cross-site");
    assert_eq!(foreign.form(&[("reason", "theirs")]).send().await.unwrap().status(), 403);
    assert_eq!(it.use_link(&it.link, &"x".repeat(20_000)).await.status(), 413);
    assert_eq!(it.incident().await["state"], "open", "and the link is still good");

    holds(it.use_link(&it.link, "the disk is swapped").await, 200, "You look after it").await;
    let acknowledged = it.incident().await;
    assert_eq!(acknowledged["state"], "acknowledged");
    let ack = &acknowledged["acknowledgement"];
    assert_eq!((&ack["by"], &ack["reason"]), (&json!("link"), &json!("the disk is swapped")));

    holds(it.use_link(&it.link, "again").await, 410, "used already").await;
    holds(it.look(&it.link).await, 410, "used already").await;
    assert_eq!(it.incident().await, acknowledged);
    it.server.stop().await;
}

#[tokio::test]
async fn two_who_use_a_link_at_once_do_not_both_have_it() {
    let it = paged().await;
    let (one, two) = tokio::join!(it.use_link(&it.link, "one"), it.use_link(&it.link, "two"));
    let mut answers = [one.status().as_u16(), two.status().as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [200, 410]);
    it.server.stop().await;
}

#[tokio::test]
async fn a_link_that_is_too_old_or_not_ours_changes_nothing() {
    let it = paged().await;
    let id = it.incident().await["id"].as_str().unwrap().to_owned();
    let old = it.sign(&format!("{id}~1700000000~n")).await;
    let nowhere = it.sign("gone~99999999999~n").await;
    for (token, status, words) in [
        (old.as_str(), 410, "too old"),
        (&nowhere, 410, "too old"),
        (&it.link[1..], 404, "no link of ours"),
        ("a.b", 404, "no link of ours"),
        ("%00%F0%9F%94%A5<b>", 404, "no link of ours"),
        (&"x".repeat(2_000), 404, "no link of ours"),
    ] {
        holds(it.look(token).await, status, words).await;
        holds(it.use_link(token, "rubbish").await, status, words).await;
    }
    assert_eq!(it.look("%FF").await.status(), 404);
    assert_eq!(it.incident().await["state"], "open");
    it.server.stop().await;
}

#[tokio::test]
async fn the_form_of_a_page_acknowledges_for_operators_and_from_our_own_pages_only() {
    let it = paged().await;
    let id = it.incident().await["id"].as_str().unwrap().to_owned();
    let page = it.server.ask(Role::Viewer, Method::GET, "/incidents").send().await.unwrap();
    holds(page, 200, &format!("action=\"/incidents/{id}/ack\"")).await;
    let one = it.server.ask(Role::Viewer, Method::GET, &format!("/incidents/{id}")).send().await.unwrap();
    holds(one, 200, "it is &lt;b&gt;broken&lt;/b&gt;").await;
    let told = it.server.ask(Role::Viewer, Method::GET, "/notifications").send().await.unwrap();
    holds(told, 200, "slack/0").await;
    for wrong in ["/incidents/nothing", "/incidents?before=rubbish", "/notifications?limit=x"] {
        let request = it.server.ask(Role::Viewer, Method::GET, wrong).header("accept", "text/html");
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_client_error(), "{wrong}");
        assert!(answer.text().await.unwrap().starts_with("<!DOCTYPE html>"), "{wrong}");
    }

    let path = format!("/incidents/{id}/ack");
    let form = [("reason", "on it"), ("for_s", "1800")];
    let viewer = it.server.ask(Role::Viewer, Method::POST, &path).form(&form).send().await.unwrap();
    assert_eq!(viewer.status(), 403);
    let sign_in = [("token", token(Role::Operator))];
    let session = it.server.client.post(it.server.at("/login")).form(&sign_in).send().await.unwrap();
    let cookie = session.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let post = |site: &str| {
        let request = it.server.client.post(it.server.at(&path)).header("cookie", &cookie);
        request.header("sec-fetch-site", site)
    };
    assert_eq!(post("cross-site").form(&form).send().await.unwrap().status(), 403);
    assert_eq!(post("same-origin").form(&[("reason", " ")]).send().await.unwrap().status(), 422);
    assert_eq!(post("same-origin").body("rubbish").send().await.unwrap().status(), 400);
    assert_eq!(it.incident().await["state"], "open");
    let done = post("same-origin").form(&form).send().await.unwrap();
    assert_eq!(
        (done.status(), &done.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/incidents".parse().unwrap())
    );
    let acknowledged = it.incident().await;
    assert_eq!(acknowledged["acknowledgement"]["by"], "operator");
    it.server.stop().await;
}
