//! The record of who did what: complete, provable, and shut when it cannot be written.

use std::collections::BTreeMap;

use ops_audit::verify::{Integrity, Trust, Verifier};
use ops_contract::{Role, SecretSource, SecretSpec};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AnyPool, Executor};
use tempfile::TempDir;

use crate::harness::{Server, sqlite};
use crate::testing::Postgres;

const VALUE: &str = "canary-7f3b91d2c4";

async fn server(database: &str, folder: &TempDir) -> Server {
    let mut config = Server::config(database);
    config.state_dir = Some(folder.path().to_owned());
    let source = SecretSource::Env { variable: "API_KEY".to_owned() };
    config.stack.secrets.insert("API_KEY".to_owned(), SecretSpec::new(source));
    config.environment = BTreeMap::from([("API_KEY".to_owned(), VALUE.into())]);
    config.stack.secrets.insert("STORED".to_owned(), SecretSpec::new(SecretSource::EncryptedFile));
    Server::start_on(config).await
}

async fn read(server: &Server, role: Role, name: &str) -> (u16, Value) {
    let path = format!("/api/secrets/{name}/read");
    let answer =
        server.ask(role, Method::POST, &path).json(&json!({ "reason": "a test" })).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn entries(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.ask(Role::Admin, Method::GET, &format!("/api/audit{query}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.unwrap()["entries"].as_array().unwrap().clone()
}

async fn export(server: &Server) -> Vec<u8> {
    let answer = server.ask(Role::Admin, Method::GET, "/api/audit/export").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

async fn verify(server: &Server) -> Value {
    let answer = server.ask(Role::Admin, Method::POST, "/api/audit/verify").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

fn first_key(folder: &TempDir) -> ops_audit::key::PublicKey {
    std::fs::read_to_string(folder.path().join("audit.pub")).unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn reads_and_refusals_and_what_operators_do_are_entries() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&sqlite(&folder), &folder).await;
    let (status, answer) = read(&server, Role::Admin, "API_KEY").await;
    assert_eq!((status, answer["values"]["API_KEY"].as_str()), (200, Some(VALUE)));
    assert_eq!(read(&server, Role::Viewer, "API_KEY").await.0, 403);
    assert_eq!(read(&server, Role::Admin, "NONE").await.0, 404);
    assert_eq!(read(&server, Role::Admin, "STORED").await.0, 404);
    let start = json!({ "names": ["API_KEY"],
        "purpose": { "for": "start", "replica": { "service": "api", "slot": 0 }, "generation": 1 } });
    let answer = server.client.post(server.at("/agent/secrets")).bearer_auth("agent-token").json(&start);
    assert_eq!(
        answer.send().await.unwrap().status(),
        403,
        "the service does not use it, and no start was asked"
    );
    server.post("/api/services/api/restart", json!({})).await;
    let denied = server.ask(Role::Viewer, Method::POST, "/api/services/api/restart").json(&json!({}));
    assert_eq!(denied.send().await.unwrap().status(), 403);

    let found: Vec<(String, String, String, String)> = entries(&server, "?limit=100")
        .await
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            (text("actor"), text("action"), text("subject"), text("outcome"))
        })
        .collect();
    for wanted in [
        ("admin", "secret.read", "API_KEY", "allowed"),
        ("viewer", "secret.read", "API_KEY", "denied"),
        ("admin", "secret.read", "NONE", "denied"),
        ("admin", "secret.read", "STORED", "failed"),
        ("api", "secret.read", "API_KEY", "denied"),
        ("admin", "services.restart.post", "/api/services/api/restart", "allowed"),
        ("viewer", "services.restart.post", "/api/services/api/restart", "denied"),
        ("admin", "audit.read", "insightdesk/test/audit", "allowed"),
    ] {
        let wanted = (wanted.0.into(), wanted.1.into(), wanted.2.into(), wanted.3.into());
        assert!(found.contains(&wanted), "{wanted:?} is not in {found:#?}");
    }
    assert!(
        entries(&server, "?action=secret&outcome=allowed")
            .await
            .iter()
            .all(|it| it["action"] == "secret.read")
    );
    let log = export(&server).await;
    assert!(!String::from_utf8_lossy(&log).contains(VALUE));
    server.stop().await;
}

#[tokio::test]
async fn an_export_verifies_elsewhere_and_a_receipt_proves_an_entry() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&sqlite(&folder), &folder).await;
    for _ in 0..20 {
        read(&server, Role::Admin, "API_KEY").await;
    }
    let key = first_key(&folder);
    let check = |bytes: &[u8]| {
        let mut verifier = Verifier::of_export(Trust { keys: vec![key.clone()], ..Trust::default() });
        verifier.feed(bytes);
        verifier.finish()
    };
    let log = export(&server).await;
    let verdict = check(&log);
    assert_eq!(verdict.integrity, Integrity::Intact, "{verdict:#?}");
    assert!(verdict.entries >= 22 && verdict.sealed == verdict.entries, "{verdict:#?}");
    let changed = String::from_utf8(log).unwrap().replacen("a test", "a text", 1);
    assert!(check(changed.as_bytes()).is_faulty());

    let answer = server.ask(Role::Admin, Method::GET, "/api/audit/7/receipt").send().await.unwrap();
    let receipt = ops_audit::receipt::Receipt::parse(&answer.bytes().await.unwrap()).unwrap();
    receipt.verify(&key.id().name, std::slice::from_ref(&key)).unwrap();
    let answer = server.ask(Role::Admin, Method::GET, "/api/audit/100000/receipt").send().await.unwrap();
    assert_eq!(answer.status(), 404);

    // The log goes on after a restart, by the same key, and the pause is explained.
    let database = sqlite(&folder);
    server.stop().await;
    let again = self::server(&database, &folder).await;
    let verdict = check(&export(&again).await);
    assert_eq!(verdict.integrity, Integrity::Intact, "{verdict:#?}");
    again.stop().await;
}

