//! The server as an audit device of a real OpenBao: what it does stands in our log, and it stops when it cannot.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ops_contract::{AuditSourceSpec, Role, SecretSource, SecretSpec, VaultAuth, VaultSpec};
use ops_tests::openbao::OpenBao;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AnyPool, Executor};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::harness::{Server, sqlite};

const TOKEN: &str = "device-token-3f9a";
const VALUE: &str = "canary-c41d07e9";
const READER: &str = r#"path "secret/data/api/*" { capabilities = ["read"] }"#;

/// An OpenBao and a server that is its audit device `ops`, and knows a secret of it.
struct Scene {
    bao: OpenBao,
    server: Server,
    address: SocketAddr,
    folder: TempDir,
}

impl Scene {
    async fn start() -> Self {
        let bao = OpenBao::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::start_at(listener, config(&bao, &folder)).await;
        let scene = Self { bao, server, address, folder };
        scene.enable("ops", TOKEN).await.unwrap();
        scene
    }

    async fn enable(&self, name: &str, token: &str) -> anyhow::Result<()> {
        let headers = json!({ "Authorization": [format!("Bearer {token}")] }).to_string();
        let uri = format!("http://{}/audit/devices/{name}", self.address);
        let device = json!({ "type": "http", "options": { "uri": uri, "headers": headers } });
        self.bao.ask(Method::PUT, &format!("sys/audit/{name}"), Some(device)).await.map(drop)
    }

    async fn enable_file(&self) {
        let path = self.bao.folder.path().join("audit.log");
        let device = json!({ "type": "file", "options": { "file_path": path } });
        self.bao.ask(Method::PUT, "sys/audit/file", Some(device)).await.unwrap();
    }

