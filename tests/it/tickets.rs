//! The product's own flow on the whole stack: PostgreSQL with a streaming replica, Valkey, API ×2, WebSocket ×2, worker.

use std::time::Duration;

use ops_contract::{DependencyStatus, Tone};
use ops_tests::node::Node;
use ops_tests::system::{kill, kill_family};
use ops_tests::{System, eventually, free_port};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::sinks::Sinks;

const STACK: &str = r#"
[stack]
name = "tickets"
environment = "test"

[server]
listen = "127.0.0.1:FREE_PORT_1"

[postgres.main]
development = true
port = FREE_PORT_2
replicas = 1
database = "insightdesk"
user = "insightdesk"

[valkey.main]
development = true
port = FREE_PORT_4

[balancer]
port = FREE_PORT_5

[secrets.JWT_SECRET]
from = "generated"

[secrets.JWT_REFRESH_SECRET]
from = "generated"

[env]
NODE_ENV = "test"
DATABASE_URL = "${postgres.main.url}"
DATABASE_REPLICA_URL = "${postgres.main.replica_url}"
VALKEY_URL = "${valkey.main.url}"
RATE_LIMIT_MAX_REQUESTS = "100000"
OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:SINK"
SENTRY_DSN = "http://public@127.0.0.1:SINK/1"
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

[services.worker]
run = ["BIN/insightdesk-worker"]
role = "background"
replicas = { min = 1, max = 3 }
depends_on = ["postgres.main", "valkey.main"]
secrets = ["JWT_SECRET", "JWT_REFRESH_SECRET"]
health = { path = "/health/ready", live_path = "/health/live", interval = "500ms" }
"#;

struct Desk {
    system: System,
    sinks: Sinks,
    api: String,
    token: String,
}

impl Desk {
    async fn open() -> Self {
        let sink = free_port().unwrap();
        let sinks = Sinks::start(sink).await;
        let system = System::start(&STACK.replace("SINK", &sink.to_string())).await.unwrap();
        let api = system.up["api"].as_str().expect("`up --detach` prints the API's address").to_owned();
        let mut desk = Self { system, sinks, api, token: String::new() };
        let credentials = json!({ "email": "admin@acme.example", "password": "insightdesk-dev" });
        // nginx learns of the replicas a moment after they are ready.
        let serves = async || {
            let answer = desk.system.http.get(format!("{}/health", desk.api)).send().await.ok()?;
            (answer.status() != 502).then_some(())
        };
        eventually(Duration::from_secs(20), serves).await.expect("the balancer serves");
        let answer = desk.call("/v1/auth/sign-in", credentials).await;
        desk.token =
            answer["accessToken"].as_str().unwrap_or_else(|| panic!("no token in {answer}")).to_owned();
        desk
    }