/// What somebody with the database can do to it, and how it is undone.
const ATTACKS: &[(&str, &str, &str)] = &[
    (
        "an entry is edited",
        "UPDATE audit_entries SET body = (SELECT body FROM audit_entries WHERE seq = 3) WHERE seq = 5",
        "",
    ),
    ("an entry is filed under another actor", "UPDATE audit_entries SET actor = 'bob' WHERE seq = 5", ""),
    ("an entry is filed under another subject", "UPDATE audit_entries SET subject = 'X' WHERE seq = 5", ""),
    ("an entry is hidden under another action", "UPDATE audit_entries SET action = 'a.b' WHERE seq = 5", ""),
    ("an entry is cut out", "DELETE FROM audit_entries WHERE seq = 5", ""),
    ("the first entry is cut out", "DELETE FROM audit_entries WHERE seq = 0", ""),
    ("the last entries are cut off", "DELETE FROM audit_entries WHERE seq > 8", ""),
    ("all entries are gone", "DELETE FROM audit_entries", ""),
    ("what an entry says is dropped", "UPDATE audit_entries SET body = NULL WHERE seq = 5", ""),
    ("a leaf is changed", "UPDATE audit_entries SET leaf = link WHERE seq = 5", ""),
    ("a link is changed", "UPDATE audit_entries SET link = leaf WHERE seq = 5", ""),
    ("a time is changed", "UPDATE audit_entries SET time_ms = time_ms + 1 WHERE seq = 5", ""),
    (
        "an entry is put after the end",
        "INSERT INTO audit_entries SELECT seq + 100, time_ms, actor, action, subject, outcome, NULL, NULL, body, leaf, link FROM audit_entries WHERE seq = 5",
        "beyond",
    ),
    (
        "two entries change places",
        "UPDATE audit_entries SET seq = CASE seq WHEN 5 THEN -6 ELSE -5 END WHERE seq IN (5, 6); UPDATE audit_entries SET seq = -seq WHERE seq < 0",
        "",
    ),
    (
        "a signed state is forged",
        "UPDATE audit_checkpoints SET checkpoint = REPLACE(checkpoint, 'time 1', 'time 2')",
        "",
    ),
];

