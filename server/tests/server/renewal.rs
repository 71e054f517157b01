//! Renewals of secrets: by hand, by users that take turns, and reads that take a second word.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::{Operator, PostgresSpec, Role, RotationMethod, SecretCategory, SecretSource, SecretSpec};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::harness::{Server, sqlite};
use crate::testing::Postgres;

pub(crate) async fn call(
    server: &Server,
    token: &str,
    method: Method,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let request = server.client.request(method, server.at(path)).bearer_auth(token).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

async fn admin(server: &Server, method: Method, path: &str, body: Value) -> (u16, Value) {
    call(server, "token-of-admin", method, path, body).await
}

pub(crate) async fn entries(server: &Server, action: &str) -> Vec<Value> {
    let path = format!("/api/audit?limit=100&action={action}");
    let (status, answer) = admin(server, Method::GET, &path, json!({})).await;
    assert_eq!(status, 200, "{answer}");
    answer["entries"].as_array().unwrap().clone()
}

async fn secret(server: &Server, name: &str) -> Value {
    let list = server.get("/api/secrets").await;
    let all = list["secrets"].as_array().unwrap();
    all.iter().find(|it| it["name"] == name).unwrap().clone()
}

fn spec(source: SecretSource) -> SecretSpec {
    SecretSpec::new(source)
}

fn config(folder: &TempDir, secrets: Vec<(&str, SecretSpec)>) -> ops_server::Config {
    let mut config = Server::config(&sqlite(folder));
    config.state_dir = Some(folder.path().to_owned());
    config.stack.secrets = secrets.into_iter().map(|(name, spec)| (name.to_owned(), spec)).collect();
    let second = Operator { name: "second".to_owned(), role: Role::Admin };
    config.operators.push((second, "token-of-second".into()));
    config
}

fn set(value: &str) -> Value {
    json!({ "value": value, "reason": "a test" })
}

const WHY: &str = "a test";

#[tokio::test]
async fn a_renewal_by_hand_is_closed_by_the_new_value_and_not_by_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let key = SecretSpec { category: SecretCategory::ThirdParty, ..spec(SecretSource::EncryptedFile) };
    let server = Server::start_on(config(&folder, vec![("MAIL_KEY", key)])).await;
    let put = async |value: &str| admin(&server, Method::PUT, "/api/secrets/MAIL_KEY", set(value)).await;
    assert_eq!(put("first").await, (200, json!({ "renewed": true })));
    let begin =
        async || admin(&server, Method::POST, "/api/secrets/MAIL_KEY/rotate", json!({ "reason": WHY })).await;
    let (status, begun) = begin().await;
    assert_eq!((status, begun["phase"].as_str()), (202, Some("waiting")), "{begun}");
    assert!(begun["steps"].as_array().unwrap().len() >= 4, "{begun}");
    assert_eq!(begin().await.0, 409, "once at a time");

    assert_eq!(put("first").await, (200, json!({ "renewed": false })));
    assert_eq!(secret(&server, "MAIL_KEY").await["state"], "same_value");
    assert_eq!(entries(&server, "secret.rotated").await.len(), 1);
    let open = server.get("/api/secret-rotations").await;
    assert_eq!(open["items"][0]["phase"], "waiting", "{open}");

    assert_eq!(put("second").await, (200, json!({ "renewed": true })));
    let closed = server.get("/api/secret-rotations").await;
    assert_eq!(closed["items"][0]["phase"], "done", "{closed}");
    let now = secret(&server, "MAIL_KEY").await;
    let rotated = entries(&server, "secret.rotated").await;
    assert_eq!((now["state"].as_str(), rotated.len()), (Some("ok"), 2), "{now}");
    assert_eq!(now["evidence"], format!("audit entry {}", rotated[0]["seq"]));
    assert_eq!(rotated[0]["details"]["rotation"], begun["id"]);
    server.stop().await;
}

