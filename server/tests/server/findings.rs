//! What is unusual or unauthorised in the record: found at once, told, closed, and each once however many servers look.

use std::collections::BTreeMap;

use ops_contract::{Role, SecretSource, SecretSpec};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Server, sqlite};
use crate::testing::Postgres;

pub(crate) fn config(database: &str, folder: &TempDir) -> ops_server::Config {
    let mut config = Server::config(database);
    config.state_dir = Some(folder.path().to_owned());
    for name in ["KEY", "OTHER", "TRAP"] {
        let source = SecretSource::Env { variable: name.to_owned() };
        let spec = SecretSpec { canary: name == "TRAP", ..SecretSpec::new(source) };
        config.stack.secrets.insert(name.to_owned(), spec);
    }
    config.environment = BTreeMap::from(["KEY", "OTHER", "TRAP"].map(|it| (it.to_owned(), "value".into())));
    // Nobody is used to anything yet: what rests on habits would only be shown.
    config.stack.audit.findings.learning = std::time::Duration::ZERO;
    config.stack.audit.findings.off = ["R1".to_owned()].into();
    config
}

pub(crate) async fn read(server: &Server, role: Role, name: &str) -> u16 {
    let ask = server.ask(role, Method::POST, &format!("/api/secrets/{name}/read"));
    ask.json(&json!({ "reason": "a test" })).send().await.unwrap().status().as_u16()
}

async fn page(server: &Server, query: &str) -> Value {
    let answer = server.ask(Role::Operator, Method::GET, &format!("/api/audit/findings{query}")).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

async fn findings(server: &Server, query: &str) -> Vec<Value> {
    page(server, query).await["items"].as_array().unwrap().clone()
}

/// Waits for a finding whose key begins so.
async fn found(server: &Server, key: &str) -> Value {
    let look = async |it: &Server| {
        let all = findings(it, "?open=true&limit=200").await;
        all.into_iter().find(|it| it["finding"]["key"].as_str().unwrap().starts_with(key))
    };
    server.eventually(key, look).await
}

/// Living alerts on findings.
async fn alerts(server: &Server) -> Vec<Value> {
    let answer = server.ask(Role::Admin, Method::GET, "/alertmanager/api/v2/alerts").send().await.unwrap();
    let all: Vec<Value> = answer.json().await.unwrap();
    all.into_iter().filter(|it| it["labels"]["alertname"] == "SecretFinding").collect()
}

async fn alert(server: &Server, rule: &str) -> Value {
    let look = async |it: &Server| alerts(it).await.into_iter().find(|it| it["labels"]["rule"] == rule);
    server.eventually(rule, look).await
}

async fn close(server: &Server, role: Role, body: Value) -> (u16, Value) {
    let ask = server.ask(role, Method::POST, "/api/audit/findings/close").json(&body);
    let answer = ask.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn somebody_who_tries_again_and_again_is_found_and_told_of_with_the_entries_that_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_on(config(&sqlite(&folder), &folder)).await;
    for _ in 0..6 {
        assert_eq!(read(&server, Role::Viewer, "KEY").await, 403);
    }
    let burst = found(&server, "R6.burst|viewer|").await;
    let finding = &burst["finding"];
    assert_eq!((finding["severity"].as_str(), finding["learning"].as_bool()), (Some("warning"), Some(false)));
    assert!(finding["evidence"].as_array().unwrap().len() >= 5, "{finding:#}");
    let seq = finding["evidence"][0].as_u64().unwrap();
    let entries = server.ask(Role::Admin, Method::GET, &format!("/api/audit?below={}&limit=1", seq + 1));
    let entries: Value = entries.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&entries["entries"][0]["actor"], &entries["entries"][0]["outcome"]),
        (&json!("viewer"), &json!("denied"))
    );

    let alert = alert(&server, "R6").await;
    assert_eq!(alert["labels"]["finding"], finding["key"]);
    assert_eq!(
        (&alert["labels"]["principal"], &alert["labels"]["severity"]),
        (&json!("viewer"), &json!("warning"))
    );
    assert!(alert["annotations"]["summary"].as_str().unwrap().contains("viewer was refused"), "{alert:#}");
    assert!(alert["annotations"]["evidence"].as_str().unwrap().split(',').any(|it| it == seq.to_string()));
    let shown = server.ask(Role::Admin, Method::GET, "/audit").send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("viewer was refused") && shown.contains(&format!("entry {seq}")));
    server.stop().await;
}