async fn every_attack_is_found(database: &str, folder: &TempDir) {
    let server = server(database, folder).await;
    for _ in 0..12 {
        read(&server, Role::Admin, "API_KEY").await;
    }
    let clean = verify(&server).await;
    assert_eq!((clean["integrity"].as_str(), &clean["fault"]), (Some("intact"), &Value::Null), "{clean}");
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect(database).await.unwrap();
    let tables = [("audit_entries", "seq"), ("audit_checkpoints", "size")];
    let run = async |sql: String| pool.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    for (name, attack, how) in ATTACKS {
        for (table, _) in tables {
            run(format!("DROP TABLE IF EXISTS kept_{table}")).await;
            run(format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
        }
        for statement in attack.split(';') {
            run(statement.to_owned()).await;
        }
        let said = verify(&server).await;
        let found = said["integrity"] == "broken" || said["completeness"] == "broken";
        // Rows beyond the end of the log are no entries: nobody is shown them as such.
        assert!(found || *how == "beyond", "{name} is not found: {said}");
        for (table, key) in tables {
            // What was written meanwhile stays: looking at the log is an entry of it.
            run(format!(
                "DELETE FROM {table} WHERE {key} <= (SELECT MAX({key}) FROM kept_{table}) OR {key} > 99"
            ))
            .await;
            run(format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
        }
    }
    let said = verify(&server).await;
    assert_eq!(said["integrity"], "intact", "all was put back: {said}");
    server.stop().await;
}

#[tokio::test]
async fn every_change_of_the_store_is_found_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    every_attack_is_found(&sqlite(&folder), &folder).await;
}

#[tokio::test]
async fn every_change_of_the_store_is_found_in_postgresql() {
    let postgres = Postgres::start().await;
    every_attack_is_found(&postgres.url, &tempfile::tempdir().unwrap()).await;
}

/// Two servers on one store, many reads at once: one dense log.
async fn no_fork(database: &str, folder: &TempDir) {
    let (one, other) = tokio::join!(server(database, folder), server(database, folder));
    let reads = (0..1_000).map(|number| {
        let server = if number % 2 == 0 { &one } else { &other };
        // On a machine that has too much to do, some wait for longer than they may, and are refused.
        async move {
            loop {
                match read(server, Role::Admin, "API_KEY").await.0 {
                    200 => break,
                    status => assert_eq!(status, 503),
                }
            }
        }
    });
    futures::future::join_all(reads).await;
    let mut verifier = Verifier::of_export(Trust { keys: vec![first_key(folder)], ..Trust::default() });
    verifier.feed(&export(&one).await);
    let verdict = verifier.finish();
    assert_eq!(verdict.integrity, Integrity::Intact, "{verdict:#?}");
    assert!(verdict.entries >= 1_000);
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn two_servers_never_fork_the_log_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    no_fork(&sqlite(&folder), &folder).await;
}

#[tokio::test]
async fn two_servers_never_fork_the_log_in_postgresql() {
    let postgres = Postgres::start().await;
    no_fork(&postgres.url, &tempfile::tempdir().unwrap()).await;
}

#[tokio::test]
async fn another_key_signs_and_the_first_one_still_verifies_all() {
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let (one, other) = tokio::join!(server(&database, &folder), server(&database, &folder));
    let first = first_key(&folder);
    let key = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let before = key("audit.key");
    let rotate = || one.ask(Role::Admin, Method::POST, "/api/audit/rotate-key").send();
    for _ in 0..2 {
        let answer = rotate().await.unwrap();
        assert_eq!(answer.status(), 200);
        let signs = answer.json::<Value>().await.unwrap()["key"].as_str().unwrap().to_owned();
        assert_ne!(signs, first.to_string());
        assert_eq!(read(&other, Role::Admin, "API_KEY").await.0, 200);
        // The other server on this host follows: what it signs is good.
        for server in [&other, &one] {
            let mut verifier = Verifier::of_export(Trust { keys: vec![first.clone()], ..Trust::default() });
            verifier.feed(&export(server).await);
            let verdict = verifier.finish();
            assert_eq!(verdict.integrity, Integrity::Intact, "{verdict:#?}");
            assert_eq!(verdict.sealed, verdict.entries);
            assert_eq!(verify(server).await["integrity"], "intact");
        }
        assert_eq!(entries(&one, "?limit=1").await.len(), 1);
    }
    assert_ne!(before, key("audit.key"), "the old key is gone");
    one.stop().await;
    other.stop().await;

    // Ended between the entry and the file: the next start takes the key that the log says.
    std::fs::rename(folder.path().join("audit.key"), folder.path().join("audit.next")).unwrap();
    std::fs::write(folder.path().join("audit.key"), &before).unwrap();
    std::fs::set_permissions(
        folder.path().join("audit.key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let again = server(&database, &folder).await;
    assert_eq!(verify(&again).await["integrity"], "intact");
    again.stop().await;

    // A key that the log knows nothing of signs nothing.
    std::fs::remove_file(folder.path().join("audit.key")).unwrap();
    let strange = server(&database, &folder).await;
    let state = strange.ask(Role::Admin, Method::GET, "/api/audit").send().await.unwrap();
    let state = state.json::<Value>().await.unwrap();
    assert!(state["state"]["fault"].as_str().unwrap().contains("audit.key"), "{state}");
    strange.stop().await;
}

#[tokio::test]
async fn what_old_entries_say_is_dropped_and_the_proof_of_them_stays() {
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let young = server(&database, &folder).await;
    for _ in 0..10 {
        read(&young, Role::Admin, "API_KEY").await;
    }
    young.stop().await;
    let mut config = Server::config(&database);
    config.state_dir = Some(folder.path().to_owned());
    config.stack.audit.retention = Some(std::time::Duration::ZERO);
    let server = Server::start_on(config).await;
    let dropped = async |it: &Server| {
        let dropped = entries(it, "?action=secret.read&limit=100").await;
        (dropped.len() == 10 && dropped.iter().all(|it| it["details"]["body"] == "dropped"))
            .then_some(dropped)
    };
    let left = server.eventually("dropped", dropped).await;
    assert!(left.iter().all(|it| it["actor"] == "admin" && it["purpose"].is_null()), "{left:#?}");
    let log = export(&server).await;
    assert!(!String::from_utf8_lossy(&log).contains("a test"), "what they said is gone");
    let mut verifier = Verifier::of_export(Trust { keys: vec![first_key(&folder)], ..Trust::default() });
    verifier.feed(&log);
    let verdict = verifier.finish();
    assert_eq!(verdict.integrity, Integrity::Intact, "{verdict:#?}");
    assert!(verdict.bodies_dropped >= 10, "{verdict:#?}");
    assert_eq!(verify(&server).await["integrity"], "intact");

    // What nobody signed away must still be there.
    read(&server, Role::Admin, "NONE").await;
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect(&database).await.unwrap();
    pool.execute("UPDATE audit_entries SET body = NULL WHERE subject = 'NONE'").await.unwrap();
    assert_eq!(verify(&server).await["integrity"], "broken");
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let server = server(&database, &folder).await;
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect(&database).await.unwrap();
    pool.execute("CREATE TRIGGER shut BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'shut'); END")
        .await
        .unwrap();
    let (status, answer) = read(&server, Role::Admin, "API_KEY").await;
    assert_eq!(status, 503, "{answer}");
    assert!(!answer.to_string().contains(VALUE));
    let looked = server.ask(Role::Admin, Method::GET, "/api/audit").send().await.unwrap();
    assert_eq!(looked.status(), 503);
    pool.execute("DROP TRIGGER shut").await.unwrap();
    assert_eq!(read(&server, Role::Admin, "API_KEY").await.0, 200);
    assert_eq!(verify(&server).await["integrity"], "intact");
    server.stop().await;
}

#[tokio::test]
async fn a_value_that_was_set_lies_nowhere_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&sqlite(&folder), &folder).await;
    let path = "/api/secrets/STORED";
    let body = json!({ "value": VALUE, "reason": "first value" });
    let viewer = server.ask(Role::Operator, Method::PUT, path).json(&body).send().await.unwrap();
    assert_eq!(viewer.status(), 403);
    let set = server.ask(Role::Admin, Method::PUT, path).json(&body).send().await.unwrap();
    assert_eq!(set.status(), 200);
    assert_eq!(set.json::<Value>().await.unwrap(), json!({ "renewed": true }));
    assert_eq!(read(&server, Role::Admin, "STORED").await.1["values"]["STORED"], VALUE);
    let list = server.get("/api/secrets").await;
    assert!(!list.to_string().contains(VALUE));
    assert!(
        list["secrets"].as_array().unwrap().iter().any(|it| it["name"] == "STORED" && it["state"] == "ok"),
        "{list}"
    );
    assert!(
        list["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["name"] == "API_KEY" && it["state"] == "unknown"),
        "{list}"
    );
    let read_only =
        server.ask(Role::Admin, Method::PUT, "/api/secrets/API_KEY").json(&body).send().await.unwrap();
    assert_eq!(read_only.status(), 409);
    for page in ["/secrets", "/audit"] {
        let page =
            server.ask(Role::Admin, Method::GET, page).header("accept", "text/html").send().await.unwrap();
        assert_eq!(page.status(), 200);
        let text = page.text().await.unwrap();
        assert!(text.contains("STORED") && !text.contains(VALUE));
    }
    server.stop().await;
    for file in
        std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_file())
    {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(VALUE.len()).any(|it| it == VALUE.as_bytes()), "{}", file.display());
    }
}