    async fn call(&self, path: &str, body: Value) -> Value {
        let request =
            self.system.http.post(format!("{}{path}", self.api)).bearer_auth(&self.token).json(&body);
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path} answered {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn post_ticket(&self, subject: &str) -> Value {
        self.call(
            "/v1/tickets",
            json!({ "subject": subject, "description": "it does not work", "priority": "high" }),
        )
        .await
    }

    async fn port(&self, service: &str, slot: u16) -> u16 {
        self.system.replica(service, slot).await.unwrap().state.port.unwrap()
    }
}

#[tokio::test]
async fn a_ticket_reaches_sockets_on_every_replica_as_one_trace() {
    let desk = Desk::open().await;
    let mut sockets = Vec::new();
    for slot in 0..2 {
        let url = format!("http://127.0.0.1:{}", desk.port("realtime", slot).await);
        let mut socket = Node::start("sockets.mjs", &[&url, &desk.token]).unwrap();
        socket.wait_for(|line| line["event"] == "connect").await.unwrap();
        sockets.push(socket);
    }
    let ticket = desk.post_ticket("Printer on fire").await;
    for socket in &mut sockets {
        let event = socket.wait_for(|line| line["event"] == "ticket:created").await.unwrap();
        assert!(event.to_string().contains(ticket["id"].as_str().unwrap()), "{event}");
    }
    let whole = eventually(Duration::from_secs(30), async || {
        desk.sinks.traces().into_values().find(|spans| {
            ["insightdesk-api", "insightdesk-worker", "insightdesk-realtime"]
                .iter()
                .all(|name| spans.iter().any(|span| span.service == *name))
        })
    })
    .await;
    let whole = whole.unwrap_or_else(|| panic!("no trace spans all three: {:#?}", desk.sinks.traces()));
    println!("{:?}", whole.iter().map(|span| format!("{} {}", span.service, span.name)).collect::<Vec<_>>());
}

#[tokio::test]
async fn npm_bullmq_and_our_programs_share_the_queues() {
    let desk = Desk::open().await;
    let valkey = desk.system.replica("valkey-main", 0).await.unwrap().state.port.unwrap().to_string();
    let options = json!({ "attempts": 3, "backoff": { "type": "exponential", "delay": 100 } }).to_string();
    let ticket = desk.post_ticket("From npm").await;
    let data = json!({ "ticketId": ticket["id"], "organisationId": ticket["organisationId"], "event": "ticket:updated" }).to_string();
    let node = Node::start(
        "bull_add.mjs",
        &[&valkey, "ticket-notification", "ticket-notification", &data, &options],
    )
    .unwrap();
    let ended = node.finish().await.unwrap();
    assert_eq!(ended[0]["failed"], Value::Null, "{ended:?}");
    assert_eq!(ended[0]["attemptsMade"], 1, "{ended:?}");

    desk.system.post("/api/services/worker/restart", json!({ "reason": "test" })).await.unwrap();
    desk.system.replica_becomes("worker", 0, |it| it.state.generation == 2).await.unwrap();
    let worker = desk.system.replica("worker", 0).await.unwrap().state.pid.unwrap();
    kill(worker, Signal::STOP);
    let mut npm = Node::start("bull_work.mjs", &[&valkey, "ticket-notification"]).unwrap();
    npm.wait_for(|line| line["ready"] == true).await.unwrap();
    let ticket = desk.post_ticket("For npm").await;
    let ran = npm.wait_for(|line| line["ran"] == "ticket-notification").await;
    kill(worker, Signal::CONT);
    let ran = ran.unwrap();
    assert_eq!(ran["data"]["ticketId"], ticket["id"], "{ran}");
    assert_eq!(ran["opts"]["backoff"]["type"], "exponential", "{ran}");
}

#[tokio::test]
async fn when_postgresql_stops_nothing_is_restarted_and_the_verdict_names_it() {
    let desk = Desk::open().await;
    let before = desk.system.pids().await.unwrap();
    let postgres = desk.system.replica("postgres-main", 0).await.unwrap().state.pid.unwrap();
    // A frozen server answers nobody, and is the worst case: nothing is refused.
    kill_family(postgres, Signal::STOP);
    let verdict = eventually(Duration::from_secs(30), async || {
        let now = desk.system.now().await.ok()?;
        (now.verdict.root.as_deref() == Some("postgres.main")).then_some(now.verdict)
    })
    .await;
    let verdict = match verdict {
        Some(verdict) => verdict,
        None => panic!("{:?}", desk.system.now().await.unwrap().verdict),
    };
    println!("{}", verdict.sentence);
    assert!(matches!(verdict.tone, Tone::Down | Tone::Degraded | Tone::Unknown));
    assert!(verdict.sentence.contains("PostgreSQL"), "{}", verdict.sentence);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(desk.system.pids().await.unwrap(), before, "no replica was restarted");
    kill_family(postgres, Signal::CONT);
    desk.system.serves().await.unwrap();
    assert_eq!(desk.system.pids().await.unwrap(), before);

    let mut secrets = Vec::new();
    for name in ["JWT_SECRET", "JWT_REFRESH_SECRET"] {
        let read = desk.system.cli(&["secrets", "read", name, "--reason", "to look for it"]).unwrap();
        let value = String::from_utf8(read.stdout).unwrap().trim().to_owned();
        assert!(value.len() >= 43, "{name} was read");
        secrets.push(value);
    }
    for envelope in desk.sinks.envelopes() {
        let text = String::from_utf8_lossy(&envelope);
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "a secret went to Sentry");
    }
}