#[tokio::test]
async fn whoever_reads_a_trap_is_told_of_until_somebody_closes_it_and_again_when_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_on(config(&sqlite(&folder), &folder)).await;
    assert_eq!(read(&server, Role::Admin, "TRAP").await, 200);
    let trap = found(&server, "R11|admin|TRAP|").await;
    let key = trap["finding"]["key"].clone();
    let told = alert(&server, "R11").await;
    assert_eq!(
        (&told["labels"]["severity"], &told["labels"]["secret"]),
        (&json!("critical"), &json!("TRAP"))
    );
    // It is told to the receivers, not only listed.
    let page = async |it: &Server| {
        let notes = it.get("/api/notifications").await.to_string();
        notes.contains("SecretFinding").then_some(())
    };
    server.eventually("a page", page).await;

    assert_eq!(close(&server, Role::Viewer, json!({ "key": key, "reason": "it was me" })).await.0, 403);
    let (status, closed) = close(&server, Role::Operator, json!({ "key": key, "reason": "a drill" })).await;
    assert_eq!((status, &closed["closed"]["by"]), (200, &json!("operator")));
    let gone =
        async |it: &Server| alerts(it).await.iter().all(|it| it["labels"]["rule"] != "R11").then_some(());
    server.eventually("the alert's end", gone).await;
    assert!(findings(&server, "?open=true").await.iter().all(|it| it["finding"]["key"] != key));
    let entry = closed["closed"]["entry"].as_u64().unwrap();
    let entries =
        server.ask(Role::Admin, Method::GET, "/api/audit?action=finding.closed").send().await.unwrap();
    let entries: Value = entries.json().await.unwrap();
    assert_eq!(entries["entries"][0]["seq"], entry);
    assert_eq!(
        (&entries["entries"][0]["subject"], &entries["entries"][0]["purpose"]),
        (&key, &json!("a drill"))
    );

    assert_eq!(read(&server, Role::Viewer, "TRAP").await, 403);
    let denied = found(&server, "R11|viewer|TRAP|").await;
    assert!(denied["finding"]["summary"].as_str().unwrap().ends_with("and was refused"));
    assert_eq!(read(&server, Role::Admin, "TRAP").await, 200);
    let again = found(&server, "R11|admin|TRAP|").await;
    assert_eq!(again["closed"], Value::Null);
    alert(&server, "R11").await;
    server.stop().await;
}

#[tokio::test]
async fn after_a_restart_the_rules_go_on_and_repeat_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_on(config(&sqlite(&folder), &folder)).await;
    // Two refusals now, three after the restart: five in five minutes.
    for _ in 0..2 {
        read(&server, Role::Viewer, "KEY").await;
    }
    let key = found(&server, "R7.denied|viewer|KEY|").await["finding"]["key"].clone();
    assert_eq!(close(&server, Role::Admin, json!({ "key": key, "reason": "known" })).await.0, 200);
    server.stop().await;

    let server = Server::start_on(config(&sqlite(&folder), &folder)).await;
    // Judged after all that was there before.
    assert_eq!(read(&server, Role::Admin, "TRAP").await, 200);
    found(&server, "R11|admin|TRAP|").await;
    let all = findings(&server, "?limit=200").await;
    let keys: Vec<&str> = all.iter().map(|it| it["finding"]["key"].as_str().unwrap()).collect();
    let closed = all.iter().find(|it| it["finding"]["key"] == key).unwrap();
    assert_eq!((keys.len(), &closed["closed"]["reason"]), (2, &json!("known")), "{keys:?}");
    for _ in 0..3 {
        read(&server, Role::Viewer, "KEY").await;
    }
    let burst = found(&server, "R6.burst|viewer|").await;
    assert_eq!(burst["finding"]["evidence"].as_array().unwrap().len(), 5, "two of them are from before");
    server.stop().await;
}