    /// Asks OpenBao with a token.
    async fn with(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let request = self.server.client.request(method, format!("{}/v1/{path}", self.bao.url));
        let request = request.header("x-vault-token", token);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    async fn read(&self, path: &str) -> StatusCode {
        self.with(&self.bao.token, Method::GET, &format!("secret/data/{path}"), None).await.0
    }

    async fn entries(&self, query: &str) -> Vec<Value> {
        entries(&self.server, query).await
    }

    /// Ends the server and starts it again at the same address.
    async fn restarted(self) -> Self {
        let Self { bao, server, address, folder } = self;
        server.stop().await;
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Server::start_at(listener, config(&bao, &folder)).await;
        Self { bao, server, address, folder }
    }
}

fn config(bao: &OpenBao, folder: &TempDir) -> ops_server::Config {
    let mut config = Server::config(&sqlite(folder));
    config.state_dir = Some(folder.path().to_owned());
    let token_file = folder.path().join("vault-token");
    std::fs::write(&token_file, &bao.token).unwrap();
    let auth = VaultAuth::Token { file: token_file.display().to_string() };
    config.stack.secret_stores.vault = Some(VaultSpec { address: bao.url.clone(), namespace: None, auth });
    let token = SecretSource::Env { variable: "DEVICE_TOKEN".to_owned() };
    config.environment = BTreeMap::from([("DEVICE_TOKEN".to_owned(), TOKEN.into())]);
    for (name, source) in [
        ("DEVICE", token),
        ("API_KEY", vault("api/keys", "key")),
        ("API_PEPPER", vault("api/keys", "pepper")),
        ("DB_PASSWORD", vault("db/primary", "password")),
    ] {
        config.stack.secrets.insert(name.to_owned(), SecretSpec::new(source));
    }
    let device = AuditSourceSpec::VaultHttp { token_secret: "DEVICE".to_owned() };
    config.stack.audit.sources.insert("ops".to_owned(), device);
    config
}

fn vault(path: &str, field: &str) -> SecretSource {
    SecretSource::Vault { mount: "secret".into(), path: path.into(), field: field.into() }
}

async fn entries(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.ask(Role::Admin, Method::GET, &format!("/api/audit{query}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.unwrap()["entries"].as_array().unwrap().clone()
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_else(|| entry["details"][key].as_str().unwrap_or_default())
}

/// The second of two lines, the answer.
fn answers(entries: &[Value]) -> Vec<&Value> {
    entries.iter().filter(|it| text(it, "phase") == "response").collect()
}

#[tokio::test]
async fn what_openbao_does_stands_in_our_log() {
    let scene = Scene::start().await;
    let bao = &scene.bao;
    bao.put("api/keys", json!({ "key": VALUE, "pepper": VALUE, "turns": 731_234_567 })).await.unwrap();
    bao.put("db/primary", json!({ "password": VALUE })).await.unwrap();
    bao.policy("reader", READER).await.unwrap();
    bao.ask(Method::POST, "sys/auth/userpass", Some(json!({ "type": "userpass" }))).await.unwrap();
    let alice = json!({ "password": VALUE, "policies": "reader" });
    bao.ask(Method::POST, "auth/userpass/users/alice", Some(alice)).await.unwrap();
    let login = async |password: &str| {
        let body = Some(json!({ "password": password }));
        scene.with("", Method::POST, "auth/userpass/login/alice", body).await.1
    };
    login("wrong").await;
    let alice = login(VALUE).await["auth"]["client_token"].as_str().unwrap().to_owned();
    let role = json!({ "policies": "reader" });
    let (role_id, secret_id) = bao.make_role("worker", role).await.unwrap();
    let body = Some(json!({ "role_id": role_id, "secret_id": secret_id }));
    let worker = scene.with("", Method::POST, "auth/approle/login", body).await.1;
    let worker = worker["auth"]["client_token"].as_str().unwrap().to_owned();
    for (token, path, status) in [
        (alice.as_str(), "secret/data/api/keys", 200),
        (&worker, "secret/data/api/keys", 200),
        (&alice, "secret/data/db/primary", 403),
        (&alice, "secret/data/api/none", 404),
        ("nobody", "secret/data/db/primary", 403),
    ] {
        assert_eq!(scene.with(token, Method::GET, path, None).await.0, status, "{path}");
    }

    let all = scene.entries("?action=vault&limit=500").await;
    let told: Vec<(&str, &str, &str, &str)> = answers(&all)
        .iter()
        .map(|it| (text(it, "actor"), text(it, "action"), text(it, "subject"), text(it, "outcome")))
        .collect();
    for wanted in [
        ("token", "vault.create", "API_KEY", "allowed"),
        ("token", "vault.create", "API_PEPPER", "allowed"),
        ("token", "vault.create", "DB_PASSWORD", "allowed"),
        ("userpass-alice", "vault.read", "API_KEY", "allowed"),
        ("userpass-alice", "vault.read", "API_PEPPER", "allowed"),
        ("approle", "vault.read", "API_KEY", "allowed"),
        ("userpass-alice", "vault.read", "DB_PASSWORD", "denied"),
        ("userpass-alice", "vault.read", "secret/data/api/none", "failed"),
        ("unknown", "vault.read", "DB_PASSWORD", "denied"),
        ("unknown", "vault.login", "auth/userpass/login/alice", "denied"),
        ("userpass-alice", "vault.login", "auth/userpass/login/alice", "allowed"),
        ("approle", "vault.login", "auth/approle/login", "allowed"),
    ] {
        assert!(told.contains(&wanted), "{wanted:?} is not in {told:#?}");
    }
    assert!(all.iter().all(|it| text(it, "device") == "ops"));
    let read = |actor: &str, subject: &str| {
        let mut found = answers(&all).into_iter();
        found.find(|it| text(it, "actor") == actor && text(it, "subject") == subject).unwrap().clone()
    };
    let (by_worker, by_alice) = (read("approle", "API_KEY"), read("userpass-alice", "API_KEY"));
    assert_eq!((text(&by_worker, "role_name"), text(&by_worker, "version")), ("worker", "1"));
    assert_eq!((text(&by_alice, "username"), text(&by_alice, "address")), ("alice", "127.0.0.1"));
    let hash = text(&by_worker, "value_hmac");
    assert!(hash.starts_with("hmac-sha256:") && hash == text(&read("token", "API_KEY"), "value_hmac"));
    assert_eq!(text(&by_alice, "clear_fields"), "turns", "a number stands in clear in the store's own log");
    assert!(text(&by_alice, "token_hmac").starts_with("hmac-sha256:"));
    assert!(all.iter().any(|it| it["action"] == "vault.device_test"), "that the device was switched on");

    let log = scene.server.ask(Role::Admin, Method::GET, "/api/audit/export").send().await.unwrap();
    let log = log.text().await.unwrap();
    for secret in [VALUE, "731234567", &bao.token, &alice, &worker, TOKEN, &secret_id] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    scene.server.stop().await;
}

#[tokio::test]
async fn openbao_stands_still_without_us_and_not_with_a_second_device() {
    let scene = Scene::start().await;
    scene.bao.put("db/primary", json!({ "password": VALUE })).await.unwrap();
    assert_eq!(scene.read("db/primary").await, 200);
    let Scene { bao, server, address, folder } = scene;
    let client = server.client.clone();
    server.stop().await;
    let read = async || {
        let request = client.get(format!("{}/v1/secret/data/db/primary", bao.url));
        request.header("x-vault-token", &bao.token).send().await.unwrap().status()
    };
    assert_eq!(read().await, 500, "nobody records it, so nobody gets it");
    let listener = TcpListener::bind(address).await.unwrap();
    let server = Server::start_at(listener, config(&bao, &folder)).await;
    assert_eq!(read().await, 200, "we are back, and nobody had to restart the store");

    let scene = Scene { bao, server, address, folder };
    scene.enable_file().await;
    let Scene { bao, server, .. } = scene;
    server.stop().await;
    let request = client.get(format!("{}/v1/secret/data/db/primary", bao.url));
    let answer = request.header("x-vault-token", &bao.token).send().await.unwrap();
    assert_eq!(answer.status(), 200, "the file records it");
}

#[tokio::test]
async fn who_leaves_has_read_what_openbao_says_they_read() {
    let scene = Scene::start().await;
    let bao = &scene.bao;
    bao.put("api/keys", json!({ "key": VALUE, "pepper": "p-31" })).await.unwrap();
    bao.put("db/primary", json!({ "password": VALUE })).await.unwrap();
    bao.policy("reader", READER).await.unwrap();
    bao.ask(Method::POST, "sys/auth/userpass", Some(json!({ "type": "userpass" }))).await.unwrap();
    for person in ["alice", "bob"] {
        let user = json!({ "password": VALUE, "policies": "reader" });
        bao.ask(Method::POST, &format!("auth/userpass/users/{person}"), Some(user)).await.unwrap();
    }
    let login = scene.with("", Method::POST, "auth/userpass/login/alice", Some(json!({ "password": VALUE })));
    let alice = login.await.1["auth"]["client_token"].as_str().unwrap().to_owned();
    assert_eq!(scene.with(&alice, Method::GET, "secret/data/api/keys", None).await.0, 200);
    assert_eq!(scene.with(&alice, Method::GET, "secret/data/db/primary", None).await.0, 403);

    let leaves = async |person: &str| {
        let departed = scene.server.post("/api/secrets/departed", json!({ "person": person })).await;
        let work = departed["work"].as_array().unwrap();
        let lines = work.iter().map(|it| (text(it, "secret").to_owned(), it["closed_at"].is_null()));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(leaves("bob").await, [], "bob has read nothing");
    let open = |name: &str| (name.to_owned(), true);
    assert_eq!(
        leaves("alice").await,
        [open("API_KEY"), open("API_PEPPER")],
        "what she was refused is not hers"
    );

    // Her token still works: what she reads now is critical.
    assert_eq!(scene.with(&alice, Method::GET, "secret/data/api/keys", None).await.0, 200);
    let found = async |it: &Server| {
        let findings = it.ask(Role::Admin, Method::GET, "/api/audit/findings").send().await.unwrap();
        let findings = findings.json::<Value>().await.unwrap();
        let mut all = findings["items"].as_array().unwrap().iter().map(|it| it["finding"].clone());
        all.find(|it| it["rule"] == "R8")
    };
    let found = scene.server.eventually("R8", found).await;
    assert_eq!(
        (text(&found, "severity"), text(&found, "principal")),
        ("critical", "userpass-alice"),
        "{found}"
    );
    scene.server.stop().await;
}

#[tokio::test]
async fn what_our_log_does_not_take_openbao_does_not_hand_out() {
    let scene = Scene::start().await;
    scene.bao.put("db/primary", json!({ "password": VALUE })).await.unwrap();
    let pool = AnyPool::connect(&sqlite(&scene.folder)).await.unwrap();
    pool.execute("CREATE TRIGGER shut BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'shut'); END")
        .await
        .unwrap();
    let answer = scene.with(&scene.bao.token, Method::GET, "secret/data/db/primary", None).await;
    assert_eq!(answer.0, 500);
    assert!(!answer.1.to_string().contains(VALUE));
    pool.execute("DROP TRIGGER shut").await.unwrap();
    assert_eq!(scene.read("db/primary").await, 200);
    let metrics = scene.server.client.get(scene.server.at("/metrics")).bearer_auth("token-of-viewer");
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let refused = metrics.lines().find(|it| it.starts_with("ops_audit_source_refused_total{source=\"ops\"}"));
    assert!(refused.is_some_and(|it| !it.ends_with(" 0")), "{refused:?}");
    scene.server.stop().await;
}

#[tokio::test]
async fn reads_at_once_are_each_recorded() {
    let scene = Scene::start().await;
    scene.bao.put("db/primary", json!({ "password": VALUE })).await.unwrap();
    let reads = (0..100).map(|_| scene.read("db/primary"));
    assert!(futures::future::join_all(reads).await.iter().all(|it| *it == 200));
    let entries = scene.entries("?action=vault.read&subject=DB_PASSWORD&limit=500").await;
    assert_eq!((entries.len(), answers(&entries).len()), (200, 100));
    let said = scene.server.post("/api/audit/verify", json!({})).await;
    assert_eq!(said["integrity"], "intact", "{said}");
    scene.server.stop().await;
}

#[tokio::test]
async fn whoever_is_no_device_is_not_heard() {
    let scene = Scene::start().await;
    let line = json!({ "type": "request", "auth": {}, "request": { "id": "a", "operation": "read", "path": "x/y" } });
    let post = async |name: &str, token: &str, body: Vec<u8>| {
        let request = scene.server.client.post(scene.server.at(&format!("/audit/devices/{name}")));
        request.bearer_auth(token).body(body).send().await.unwrap().status().as_u16()
    };
    let good = line.to_string().into_bytes();
    assert_eq!(post("other", TOKEN, good.clone()).await, 404);
    for wrong in ["", "device-token-3f9b", "device-token-3f9", "token-of-admin", "agent-token"] {
        assert_eq!(post("ops", wrong, good.clone()).await, 401, "{wrong}");
    }
    let nobody = scene.server.client.post(scene.server.at("/audit/devices/ops")).body(good.clone());
    assert_eq!(nobody.send().await.unwrap().status(), 401);
    for rubbish in
        ["", "{", "[]", "7", "{}", r#"{"type":"other","request":{}}"#, "\u{0}", r#"{"type":"request"}"#]
    {
        assert_eq!(post("ops", TOKEN, rubbish.as_bytes().to_vec()).await, 400, "{rubbish:?}");
    }
    assert_eq!(post("ops", TOKEN, vec![b'['; 100_000]).await, 400, "as deep as that nothing is read");
    assert_eq!(post("ops", TOKEN, vec![b' '; 5 << 20]).await, 413);
    assert_eq!(scene.entries("?action=vault&subject=x/y").await.len(), 0, "nothing of it is in the log");
    assert_eq!(post("ops", TOKEN, good.clone()).await, 200);
    assert_eq!(post("ops", TOKEN, good).await, 200, "what is told twice was heard");
    assert_eq!(scene.entries("?action=vault&subject=x/y").await.len(), 1);
    assert!(scene.enable("ops2", "wrong").await.is_err(), "a device that is not heard cannot be switched on");
    scene.server.stop().await;
}

#[tokio::test]
async fn a_device_that_is_switched_off_is_told() {
    let scene = Scene::start().await.restarted().await;
    let watched = async |scene: &Scene, count: &str| {
        let found = async |it: &Server| {
            let all = entries(it, "?action=audit.devices").await;
            all.into_iter().next().filter(|it| text(it, "count") == count)
        };
        scene.server.eventually(count, found).await
    };
    let one = watched(&scene, "1").await;
    assert_eq!((text(&one, "devices"), text(&one, "outcome")), ("ops (http)", "failed"));
    scene.enable_file().await;
    let scene = scene.restarted().await;
    let two = watched(&scene, "2").await;
    assert_eq!((text(&two, "new"), text(&two, "outcome")), ("file", "allowed"));
    scene.bao.ask(Method::DELETE, "sys/audit/ops", None).await.unwrap();
    let scene = scene.restarted().await;
    let gone = watched(&scene, "1").await;
    assert_eq!((text(&gone, "gone"), text(&gone, "without_device")), ("ops", "ops"));
    let metric = async |it: &Server| {
        let text = it.client.get(it.at("/metrics")).bearer_auth("token-of-viewer").send().await.ok()?;
        let text = text.text().await.ok()?;
        text.lines().find(|it| it.starts_with("ops_audit_vault_devices{")).map(str::to_owned)
    };
    let metric = scene.server.eventually("the metric", metric).await;
    assert!(metric.ends_with(" 1"), "{metric}");
    scene.server.stop().await;
}

/// A secret as the inventory has it.
async fn secret(scene: &Scene, name: &str) -> Value {
    let all = scene.server.get("/api/secrets").await;
    all["secrets"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn the_inventory_tells_renewals_from_new_versions_without_seeing_a_value() {
    let scene = Scene::start().await;
    let put = async |path: &str, data: Value| scene.bao.put(path, data).await.unwrap();
    put("db/primary", json!({ "password": "first" })).await;
    put("api/keys", json!({ "key": "shared", "pepper": "shared" })).await;
    assert_eq!(secret(&scene, "DB_PASSWORD").await["state"], "ok", "a first version is evidence enough");
    let key = secret(&scene, "API_KEY").await;
    assert!(text(&key, "reason").ends_with("The same value lies at API_PEPPER."), "{key}");

    put("db/primary", json!({ "password": "first" })).await;
    assert_eq!(secret(&scene, "DB_PASSWORD").await["state"], "same_value");
    put("db/primary", json!({ "password": "second" })).await;
    let renewed = secret(&scene, "DB_PASSWORD").await;
    assert_eq!(renewed["state"], "ok");
    assert!(text(&renewed, "evidence").starts_with("another value, audit entry "), "{renewed}");

    put("api/keys", json!({ "key": "other", "pepper": "shared" })).await;
    let (key, pepper) = (secret(&scene, "API_KEY").await, secret(&scene, "API_PEPPER").await);
    assert_eq!((text(&key, "state"), text(&pepper, "state")), ("ok", "unknown"), "{pepper}");
    assert!(!text(&key, "reason").contains("same value"), "{key}");
    assert!(pepper["rotated_at"].is_null(), "only the other field was renewed: {pepper}");
    scene.server.stop().await;
}

fn file(config: &mut ops_server::Config, path: &std::path::Path) {
    let source = AuditSourceSpec::VaultFile { path: path.display().to_string() };
    config.stack.audit.sources.insert("bao-file".to_owned(), source);
}

#[tokio::test]
async fn a_file_device_is_followed_over_rotation_and_kills() {
    let bao = OpenBao::start().await.unwrap();
    let (folder, log) = (tempfile::tempdir().unwrap(), bao.folder.path().join("audit.log"));
    let start = async || {
        let mut config = config(&bao, &folder);
        config.stack.audit.sources.clear();
        config.stack.secret_stores.vault = None;
        file(&mut config, &log);
        Server::start_on(config).await
    };
    let device = json!({ "type": "file", "options": { "file_path": log } });
    bao.ask(Method::PUT, "sys/audit/file", Some(device)).await.unwrap();
    bao.put("db/primary", json!({ "password": VALUE })).await.unwrap();
    let read = async |times: usize| {
        for _ in 0..times {
            bao.ask(Method::GET, "secret/data/db/primary", None).await.unwrap();
        }
    };
    let all_are_in = async |server: &Server, reads: usize| {
        let count = async |it: &Server| {
            let all = entries(it, "?action=vault.read&subject=DB_PASSWORD&limit=500").await;
            (answers(&all).len() >= reads).then(|| (all.len(), answers(&all).len()))
        };
        assert_eq!(server.eventually("all reads", count).await, (reads * 2, reads));
    };
    let mut server = start().await;
    let mut reads = 0;
    for round in 0..3 {
        read(10).await;
        // In the middle of its work, which is not waited for.
        server.kill().await;
        read(10).await;
        if round == 1 {
            std::fs::rename(&log, log.with_extension("log.1")).unwrap();
            bao.hang_up().unwrap();
            let opened = async || log.exists().then_some(());
            ops_tests::eventually(crate::harness::PATIENCE, opened).await.unwrap();
            read(10).await;
            reads += 10;
        }
        reads += 20;
        server = start().await;
        all_are_in(&server, reads).await;
    }
    let told = entries(&server, "?action=audit&outcome=failed&limit=500").await;
    assert!(told.is_empty(), "nothing was cut or lost: {told:#?}");

    std::fs::write(&log, "").unwrap();
    let cut = async |it: &Server| entries(it, "?action=audit.source_cut").await.into_iter().next();
    let cut = server.eventually("that it was cut", cut).await;
    assert_eq!((text(&cut, "subject"), text(&cut, "outcome")), ("bao-file", "failed"));
    std::fs::remove_file(&log).unwrap();
    let gone = async |it: &Server| entries(it, "?action=audit.source_fault").await.into_iter().next();
    let gone = server.eventually("that it is gone", gone).await;
    assert!(text(&gone, "error").contains("was deleted"), "{gone}");
    let said = server.post("/api/audit/verify", json!({})).await;
    assert_eq!(said["integrity"], "intact", "{said}");
    server.stop().await;
}

#[tokio::test]
async fn a_file_of_cloudtrail_is_brought_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Server::config(&sqlite(&folder));
    let source = SecretSource::AwsSecretsManager { id: "prod/db".to_owned(), field: None };
    config.stack.secrets.insert("DB".to_owned(), SecretSpec::new(source));
    let server = Server::start_on(config).await;
    let event = |id: usize, name: &str| {
        json!({ "eventID": format!("e-{id}"), "eventTime": "2026-11-20T08:00:00Z", "eventName": name,
            "eventSource": "secretsmanager.amazonaws.com", "userIdentity": { "type": "IAMUser", "userName": "bob" },
            "requestParameters": { "secretId": "prod/db", "secretString": VALUE } })
    };
    let mut records: Vec<Value> = (0..600).map(|id| event(id, "GetSecretValue")).collect();
    records.extend([event(0, "GetSecretValue"), event(600, "PutSecretValue"), json!({})]);
    let file = json!({ "Records": records }).to_string();
    let bring = async |role: Role, from: &str, body: String| {
        let path = format!("/api/audit/import?from={from}");
        let answer = server.ask(role, Method::POST, &path).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, told) = bring(Role::Admin, "cloudtrail", file.clone()).await;
    assert_eq!((status, told), (200, json!({ "entries": 601, "known": 1, "others": 1 })));
    let again = bring(Role::Admin, "cloudtrail", file.clone()).await.1;
    assert_eq!(again, json!({ "entries": 0, "known": 602, "others": 1 }));
    assert_eq!(bring(Role::Operator, "cloudtrail", file.clone()).await.0, 403);
    assert_eq!(bring(Role::Admin, "syslog", file).await.0, 422);
    assert_eq!(bring(Role::Admin, "cloudtrail", "rubbish".to_owned()).await.0, 422);
    let put = entries(&server, "?action=aws.put_secret_value").await;
    assert_eq!((text(&put[0], "actor"), text(&put[0], "subject")), ("bob", "DB"));
    assert_eq!(entries(&server, "?action=audit.import").await.len(), 2);
    let log = server.ask(Role::Admin, Method::GET, "/api/audit/export").send().await.unwrap();
    assert!(!log.text().await.unwrap().contains(VALUE));
    server.stop().await;
}

/// `cargo nextest run -p ops-server --run-ignored only -E 'test(what_our_device_costs)' --no-capture`
#[tokio::test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr, reason = "the figures are what it is for")]
async fn what_our_device_costs_beside_a_file() {
    const READS: usize = 500;
    let scene = Scene::start().await;
    scene.bao.put("db/primary", json!({ "password": VALUE })).await.unwrap();
    let measure = async || {
        let mut took = Vec::new();
        for _ in 0..READS {
            let began = std::time::Instant::now();
            assert_eq!(scene.read("db/primary").await, 200);
            took.push(began.elapsed());
        }
        took.sort();
        (took[READS / 2], took[READS * 99 / 100])
    };
    measure().await;
    let ours = measure().await;
    scene.enable_file().await;
    let both = measure().await;
    scene.bao.ask(Method::DELETE, "sys/audit/ops", None).await.unwrap();
    let file = measure().await;
    eprintln!("median and 99th percentile of a read: ours {ours:?}, both {both:?}, file {file:?}");
    scene.server.stop().await;
}
