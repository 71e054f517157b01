//! Keys of tokens are renewed under load, on the whole stack: no valid token is refused at any moment.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ops_tests::node::Node;
use ops_tests::{System, eventually};
use reqwest::Method;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(150);
/// Requests at once.
const WORKERS: usize = 4;

const STACK: &str = r#"
[stack]
name = "renewal"
environment = "test"

[server]
listen = "127.0.0.1:FREE_PORT_1"

[postgres.main]
development = true
port = FREE_PORT_2
database = "insightdesk"
user = "insightdesk"

[valkey.main]
development = true
port = FREE_PORT_4

[balancer]
port = FREE_PORT_5

[secrets.JWT_SECRET]
from = "generated"
rotation = "jwt"
previous = "JWT_SECRET_PREVIOUS"
grace = "1h"

[secrets.JWT_REFRESH_SECRET]
from = "generated"

[env]
NODE_ENV = "test"
DATABASE_URL = "${postgres.main.url}"
VALKEY_URL = "${valkey.main.url}"
RATE_LIMIT_MAX_REQUESTS = "10000000"
SEED = "1"

[services.api]
run = ["BIN/insightdesk-api"]
route = "/"
replicas = { min = 2, max = 4 }
depends_on = ["postgres.main", "valkey.main"]
secrets = ["JWT_SECRET", "JWT_REFRESH_SECRET"]
health = { path = "/health/ready", live_path = "/health/live", interval = "500ms" }

[services.realtime]
run = ["BIN/insightdesk-realtime"]
route = "/socket.io/"
replicas = { min = 2, max = 4 }
depends_on = ["postgres.main", "valkey.main"]
secrets = ["JWT_SECRET", "JWT_REFRESH_SECRET"]
health = { path = "/health/ready", live_path = "/health/live", interval = "500ms" }
"#;

/// What the load saw.
#[derive(Default)]
struct Seen {
    good: AtomicU64,
    refused: AtomicU64,
    /// Answers other than good and 401, and no answers, in words.
    other: Mutex<Vec<String>>,
    tokens: Mutex<Vec<String>>,
    stop: AtomicBool,
}

async fn sign_in(http: &reqwest::Client, api: &str) -> Result<String, String> {
    let credentials = json!({ "email": "admin@acme.example", "password": "insightdesk-dev" });
    let answer = http.post(format!("{api}/v1/auth/sign-in")).json(&credentials).send().await;
    let answer = answer.map_err(|error| format!("sign-in: {error:?}"))?;
    let status = answer.status();
    let body: Value = answer.json().await.map_err(|error| format!("sign-in: {status} {error:?}"))?;
    body["accessToken"].as_str().map(str::to_owned).ok_or_else(|| format!("sign-in: {status} {body}"))
}

