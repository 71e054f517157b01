//! A value of every secret that is looked for everywhere afterwards: it may stand in no log, trace, envelope, metric, page,
//! answer or file.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ops_tests::moto::Moto;
use ops_tests::openbao::OpenBao;
use ops_tests::system::{self, kill, prepare};
use ops_tests::{System, eventually, free_port};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::sinks::Sinks;

const STACK: &str = r#"
[stack]
name = "canary"
environment = "test"

[server]
listen = "127.0.0.1:FREE_PORT_1"

[secret_stores.vault]
address = "BAO_URL"
token_file = "BAO_TOKEN_FILE"

[secret_stores.aws]
region = "eu-central-1"
endpoint_url = "MOTO_URL"

[secrets.CANARY_ENV]
from = "env"

[secrets.CANARY_MADE]
from = "generated"

[secrets.CANARY_FILE]
from = "encrypted_file"

[secrets.CANARY_VAULT]
from = "vault"
path = "canary"
field = "value"

[secrets.CANARY_AWS]
from = "aws_secrets_manager"
id = "canary"

[services.teller]
run = ["node", "TESTS/node/teller.mjs"]
secrets = ["CANARY_ENV", "CANARY_MADE", "CANARY_FILE", "CANARY_VAULT", "CANARY_AWS"]
health = { path = "/health", interval = "200ms" }
env = { ADDRESS = "https://app:${secret.CANARY_VAULT}@example.com/" }
"#;

fn canary() -> String {
    format!("canary-{}", uuid::Uuid::new_v4().simple())
}

/// What was looked at, and what of it held a value.
struct Search {
    /// Each value as it is, and as base64 of it.
    wanted: Vec<(String, Vec<u8>)>,
    looked_at: usize,
    found: Vec<String>,
}

impl Search {
    fn of(values: &[(&str, String)]) -> Self {
        let wanted = values.iter().flat_map(|(name, value)| {
            // The first two thirds of a base64 text do not depend on what follows the value.
            let whole = STANDARD_NO_PAD.encode(value);
            let part = whole[..whole.len() * 2 / 3].to_owned();
            [(format!("{name} in clear"), value.clone()), (format!("{name} as base64"), part)]
        });
        let wanted = wanted.map(|(name, value)| (name, value.into_bytes())).collect();
        Self { wanted, looked_at: 0, found: Vec::new() }
    }

    fn look(&mut self, place: &str, bytes: &[u8]) {
        self.looked_at += 1;
        for (name, value) in &self.wanted {
            if bytes.windows(value.len()).any(|it| it == value) {
                self.found.push(format!("{name}: {place}"));
            }
        }
    }

    /// Every file under `folder`.
    fn walk(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                self.walk(&path);
            } else if path.is_file() {
                // A socket's or a pipe's reader would wait for ever; what vanishes meanwhile is gone.
                self.look(&path.display().to_string(), &fs::read(&path).unwrap_or_default());
            }
        }
    }
}

struct Canary {
    system: System,
    sinks: Sinks,
    _bao: OpenBao,
    _moto: Moto,
    values: Vec<(&'static str, String)>,
}

async fn start() -> Canary {
    let (bao, moto) = tokio::try_join!(OpenBao::start(), Moto::start()).unwrap();
    let values = ["CANARY_ENV", "CANARY_FILE", "CANARY_VAULT", "CANARY_AWS"].map(|it| (it, canary()));
    bao.put("canary", json!({ "value": values[2].1 })).await.unwrap();
    let aws = reqwest::Client::new()
        .post(&moto.url)
        .header("x-amz-target", "secretsmanager.CreateSecret")
        .header("content-type", "application/x-amz-json-1.1")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=testing/20260101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0")
        .body(json!({ "Name": "canary", "SecretString": values[3].1, "ClientRequestToken": uuid::Uuid::new_v4() }).to_string());
    assert!(aws.send().await.unwrap().status().is_success());

    let sink = free_port().unwrap();
    let sinks = Sinks::start(sink).await;
    let token_file = bao.folder.path().join("token");
    fs::write(&token_file, &bao.token).unwrap();
    let stack = STACK
        .replace("BAO_URL", &bao.url)
        .replace("BAO_TOKEN_FILE", &token_file.display().to_string())
        .replace("MOTO_URL", &moto.url);
    let folder = prepare(&stack).unwrap();
    fs::write(folder.path().join(".env"), format!("CANARY_ENV={}\n", values[0].1)).unwrap();
    let mut environment = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("http://127.0.0.1:{sink}")),
        ("SENTRY_DSN".to_owned(), format!("http://public@127.0.0.1:{sink}/1")),
        ("LOG_LEVEL".to_owned(), "trace".to_owned()),
        ("RUST_BACKTRACE".to_owned(), "full".to_owned()),
    ];
    environment.extend(Moto::environment().map(|(name, value)| (name.to_owned(), value)));
    // CANARY_FILE has no value yet: the service cannot start, and says so; `up` waits for it.
    let path = folder.path().to_owned();
    let value = values[1].1.clone();
    let set = eventually(Duration::from_secs(60), async || set(&path, "CANARY_FILE", &value).then_some(()));
    let (system, set) = tokio::join!(System::start_with(folder, environment), set);
    set.expect("CANARY_FILE could be set");
    let system = system.unwrap();
    let mut values = values.to_vec();
    values.extend([("the token of OpenBao", bao.token.clone())]);
    Canary { system, sinks, _bao: bao, _moto: moto, values }
}