#[tokio::test]
async fn two_servers_on_one_store_find_each_thing_once_and_another_goes_on_when_one_is_gone() {
    let postgres = Postgres::start().await;
    let folder = tempfile::tempdir().unwrap();
    let one = Server::start_on(config(&postgres.url, &folder)).await;
    let other = Server::start_on(config(&postgres.url, &folder)).await;
    read(&one, Role::Admin, "TRAP").await;
    read(&other, Role::Viewer, "TRAP").await;
    found(&one, "R11|admin|TRAP|").await;
    found(&other, "R11|viewer|TRAP|").await;
    one.stop().await;
    read(&other, Role::Viewer, "OTHER").await;
    found(&other, "R7.denied|viewer|OTHER|").await;
    let all = findings(&other, "?limit=200").await;
    let mut keys: Vec<String> = all
        .iter()
        .map(|it| it["finding"]["key"].as_str().unwrap().rsplit_once('|').unwrap().0.to_owned())
        .collect();
    keys.sort();
    assert_eq!(
        keys,
        ["R11|admin|TRAP", "R11|viewer|TRAP", "R7.denied|viewer|OTHER", "R7.denied|viewer|TRAP"]
    );
    for it in &all {
        assert_eq!(it["finding"]["evidence"].as_array().unwrap().len(), 1, "{it:#}");
    }
    other.stop().await;
}

#[tokio::test]
async fn findings_come_in_pages_and_rubbish_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_on(config(&sqlite(&folder), &folder)).await;
    for name in ["KEY", "OTHER", "TRAP"] {
        read(&server, Role::Viewer, name).await;
    }
    found(&server, "R6.search|viewer|").await;
    found(&server, "R7.denied|viewer|OTHER|").await;
    let all = findings(&server, "?limit=200").await;
    let (mut one_by_one, mut next) = (Vec::new(), String::new());
    loop {
        let page = page(&server, &format!("?limit=1{next}")).await;
        one_by_one.extend(page["items"].as_array().unwrap().clone());
        let Some(key) = page["next"].as_str() else { break };
        let key: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        next = format!("&before={key}");
    }
    assert_eq!(one_by_one, all);

    for body in [
        json!({}),
        json!({ "key": "", "reason": "" }),
        json!({ "key": 7, "reason": "x" }),
        json!({ "key": "R11", "reason": "x".repeat(501) }),
        json!({ "key": "k".repeat(2_000), "reason": "x" }),
        json!({ "key": "a\u{0}b", "reason": "x" }),
    ] {
        assert_eq!(close(&server, Role::Admin, body.clone()).await.0, 422, "{body}");
    }
    assert_eq!(close(&server, Role::Admin, json!({ "key": "R11|nobody||1", "reason": "x" })).await.0, 404);
    for query in ["?before=rubbish", "?limit=-1", "?open=perhaps"] {
        let answer =
            server.ask(Role::Admin, Method::GET, &format!("/api/audit/findings{query}")).send().await;
        assert_eq!(answer.unwrap().status(), 400, "{query}");
    }
    let raw = server.ask(Role::Admin, Method::POST, "/api/audit/findings/close");
    let raw = raw.header("content-type", "application/json").body(vec![0xff, 0, b'{']).send().await.unwrap();
    assert_eq!(raw.status(), 400);
    server.stop().await;
}

#[tokio::test]
async fn a_trap_is_handed_to_no_service_whoever_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&sqlite(&folder), &folder);
    config.stack.services.values_mut().for_each(|it| it.secrets = vec!["TRAP".to_owned()]);
    let server = Server::start_on(config).await;
    let start = json!({ "names": ["TRAP"],
        "purpose": { "for": "start", "replica": { "service": "api", "slot": 0 }, "generation": 1 } });
    let ask = server.client.post(server.at("/agent/secrets")).bearer_auth("agent-token").json(&start);
    let answer = ask.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("TRAP is a canary"));
    found(&server, "R11|api|TRAP|").await;
    server.stop().await;
}
