//! 1,000 alerts, a receiver that does everything wrong, and servers that are killed at any moment: everybody is told of
//! everything, in order, and of nothing that was not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ops_contract::{IncidentsView, Timestamp};
use ops_samples::{Labels, Sample, remote_write};
use ops_tests::receiver::{Behaviour, Receiver, Request};
use ops_tests::stores::Postgres;
use ops_tests::system::{http_client, prepare};
use ops_tests::{eventually, free_ports};
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;

const TOKEN: &str = "a-token-for-this-test-and-no-other";
const ALERTS: usize = 1_000;
const KILLS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(120);

const RULES: &str = "
groups:
  - name: storm
    rules:
      - alert: Storm
        expr: storm > 0
        labels: { severity: critical }
";

const ROUTES: &str = "
route: {receiver: hook, group_by: [part], group_wait: 1h, group_interval: 1h, repeat_interval: 10h}
receivers: [{name: hook, webhook_configs: [{url: 'URL/hook', timeout: 1s}]}]
";

/// A server process that is started again when it was killed.
struct Server {
    folder: TempDir,
    url: String,
    program: PathBuf,
    child: Child,
}

impl Server {
    fn start(receiver: &Receiver, database: &str) -> Self {
        let port = free_ports().unwrap();
        let stack = format!(
            "[stack]\nname = \"storm\"\nenvironment = \"test\"\n[server]\nlisten = \"127.0.0.1:{port}\"\n{database}\n[alerts]\nrules = [\"rules.yml\"]\nbuiltin = false\nalertmanager_file = \"alertmanager.yml\"\n"
        );
        let folder = prepare(&stack).unwrap();
        std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
        std::fs::write(folder.path().join("alertmanager.yml"), ROUTES.replace("URL", &receiver.url)).unwrap();
        std::fs::write(folder.path().join("token"), TOKEN).unwrap();
        std::fs::write(folder.path().join("agent"), format!("{TOKEN}-agent")).unwrap();
        let program = ops_tests::system::program("insightdesk").unwrap();
        let child = run(&program, &folder);
        Self { folder, url: format!("http://127.0.0.1:{port}"), program, child }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = run(&self.program, &self.folder);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(program: &PathBuf, folder: &TempDir) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
    Command::new(program)
        .args(["server", "--operator-token-file", "token", "--agent-token-file", "agent"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Random enough, and the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

/// Has every server learn the value of each series, however often that takes.
async fn push(http: &Client, servers: &[Server], values: &BTreeMap<usize, f64>) {
    for server in servers {
        let write = async || {
            let at_ms = now().0 / 1_000;
            let samples: Vec<(Labels, Sample)> = values
                .iter()
                .map(|(n, value)| {
                    let (n, part) = (n.to_string(), (n % 7).to_string());
                    let labels = [("__name__", "storm"), ("n", n.as_str()), ("part", part.as_str())];
                    (Labels::new(labels).unwrap(), Sample { at_ms, value: *value })
                })
                .collect();
            let request = http.post(format!("{}/prometheus/api/v1/write", server.url)).bearer_auth(TOKEN);
            let request = request
                .header("content-encoding", "snappy")
                .header("content-type", remote_write::CONTENT_TYPE_V1)
                .body(remote_write::encode_v1(&samples));
            request.send().await.ok().filter(|it| it.status().is_success()).map(drop)
        };
        let taken = eventually(PATIENCE, write).await;
        taken.unwrap_or_else(|| panic!("{} takes no samples\n{}", server.url, said(servers)));
    }
}

/// The alerts that a server has seen firing: only these are promised to be told.
async fn firing(http: &Client, servers: &[Server]) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    for server in servers {
        let url = format!("{}/prometheus/api/v1/alerts", server.url);
        let Ok(answer) = http.get(url).bearer_auth(TOKEN).send().await else { continue };
        let Ok(answer) = answer.json::<Value>().await else { continue };
        let alerts = answer["data"]["alerts"].as_array().cloned().unwrap_or_default();
        all.extend(alerts.iter().filter_map(|it| it["labels"]["n"].as_str()?.parse::<usize>().ok()));
    }
    all
}

/// The ends of the servers' logs.
fn said(servers: &[Server]) -> String {
    let last = |server: &Server| {
        let log = std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|it| !it.contains("Storm ")).collect();
        format!("{}\n{}\n", server.url, lines[lines.len().saturating_sub(20)..].join("\n"))
    };
    servers.iter().map(last).collect()
}

async fn view(http: &Client, server: &Server) -> Option<IncidentsView> {
    let request = http.get(format!("{}/api/incidents", server.url)).bearer_auth(TOKEN);
    request.send().await.ok()?.json().await.ok()
}

async fn storm(receiver: &mut Receiver, servers: &mut [Server]) {
    let http = http_client().unwrap();
    let mut dice = Dice(42);
    let mut values: BTreeMap<usize, f64> = (0..ALERTS).map(|n| (n, 0.0)).collect();
    let mut ended = BTreeSet::new();
    let mut seen = BTreeSet::new();
    push(&http, servers, &values).await;
    for round in 0..KILLS {
        // A twentieth begins; of those before, some end.
        for n in (0..ALERTS).filter(|n| n % KILLS == round) {
            values.insert(n, 1.0);
        }
        for n in std::mem::take(&mut seen) {
            if dice.below(4) == 0 {
                values.insert(n, 0.0);
                ended.insert(n);
            }
        }
        push(&http, servers, &values).await;
        // With several servers it takes a while until another decides.
        let look = async || Some(firing(&http, servers).await).filter(|it| !it.is_empty());
        let found = eventually(Duration::from_secs(15), look).await;
        seen = found.unwrap_or_else(|| panic!("round {round}: nobody decides\n{}", said(servers)));
        let script = (0..12).map(|_| match dice.below(6) {
            0 => Behaviour::Status(500),
            1 => Behaviour::Busy(1),
            2 => Behaviour::Hang,
            3 => Behaviour::Break,
            _ => Behaviour::Status(200),
        });
        receiver.then(script.collect::<Vec<_>>());
        match dice.below(4) {
            0 => receiver.away(),
            _ => receiver.back().await.unwrap(),
        }
        tokio::time::sleep(Duration::from_millis(dice.below(700))).await;
        let which = usize::try_from(dice.below(servers.len() as u64)).unwrap();
        servers[which].kill();
    }
    receiver.back().await.unwrap();
    receiver.forget_script();
    push(&http, servers, &values).await;
    let done = async || {
        push(&http, servers, &values).await;
        let (told, _) = told(&receiver.requests());
        let all = (0..ALERTS).all(|n| told.contains_key(&n));
        let ends = ended.iter().all(|n| told.get(n).is_some_and(|it| it.last().is_some_and(|(end, _)| *end)));
        let idle = view(&http, &servers[0]).await.is_some_and(|it| it.waiting == 0);
        (all && ends && idle).then_some(())
    };
    let finished = eventually(PATIENCE, done).await;
    if finished.is_none() {
        for server in servers.iter() {
            let view = view(&http, server).await;
            let waits = view.map(|it| (it.living.len(), it.resolved.len(), it.waiting, it.waiting_since));
            println!("{}: living, resolved, waiting: {waits:?}", server.url);
        }
        println!("{}", said(servers));
    }
    check(&receiver.requests(), &ended, finished.is_some());
}

/// Of each alert what was taken, in order: whether it was its end, and the message's id.
type Told = BTreeMap<usize, Vec<(bool, String)>>;

/// What was told, and all ids with what they said.
fn told(requests: &[Request]) -> (Told, BTreeMap<String, Value>) {
    let mut told = Told::new();
    let mut bodies = BTreeMap::new();
    for request in requests {
        let id = request.header("webhook-id").unwrap().to_owned();
        let said = bodies.entry(id.clone()).or_insert_with(|| request.body["alerts"].clone());
        assert_eq!(*said, request.body["alerts"], "the message {id} said two things");
        if request.answer != Behaviour::Status(200) {
            continue;
        }
        for alert in request.body["alerts"].as_array().unwrap() {
            let n = alert["labels"]["n"].as_str().unwrap().parse().unwrap();
            told.entry(n).or_default().push((alert["status"] == "resolved", id.clone()));
        }
    }
    (told, bodies)
}

fn check(requests: &[Request], ended: &BTreeSet<usize>, finished: bool) {
    let (told, messages) = told(requests);
    let mut faults = String::new();
    if !finished {
        let _ = writeln!(faults, "not all was told in time");
    }
    for n in 0..ALERTS {
        let Some(of) = told.get(&n) else {
            let _ = writeln!(faults, "{n} was never told");
            continue;
        };
        let is_over = ended.contains(&n);
        if of.iter().any(|(end, _)| *end) && !is_over {
            let _ = writeln!(faults, "{n} was told as resolved and fires: {of:?}");
        }
        if is_over && !of.iter().any(|(end, _)| *end) {
            let _ = writeln!(faults, "the end of {n} was never told: {of:?}");
        }
        if !of.is_sorted_by_key(|(end, _)| *end) {
            let _ = writeln!(faults, "{n} was told in the wrong order: {of:?}");
        }
        for kind in [false, true] {
            let ids: BTreeSet<&String> =
                of.iter().filter(|(end, _)| *end == kind).map(|(_, id)| id).collect();
            if ids.len() > 1 {
                let _ = writeln!(faults, "{n} was told twice by different messages: {of:?}");
            }
        }
    }
    let taken = requests.iter().filter(|it| it.answer == Behaviour::Status(200)).count();
    println!(
        "{} requests, {taken} taken, {} messages, {} ended",
        requests.len(),
        messages.len(),
        ended.len()
    );
    assert!(faults.is_empty(), "{faults}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_one_server_and_sqlite() {
    let mut receiver = Receiver::start().await.unwrap();
    let mut servers = [Server::start(&receiver, "")];
    storm(&mut receiver, &mut servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_two_servers_and_postgresql() {
    let postgres = Postgres::start().await.unwrap();
    let mut receiver = Receiver::start().await.unwrap();
    let database = format!("database = {:?}\n", postgres.url());
    let mut servers = [Server::start(&receiver, &database), Server::start(&receiver, &database)];
    storm(&mut receiver, &mut servers).await;
}