#[tokio::test]
async fn what_the_server_cannot_write_is_renewed_by_evidence_and_seen_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let variable = || spec(SecretSource::Env { variable: "API_KEY".to_owned() });
    let start = async |value: &str| {
        let mut config = config(&folder, vec![("API_KEY", variable())]);
        config.environment = BTreeMap::from([("API_KEY".to_owned(), value.into())]);
        let file = folder.path().join("reread");
        config.reread = Some(ops_server::Reread::new({
            let value = value.to_owned();
            move || {
                let value = std::fs::read_to_string(&file).unwrap_or_else(|_| value.clone());
                Ok(BTreeMap::from([("API_KEY".to_owned(), value.into())]))
            }
        }));
        Server::start_on(config).await
    };
    let server = start("first").await;
    assert_eq!(secret(&server, "API_KEY").await["state"], "unknown");
    let tell = json!({ "evidence": "ticket 7" });
    assert_eq!(admin(&server, Method::POST, "/api/secrets/API_KEY/rotated", tell.clone()).await.0, 204);
    assert_eq!(admin(&server, Method::POST, "/api/secrets/NONE/rotated", tell.clone()).await.0, 404);
    let told = secret(&server, "API_KEY").await;
    assert_eq!(told["state"], "ok", "{told}");
    let begun = admin(&server, Method::POST, "/api/secrets/API_KEY/rotate", json!({ "reason": WHY })).await;
    assert_eq!(begun.0, 202, "{begun:?}");
    let task = async |server: &Server| {
        server
            .eventually("the watch", async |it| {
                let tasks = it.get("/api/tasks").await;
                tasks["secret_watch"]["runs"].as_u64().filter(|runs| *runs > 0)?;
                Some(())
            })
            .await;
    };
    task(&server).await;
    server.stop().await;

    // The same variable again: nothing was renewed. Another: it was, and the reminder is closed.
    let server = start("first").await;
    task(&server).await;
    assert_eq!(entries(&server, "secret.rotated&outcome=allowed").await.len(), 1);
    server.stop().await;
    let server = start("second").await;
    let rotated = server
        .eventually("the change to be seen", async |it| {
            Some(entries(it, "secret.rotated&outcome=allowed").await).filter(|it| it.len() == 2)
        })
        .await;
    assert!(rotated[0]["details"]["evidence"].as_str().unwrap().starts_with("API_KEY changed, seen at "));
    let closed = server.get("/api/secret-rotations").await;
    assert_eq!(closed["items"][0]["phase"], "done", "{closed}");

    // Changed while the server runs: who reads gets the new value at once, and it counts as renewed.
    let file = folder.path().join("reread");
    std::fs::write(&file, "third value").unwrap();
    let read = admin(&server, Method::POST, "/api/secrets/API_KEY/read", json!({ "reason": WHY })).await;
    assert_eq!(read.1["values"]["API_KEY"], "third value");
    server
        .eventually("the change to be seen", async |it| {
            Some(entries(it, "secret.rotated&outcome=allowed").await).filter(|it| it.len() == 3)
        })
        .await;
    std::fs::remove_file(&file).unwrap();
    server.stop().await;
    for file in
        std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_file())
    {
        let bytes = std::fs::read(&file).unwrap();
        let held = ["first", "second"]
            .iter()
            .any(|value| bytes.windows(value.len()).any(|it| it == value.as_bytes()));
        // `second` is also the name of an operator.
        assert!(
            !held || file.extension().is_some_and(|it| it.to_string_lossy().starts_with("db")),
            "{}",
            file.display()
        );
    }
}