/// `insightdesk secrets set`, the value on its standard input.
fn set(folder: &Path, name: &str, value: &str) -> bool {
    let mut command = system::cli(folder, &["secrets", "set", name, "--reason", "a canary"]).unwrap();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(value.as_bytes());
    child.wait().unwrap().success()
}

/// Every address of the API that can be read and takes no name, and every page.
async fn readable(system: &System) -> Vec<String> {
    let description: Value = system.get("/api/openapi.json").await.unwrap();
    let mut all: Vec<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, operations)| {
            operations["get"].is_object() && !path.contains('{') && *path != "/api/live"
        })
        .map(|(path, _)| path.clone())
        .collect();
    assert!(all.len() > 15, "{all:?}");
    let more = [
        "/",
        "/alerts",
        "/audit",
        "/explore",
        "/incidents",
        "/notifications",
        "/queues",
        "/scaling",
        "/secrets",
        "/metrics",
        "/api/services/teller",
        "/api/services/teller/replicas/0/logs",
        "/api/services/teller/replicas/0/exits",
        "/api/audit/3/receipt",
        "/api/audit?limit=500",
        "/prometheus/api/v1/targets",
        "/prometheus/api/v1/label/__name__/values",
        "/prometheus/api/v1/query?query=%7B__name__%3D~%22.%2B%22%7D",
        "/alertmanager/api/v2/status",
        "/alertmanager/api/v2/alerts",
    ];
    all.extend(more.map(str::to_owned));
    all
}

#[tokio::test]
async fn no_value_of_a_secret_stands_anywhere() {
    let Canary { system, sinks, _bao, _moto, mut values } = start().await;
    system.serves().await.unwrap();
    for name in ["CANARY_ENV", "CANARY_FILE", "CANARY_VAULT", "CANARY_AWS", "CANARY_MADE"] {
        let read = system.cli(&["secrets", "read", name, "--reason", "looking for canaries"]).unwrap();
        let read = String::from_utf8(read.stdout).unwrap().trim().to_owned();
        match values.iter().find(|(it, _)| *it == name) {
            Some((_, value)) => assert_eq!(*value, read),
            None => values.push((name, read)),
        }
    }
    assert!(values.iter().all(|(_, value)| value.len() >= 16), "there is something to look for");

    // What breaks tells most: a crash, a killed replica, a killed server, refused and impossible requests.
    let replica = system.replica("teller", 0).await.unwrap().state;
    let _ = system.http.get(format!("http://127.0.0.1:{}/crash", replica.port.unwrap())).send().await;
    let replica = system.replaced("teller", 0, replica.pid.unwrap()).await.unwrap().state;
    kill(system.control_pids().unwrap().0, Signal::KILL);
    let back = eventually(Duration::from_secs(30), async || system.serves().await.ok());
    back.await.expect("the server came back");
    kill(replica.pid.unwrap(), Signal::KILL);
    system.replaced("teller", 0, replica.pid.unwrap()).await.unwrap();
    let body = json!({ "reason": "to be refused", "value": values[1].1 });
    for path in ["/api/secrets/NONE/read", "/api/secrets/CANARY_FILE/read?x=1", "/api/services/NONE/restart"]
    {
        let _ = system.send(Method::POST, path, Some(body.clone())).await.unwrap();
    }
    for path in ["/api/secrets/NONE", "/api/secrets/CANARY_ENV", "/api/secrets/CANARY_FILE"] {
        let _ = system.send(Method::PUT, path, Some(body.clone())).await.unwrap();
    }
    system.post("/api/audit/verify", Value::Null).await.unwrap();

    let mut search = Search::of(&values);
    for path in readable(&system).await {
        let answer = system.send(Method::GET, &path, None).await.unwrap();
        assert!(!answer.status().is_server_error(), "{path}: {}", answer.status());
        search.look(&path, &answer.bytes().await.unwrap());
    }
    for arguments in [
        &["secrets", "list"][..],
        &["audit", "list", "--json"],
        &["logs", "teller/0"],
        &["audit", "export"],
        &["doctor"],
    ] {
        let output = system.cli(arguments).unwrap();
        search.look(&format!("stdout of {arguments:?}"), &output.stdout);
        search.look(&format!("stderr of {arguments:?}"), &output.stderr);
    }
    search.walk(&system.state());
    assert!(system.cli(&["down"]).unwrap().status.success());
    search.walk(&system.state());
    let (exports, envelopes) = (sinks.exports(), sinks.envelopes());
    assert!(!exports.is_empty(), "no traces were sent");
    for bytes in exports.iter().chain(&envelopes) {
        search.look("a trace or an envelope", bytes);
    }
    println!("{} places, {} exports, {} envelopes", search.looked_at, exports.len(), envelopes.len());
    search.found.sort();
    search.found.dedup();
    assert!(search.found.is_empty(), "{:#?}", search.found);

    // The search itself can fail.
    let mut trial = Search::of(&values[..1]);
    trial.look("here", format!("x{}y", values[0].1).as_bytes());
    trial.look("there", STANDARD.encode(&values[0].1).as_bytes());
    assert_eq!(trial.found.len(), 2);
}