#[tokio::test]
async fn when_postgresql_is_shut_down_it_stays_down_is_named_and_comes_back_by_hand() {
    let desk = Desk::open().await;
    let others = async || {
        let pids = desk.system.pids().await.unwrap();
        pids.into_iter().filter(|(name, _)| name != "postgres-main/0").collect::<Vec<_>>()
    };
    let before = others().await;
    kill(desk.system.replica("postgres-main", 0).await.unwrap().state.pid.unwrap(), Signal::INT);
    let verdict = eventually(Duration::from_secs(20), async || {
        let verdict = desk.system.now().await.ok()?.verdict;
        (verdict.root.as_deref() == Some("postgres.main") && verdict.affected.contains(&"api".to_owned()))
            .then_some(verdict)
    })
    .await
    .expect("the verdict names the store and what stands on it");
    println!("{}", verdict.sentence);
    assert!(verdict.sentence.starts_with("PostgreSQL main is down"), "{}", verdict.sentence);
    assert!(!verdict.affected.iter().any(|it| it == "postgres-main"), "told twice: {:?}", verdict.affected);
    assert_eq!(others().await, before, "no replica was restarted");

    desk.system.post("/api/services/postgres-main/restart", json!({ "reason": "test" })).await.unwrap();
    desk.system.replica_becomes("postgres-main", 0, |it| it.state.generation == 2).await.unwrap();
    desk.system.serves().await.unwrap();
    assert_eq!(others().await, before);

    let big = "x".repeat(2 << 20);
    let request = desk.system.http.post(format!("{}/v1/tickets", desk.api)).bearer_auth(&desk.token);
    let refused = request.header("content-type", "application/json").body(big).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 413);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn the_replica_streams_and_is_watched() {
    let desk = Desk::open().await;
    let now = desk.system.now().await.unwrap();
    let names: Vec<&str> = now.dependencies.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["postgres.main", "postgres.main.replica-0", "valkey.main"]);
    assert!(
        now.dependencies.iter().all(|(_, state)| state.status == DependencyStatus::Up),
        "{:?}",
        now.dependencies
    );
    assert_eq!(now.verdict.tone, Tone::Serving);
    let ticket = desk.post_ticket("Read me from the replica").await;
    let path = format!("{}/v1/tickets/{}", desk.api, ticket["id"].as_str().unwrap());
    let read = desk.system.http.get(path).bearer_auth(&desk.token).send().await.unwrap();
    assert!(read.status().is_success());
}

#[tokio::test]
async fn no_request_and_no_job_is_lost_over_a_restart_of_everything() {
    let desk = Desk::open().await;
    let before = desk.system.pids().await.unwrap();
    let poster = async {
        let mut ids = Vec::new();
        for number in 0..200 {
            ids.push(desk.post_ticket(&format!("steady {number}")).await["id"].as_str().unwrap().to_owned());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ids
    };
    let restarts = async {
        for service in ["api", "worker"] {
            desk.system
                .post(&format!("/api/services/{service}/restart"), json!({ "reason": "test" }))
                .await
                .unwrap();
        }
        for (name, pid) in
            before.iter().filter(|(name, _)| name.starts_with("api/") || name.starts_with("worker/"))
        {
            let (service, slot) = name.split_once('/').unwrap();
            desk.system.replaced(service, slot.parse().unwrap(), *pid).await.unwrap();
        }
    };
    let (ids, ()) = tokio::join!(poster, restarts);
    assert_eq!(ids.len(), 200);
    let valkey = desk.system.replica("valkey-main", 0).await.unwrap().state.port.unwrap();
    let client = redis::Client::open(format!("redis://127.0.0.1:{valkey}")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let done = eventually(Duration::from_secs(30), async || {
        let (wait, active, failed): (u64, u64, u64) = redis::pipe()
            .cmd("LLEN")
            .arg("bull:ticket-notification:wait")
            .cmd("LLEN")
            .arg("bull:ticket-notification:active")
            .cmd("ZCARD")
            .arg("bull:ticket-notification:failed")
            .query_async(&mut connection)
            .await
            .ok()?;
        let prioritized: u64 = redis::cmd("ZCARD")
            .arg("bull:ticket-notification:prioritized")
            .query_async(&mut connection)
            .await
            .ok()?;
        (wait + active + prioritized == 0).then_some(failed)
    })
    .await;
    assert_eq!(done, Some(0), "all notification jobs ran and none failed");
}