#[tokio::test]
async fn a_read_with_approval_takes_a_second_admin_and_is_good_for_one_read() {
    let folder = tempfile::tempdir().unwrap();
    let key = SecretSpec { approval: true, tier: 0, ..spec(SecretSource::EncryptedFile) };
    let again = || config(&folder, vec![("ROOT_KEY", key.clone())]);
    let server = Server::start_on(again()).await;
    admin(&server, Method::PUT, "/api/secrets/ROOT_KEY", set("canary-root")).await;
    let read = async |server: &Server, token: &str, id: Value| {
        let body = json!({ "reason": "the database is gone", "request": id });
        call(server, token, Method::POST, "/api/secrets/ROOT_KEY/read", body).await
    };
    let (status, waits) = read(&server, "token-of-admin", Value::Null).await;
    assert_eq!(status, 202, "{waits}");
    assert_eq!(waits["approvers"], json!(["second"]));
    let id = waits["request"]["id"].clone();
    assert_eq!(read(&server, "token-of-admin", Value::Null).await.1["request"]["id"], id, "asked once");
    assert_eq!(read(&server, "token-of-admin", id.clone()).await.0, 202);
    assert_eq!(read(&server, "token-of-second", id.clone()).await.0, 403, "it is another's");
    assert_eq!(read(&server, "token-of-viewer", Value::Null).await.0, 403, "no reader makes no request");

    let path = format!("/api/secrets/requests/{}/approve", id.as_str().unwrap());
    let approve =
        async |server: &Server, token: &str| call(server, token, Method::POST, &path, json!({})).await;
    assert_eq!(approve(&server, "token-of-admin").await.0, 403, "who asks cannot approve");
    assert_eq!(approve(&server, "token-of-operator").await.0, 403);
    server.stop().await;
    let server = Server::start_on(again()).await;
    assert_eq!(server.get("/api/secrets").await["requests"][0]["id"], id, "it outlives the server");
    let page = server.ask(Role::Viewer, Method::GET, "/secrets").header("accept", "text/html");
    assert!(page.send().await.unwrap().text().await.unwrap().contains("Approve"));
    let (status, approved) = approve(&server, "token-of-second").await;
    assert_eq!((status, approved["approved_by"].as_str()), (200, Some("second")), "{approved}");
    assert_eq!(approve(&server, "token-of-second").await.0, 409, "once");

    let (status, values) = read(&server, "token-of-admin", id.clone()).await;
    assert_eq!((status, values["values"]["ROOT_KEY"].as_str()), (200, Some("canary-root")));
    assert_eq!(read(&server, "token-of-admin", id.clone()).await.0, 403, "one read");
    assert_eq!(read(&server, "token-of-admin", Value::Null).await.0, 202, "the next takes another word");

    let told: Vec<(String, String, String)> = entries(&server, "secret")
        .await
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            (text("actor"), text("action"), text("outcome"))
        })
        .collect();
    for wanted in [
        ("admin", "secret.read", "failed"),
        ("second", "secret.read", "denied"),
        ("viewer", "secret.read", "denied"),
        ("admin", "secret.approved", "denied"),
        ("second", "secret.approved", "allowed"),
        ("second", "secret.approved", "failed"),
        ("admin", "secret.read", "allowed"),
        ("admin", "secret.read", "denied"),
    ] {
        let wanted = (wanted.0.to_owned(), wanted.1.to_owned(), wanted.2.to_owned());
        assert!(told.contains(&wanted), "{wanted:?} is not in {told:#?}");
    }
    assert_eq!(told.iter().filter(|it| it.1 == "secret.read" && it.2 == "allowed").count(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_request_whose_time_is_over_is_recorded_and_good_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let key = SecretSpec { approval: true, ..spec(SecretSource::EncryptedFile) };
    let server = Server::start_on(config(&folder, vec![("KEY", key)])).await;
    let body = json!({ "reason": WHY });
    let (_, waits) = admin(&server, Method::POST, "/api/secrets/KEY/read", body).await;
    let id = waits["request"]["id"].as_str().unwrap();
    let pool = sqlx::AnyPool::connect(&sqlite(&folder)).await.unwrap();
    pool.execute("UPDATE secret_requests SET until_us = 1").await.unwrap();
    let path = format!("/api/secrets/requests/{id}/approve");
    assert_eq!(call(&server, "token-of-second", Method::POST, &path, json!({})).await.0, 409);
    server
        .eventually("the end to be recorded", async |it| {
            Some(()).filter(|()| pool.size() > 0)?;
            entries(it, "secret.request_expired").await.first().cloned()
        })
        .await;
    assert_eq!(server.get("/api/secrets").await["requests"], json!([]));
    let body = json!({ "reason": WHY, "request": id });
    assert_eq!(admin(&server, Method::POST, "/api/secrets/KEY/read", body).await.0, 403);
    server.stop().await;
}

/// PostgreSQL that asks everybody but its own user for a password.
async fn guarded(postgres: &Postgres) -> String {
    let mut db = PgConnection::connect(&postgres.url).await.unwrap();
    let rules: String = "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n".into();
    let file: String = sqlx::query_scalar("SHOW hba_file").fetch_one(&mut db).await.unwrap();
    let lines: Vec<String> = rules.lines().map(|it| format!("('{it}')")).collect();
    let sql = format!("COPY (SELECT * FROM (VALUES {}) AS rules(line)) TO '{file}'", lines.join(", "));
    db.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    for sql in [
        "SET password_encryption = 'scram-sha-256'",
        "CREATE ROLE desk_a LOGIN PASSWORD 'first-of-a'",
        "CREATE ROLE desk_b LOGIN PASSWORD 'first-of-b'",
        "ALTER SYSTEM SET log_statement = 'all'",
        "SELECT pg_reload_conf()",
    ] {
        db.execute(sql).await.unwrap();
    }
    postgres.url.rsplit('@').next().unwrap().to_owned()
}

async fn login(place: &str, userinfo: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(&format!("postgres://{userinfo}@{place}")).await
}

#[tokio::test]
async fn two_users_take_turns_and_nobody_is_thrown_out() {
    let postgres = Postgres::start().await;
    let place = guarded(&postgres).await;
    let folder = tempfile::tempdir().unwrap();
    let turn = RotationMethod::Postgres {
        store: "main".to_owned(),
        users: ["desk_a".to_owned(), "desk_b".to_owned()],
        admin_secret: None,
    };
    let key = SecretSpec { rotation: turn, ..spec(SecretSource::EncryptedFile) };
    let mut config = config(&folder, vec![("DB_LOGIN", key)]);
    config.stack.postgres = BTreeMap::from([(
        "main".to_owned(),
        PostgresSpec {
            primary: place.split('/').next().unwrap().to_owned(),
            replicas: Vec::new(),
            database: "postgres".to_owned(),
            user: "postgres".to_owned(),
            password_secret: None,
            development: false,
        },
    )]);
    let server = Server::start_on(config).await;
    let read = async || {
        let answer =
            admin(&server, Method::POST, "/api/secrets/DB_LOGIN/read", json!({ "reason": WHY })).await;
        answer.1["values"]["DB_LOGIN"].as_str().unwrap().to_owned()
    };
    let rotate = async || {
        let path = "/api/secrets/DB_LOGIN/rotate";
        let (status, begun) = admin(&server, Method::POST, path, json!({ "reason": WHY })).await;
        assert_eq!(status, 202, "{begun}");
        let done = server
            .eventually("the renewal to end", async |it| {
                let list = it.get("/api/secret-rotations").await;
                Some(list["items"][0].clone()).filter(|it| it["phase"] == "done")
            })
            .await;
        assert_eq!(done["id"], begun["id"]);
        read().await
    };
    admin(&server, Method::PUT, "/api/secrets/DB_LOGIN", set("desk_a:first-of-a")).await;
    tokio::time::timeout(Duration::from_secs(20), async {
        while login(&place, "desk_a:wrong").await.is_ok() {}
    })
    .await
    .expect("the rules are in force");
    let mut open = login(&place, "desk_a:first-of-a").await.unwrap();

    let second = rotate().await;
    assert!(second.starts_with("desk_b:"), "it is the other's turn");
    login(&place, &second).await.unwrap();
    assert!(login(&place, "desk_b:first-of-b").await.is_err());
    login(&place, "desk_a:first-of-a").await.expect("who is late still gets in");
    open.execute("SELECT 1").await.expect("open connections go on");

    let third = rotate().await;
    assert!(third.starts_with("desk_a:"));
    login(&place, &third).await.unwrap();
    login(&place, &second).await.unwrap();
    assert!(login(&place, "desk_a:first-of-a").await.is_err(), "the one before last is over");
    open.execute("SELECT 1").await.expect("open connections go on");

    let actions: Vec<String> =
        entries(&server, "secret").await.iter().map(|it| it["action"].as_str().unwrap().to_owned()).collect();
    let mut story: Vec<&str> =
        actions.iter().map(String::as_str).filter(|it| *it != "secret.read").take(5).collect();
    story.reverse();
    assert_eq!(
        story,
        [
            "secret.rotation_began",
            "secret.rotation_prepared",
            "secret.password_changed",
            "secret.rotation_switched",
            "secret.rotated",
        ]
    );
    // Neither the log of statements nor anything of ours has a password in clear.
    let log =
        server.ask(Role::Admin, Method::GET, "/api/audit/export").send().await.unwrap().text().await.unwrap();
    for value in [&second, &third] {
        let password = value.split_once(':').unwrap().1;
        assert!(!log.contains(password));
        for file in
            std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_file())
        {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(password.len()).any(|it| it == password.as_bytes()), "{}", file.display());
        }
    }
    server.stop().await;
}