async fn is_good(http: &reqwest::Client, api: &str, token: &str) -> Result<bool, String> {
    let answer = http.get(format!("{api}/v1/tickets?limit=1")).bearer_auth(token).send().await;
    match answer.map(|it| it.status().as_u16()) {
        Ok(200) => Ok(true),
        Ok(401) => Ok(false),
        Ok(status) => Err(format!("answered {status}")),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// Uses every token there is, in turn, and goes on.
async fn use_tokens(seen: Arc<Seen>, http: reqwest::Client, api: String, from: usize) {
    let mut turn = from;
    while !seen.stop.load(Ordering::Relaxed) {
        let token = {
            let tokens = seen.tokens.lock().unwrap();
            tokens[turn % tokens.len()].clone()
        };
        turn += 1;
        match is_good(&http, &api, &token).await {
            Ok(true) => drop(seen.good.fetch_add(1, Ordering::Relaxed)),
            Ok(false) => drop(seen.refused.fetch_add(1, Ordering::Relaxed)),
            Err(error) => seen.other.lock().unwrap().push(error),
        }
    }
}

/// Signs in again and again, by whichever replica answers.
async fn issue_tokens(seen: Arc<Seen>, http: reqwest::Client, api: String) {
    while !seen.stop.load(Ordering::Relaxed) {
        match sign_in(&http, &api).await {
            Ok(token) => seen.tokens.lock().unwrap().push(token),
            Err(error) => seen.other.lock().unwrap().push(error),
        }
    }
}

async fn phase(system: &System) -> Value {
    let page: Value = system.get("/api/secret-rotations").await.unwrap();
    page["items"][0].clone()
}

async fn becomes(system: &System, wanted: &str) -> Value {
    let found =
        eventually(PATIENCE, async || Some(phase(system).await).filter(|it| it["phase"] == wanted)).await;
    match found {
        Some(it) => it,
        None => panic!("not {wanted}: {}", phase(system).await),
    }
}

async fn sockets_take(system: &System, token: &str) {
    for slot in 0..2 {
        let port = system.replica("realtime", slot).await.unwrap().state.port.unwrap();
        let mut socket = Node::start("sockets.mjs", &[&format!("http://127.0.0.1:{port}"), token]).unwrap();
        socket.wait_for(|line| line["event"] == "connect").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_tokens_is_renewed_under_load_and_no_valid_token_is_refused() {
    let system = System::start(STACK).await.unwrap();
    let api = system.up["api"].as_str().unwrap().to_owned();
    let http = system.http.clone();
    // nginx learns of the replicas a moment after they are ready.
    let before = eventually(PATIENCE, async || sign_in(&http, &api).await.ok()).await.unwrap();
    let generations = async || {
        let mut all = Vec::new();
        for (service, slot) in [("api", 0), ("api", 1), ("realtime", 0), ("realtime", 1)] {
            all.push(system.replica(service, slot).await.unwrap().state.generation);
        }
        all
    };
    assert_eq!(generations().await, [1, 1, 1, 1]);

    let seen = Arc::new(Seen::default());
    seen.tokens.lock().unwrap().push(before.clone());
    let mut load = vec![tokio::spawn(issue_tokens(seen.clone(), http.clone(), api.clone()))];
    for worker in 0..WORKERS {
        load.push(tokio::spawn(use_tokens(seen.clone(), http.clone(), api.clone(), worker)));
    }
    let begun = system.post("/api/secrets/JWT_SECRET/rotate", json!({ "reason": "a test" })).await.unwrap();
    assert_eq!(begun["phase"], "prepare");
    let overlap = becomes(&system, "overlap").await;
    assert_eq!(generations().await, [3, 3, 3, 3], "each was restarted twice");
    // All that is asked now is answered by those who have the new value.
    let after = sign_in(&http, &api).await.unwrap();
    let good = seen.good.load(Ordering::Relaxed);
    eventually(PATIENCE, async || (seen.good.load(Ordering::Relaxed) > good + 50).then_some(()))
        .await
        .unwrap();
    seen.stop.store(true, Ordering::Relaxed);
    for it in load {
        it.await.unwrap();
    }
    let (good, refused) = (seen.good.load(Ordering::Relaxed), seen.refused.load(Ordering::Relaxed));
    let other = seen.other.lock().unwrap().clone();
    let issued = seen.tokens.lock().unwrap().len();
    println!("{good} requests with {issued} tokens: {refused} refused, {} failed {other:?}", other.len());
    assert_eq!(refused, 0, "valid tokens were refused");
    assert!(other.is_empty(), "{other:?}");
    assert!(good > 100 && issued > 5, "{good} {issued}");
    assert_eq!(
        (is_good(&http, &api, &before).await, is_good(&http, &api, &after).await),
        (Ok(true), Ok(true))
    );
    for token in [&before, &after] {
        sockets_take(&system, token).await;
    }
    assert!(overlap["until"].is_i64() || overlap["until"].is_string(), "{overlap}");

    // The key is another: who has read it before cannot sign with it any more, once its grace is over.
    system.post("/api/secrets/JWT_SECRET/rotate/end-grace", json!({ "reason": "a test" })).await.unwrap();
    becomes(&system, "done").await;
    assert_eq!(generations().await, [4, 4, 4, 4]);
    assert_eq!(
        (is_good(&http, &api, &before).await, is_good(&http, &api, &after).await),
        (Ok(false), Ok(true))
    );

    let answer = system.send(Method::GET, "/api/audit?limit=200&action=secret", None).await.unwrap();
    let entries = answer.json::<Value>().await.unwrap()["entries"].as_array().unwrap().clone();
    let of = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let mut story: Vec<String> = entries
        .iter()
        .filter(|it| it["subject"] == "JWT_SECRET" && it["action"] != "secret.read")
        .map(|it| of(it, "action"))
        .collect();
    story.reverse();
    let told = [
        "secret.rotation_began",
        "secret.rotation_prepared",
        "secret.rotation_switched",
        "secret.rotated",
        "secret.grace_ended",
        "secret.previous_dropped",
        "secret.rotation_ended",
    ];
    assert_eq!(story, told);
    for phase in ["spread", "switch", "drop"] {
        for replica in ["api/0", "api/1", "realtime/0", "realtime/1"] {
            let read = entries.iter().any(|it| {
                it["details"]["phase"] == phase
                    && it["details"]["replica"] == replica
                    && it["details"]["rotation"] == begun["id"]
            });
            assert!(read, "{replica} has not read it in {phase}");
        }
    }
    let view: Value = system.get("/api/secrets").await.unwrap();
    let secret = view["secrets"].as_array().unwrap().iter().find(|it| it["name"] == "JWT_SECRET").unwrap();
    assert_eq!(secret["state"], "ok", "{secret}");
    assert!(secret["evidence"].as_str().unwrap().starts_with("audit entry "), "{secret}");
    assert!(secret["consumers"].as_array().unwrap().iter().all(|it| it["is_stale"] == false), "{secret}");
}
