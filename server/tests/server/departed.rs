//! People who leave: exactly what they could know is to be renewed, and the list closes itself.

use ops_contract::{Role, SecretSource, SecretSpec};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::findings::{config, read};
use crate::harness::{Server, sqlite};

/// `KEY`, `OTHER` and `TRAP`, and three that can be renewed: `STORED` of tier 0, `OWNED` of whom the admin is owner, `OLD`.
async fn server(folder: &TempDir) -> Server {
    let mut config = config(&sqlite(folder), folder);
    let spec = || SecretSpec::new(SecretSource::EncryptedFile);
    config.stack.secrets.insert("STORED".to_owned(), SecretSpec { tier: 0, on_departure: true, ..spec() });
    config.stack.secrets.insert("OLD".to_owned(), spec());
    config
        .stack
        .secrets
        .insert("OWNED".to_owned(), SecretSpec { owner: Some("admin".to_owned()), tier: 2, ..spec() });
    Server::start_on(config).await
}

async fn set(server: &Server, name: &str, value: &str) {
    let ask = server.ask(Role::Admin, Method::PUT, &format!("/api/secrets/{name}"));
    let answer = ask.json(&json!({ "value": value, "reason": "a test" })).send().await.unwrap();
    assert!(answer.status().is_success(), "{name}: {}", answer.status());
}

async fn depart(server: &Server, role: Role, body: Value) -> (u16, Value) {
    let ask = server.ask(role, Method::POST, "/api/secrets/departed").json(&body);
    let answer = ask.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

/// Each line of somebody's work: the secret, and whether it is done.
fn work(departure: &Value) -> Vec<(String, bool)> {
    let line = |it: &Value| (it["secret"].as_str().unwrap().to_owned(), !it["closed_at"].is_null());
    departure["work"].as_array().unwrap().iter().map(line).collect()
}

async fn of_admin(server: &Server) -> Value {
    let view = server.get("/api/secrets").await;
    let all = view["departures"].as_array().unwrap();
    all.iter().find(|it| it["person"] == "admin").unwrap().clone()
}

#[tokio::test]
async fn the_list_names_exactly_what_they_could_know_and_closes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder).await;
    for name in ["STORED", "OLD"] {
        set(&server, name, "first").await;
    }
    for name in ["STORED", "OLD", "KEY"] {
        assert_eq!(read(&server, Role::Admin, name).await, 200);
    }
    read(&server, Role::Viewer, "OTHER").await;
    set(&server, "OLD", "renewed since it was read").await;
    assert_eq!(depart(&server, Role::Operator, json!({ "person": "admin" })).await.0, 403);
    let (status, departure) = depart(&server, Role::Admin, json!({ "person": "admin" })).await;
    assert_eq!(status, 200);
    let open = |name: &str| (name.to_owned(), false);
    assert_eq!(work(&departure), [open("STORED"), open("KEY"), open("OWNED")], "{departure:#}");
    assert!(departure["work"][0]["why"].as_str().unwrap().contains("(audit entry "));
    let view = server.get("/api/secrets").await;
    let stored = view["secrets"].as_array().unwrap().iter().find(|it| it["name"] == "STORED").unwrap();
    assert_eq!(stored["state"], "overdue", "{stored:#}");

    set(&server, "STORED", "second").await;
    set(&server, "OWNED", "second").await;
    let done = |name: &str| (name.to_owned(), true);
    assert_eq!(work(&of_admin(&server).await), [done("STORED"), open("KEY"), done("OWNED")]);
    let view = server.get("/api/secrets").await;
    let stored = view["secrets"].as_array().unwrap().iter().find(|it| it["name"] == "STORED").unwrap();
    assert_eq!(stored["state"], "ok", "{stored:#}");

    server.stop().await;
    let server = self::server(&folder).await;
    assert_eq!(
        work(&of_admin(&server).await),
        [done("STORED"), open("KEY"), done("OWNED")],
        "after a restart"
    );
    // Whoever reads it again knows it again.
    assert_eq!(read(&server, Role::Admin, "STORED").await, 200);
    assert_eq!(work(&of_admin(&server).await), [open("STORED"), open("KEY"), done("OWNED")]);
    let critical = async |it: &Server| {
        let ask = it.ask(Role::Admin, Method::GET, "/api/audit/findings?open=true");
        let found: Value = ask.send().await.unwrap().json().await.unwrap();
        let mut found = found["items"].as_array().unwrap().iter().map(|it| it["finding"].clone());
        found.find(|it| it["key"].as_str().unwrap().starts_with("R8.departed|admin|STORED|"))
    };
    let found = server.eventually("R8", critical).await;
    assert_eq!(found["severity"], "critical");
    server.stop().await;
}

#[tokio::test]
async fn an_earlier_time_counts_and_it_is_an_entry_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder).await;
    read(&server, Role::Admin, "KEY").await;
    let long_ago = 1_600_000_000_000_000_i64;
    let (status, departure) =
        depart(&server, Role::Admin, json!({ "person": " alice ", "at": long_ago })).await;
    assert_eq!((status, &departure["person"], &departure["at"]), (200, &json!("alice"), &json!(long_ago)));
    assert_eq!(work(&departure), []);
    let entries =
        server.ask(Role::Admin, Method::GET, "/api/audit?action=person.departed").send().await.unwrap();
    let entries: Value = entries.json().await.unwrap();
    assert_eq!(
        (&entries["entries"][0]["actor"], &entries["entries"][0]["subject"]),
        (&json!("admin"), &json!("alice"))
    );
    server.stop().await;
}

#[tokio::test]
async fn rubbish_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder).await;
    for body in [
        json!({}),
        json!({ "person": "" }),
        json!({ "person": "a".repeat(129) }),
        json!({ "person": "a\u{7}" }),
        json!({ "person": "alice", "at": i64::MAX }),
        json!({ "person": "alice", "at": -1 }),
        json!({ "person": "alice", "at": "yesterday" }),
        json!({ "person": ["alice"] }),
    ] {
        assert_eq!(depart(&server, Role::Admin, body.clone()).await.0, 422, "{body}");
    }
    assert_eq!(server.get("/api/secrets").await["departures"], json!([]));
    server.stop().await;
}
