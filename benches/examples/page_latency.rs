//! From `kill -9` of a replica to the arrival of its page: ours, and Prometheus with Alertmanager, usual and as fast as people set them.
//!
//! `page_latency [KILLS]`, with `INSIGHTDESK_BIN_DIR` naming the folder of a release build. Every victim is a process that does
//! nothing but answer HTTP, killed at a random moment; every page is an HTTP request to the same receiver. Ours restarts what was
//! killed, as it would; the victims of the others stay dead until the page has come, which is to their advantage: a process
//! that is back before the next scrape is never seen.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use ops_tests::receiver::{Receiver, Request};
use ops_tests::system::{kill, prepare};
use ops_tests::{System, eventually, free_port};
use rustix::process::Signal;

const PATIENCE: Duration = Duration::from_secs(180);

/// How the pair is set: scrape, evaluation, `group_wait`, and for how long victims are killed at random moments.
const PAIRS: [(&str, &str, &str, &str, u64); 2] = [
    ("Prometheus + Alertmanager, 15 s / 15 s / 30 s", "15s", "15s", "30s", 45),
    ("Prometheus + Alertmanager, 1 s / 1 s / 0 s", "1s", "1s", "0s", 30),
];

fn main() -> anyhow::Result<()> {
    let first = std::env::args().nth(1);
    if first.as_deref() == Some("victim") {
        return victim();
    }
    let kills: usize = first.map_or(Ok(100), |it| it.parse())?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run(kills))
}

#[allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
async fn run(kills: usize) -> anyhow::Result<()> {
    let mut rows = vec![("InsightDesk Ops", ours(kills).await?)];
    for (name, scrape, evaluation, group_wait, seconds) in PAIRS {
        let took = pair(kills, scrape, evaluation, group_wait, Duration::from_secs(seconds)).await?;
        rows.push((name, took));
    }
    println!(
        "| kill -9 to the page's arrival | kills | p50 ms | p99 ms | slowest ms | p50 ÷ ours |\n| --- | --- | --- | --- | --- | --- |"
    );
    let base = at(&rows[0].1, 0.5);
    for (name, took) in &rows {
        let (p50, p99, slowest) = (at(took, 0.5), at(took, 0.99), at(took, 1.0));
        println!("| {name} | {} | {p50:.1} | {p99:.1} | {slowest:.1} | {:.0} |", took.len(), p50 / base);
    }
    Ok(())
}

fn at(took: &[Duration], share: f64) -> f64 {
    let place = (took.len() as f64 * share).ceil() as usize;
    took.get(place.saturating_sub(1)).copied().unwrap_or_default().as_secs_f64() * 1_000.0
}

/// Answers everything with one metric until it is killed.
fn victim() -> anyhow::Result<()> {
    let port: u16 = std::env::var("PORT")?.parse()?;
    for stream in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        let mut stream = stream?;
        let mut head = [0; 4_096];
        let _ = stream.read(&mut head);
        let body = "alive 1\n";
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
    }
    Ok(())
}

/// A random share of `longest`.
fn pause(longest: Duration) -> Duration {
    longest.mul_f64(f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX))
}

/// The page that says so of a victim, by a label's value.
fn says(it: &Request, since: Instant, status: &str, label: &str, value: &str) -> bool {
    let alerts = it.body["alerts"].as_array();
    it.at >= since
        && alerts
            .is_some_and(|all| all.iter().any(|one| one["status"] == status && one["labels"][label] == value))
}

/// Our whole stack: server, agent, supervised replicas, a rule, a webhook. Each slot is killed twice.
async fn ours(kills: usize) -> anyhow::Result<Vec<Duration>> {
    let receiver = Receiver::start().await?;
    let slots = kills.div_ceil(2).min(200);
    let this = std::env::current_exe()?;
    let stack = format!(
        r#"
[stack]
name = "page-latency"
environment = "test"
[server]
listen = "127.0.0.1:FREE_PORT_1"
[alerts]
rules = ["rules.yml"]
alertmanager_file = "alertmanager.yml"
[services.victim]
run = ["{}", "victim"]
replicas = {slots}
[services.victim.restart]
backoff = "500ms"
"#,
        this.display()
    );
    let folder = prepare(&stack)?;
    let rules = "groups: [{name: g, rules: [{alert: ReplicaKilled, expr: 'ops_replica_up{service=\"victim\"} == 0', labels: {severity: critical}}]}]";
    std::fs::write(folder.path().join("rules.yml"), rules)?;
    std::fs::write(folder.path().join("alertmanager.yml"), routes(&receiver, "slot", "30s"))?;
    let system = System::start_in(folder).await?;
    system.serves().await?;
    let mut took = Vec::new();
    for kill_number in 0..kills {
        let slot = (kill_number % slots) as u16;
        tokio::time::sleep(pause(Duration::from_millis(400))).await;
        let before = system.replica("victim", slot).await?;
        let pid = before.state.pid.context("a replica that serves has a process")?;
        let since = Instant::now();
        kill(pid, Signal::KILL);
        let slot = slot.to_string();
        let page = receiver.wait_for(PATIENCE, |it| says(it, since, "firing", "slot", &slot)).await?;
        took.push(page.at - since);
    }
    took.sort_unstable();
    Ok(took)
}

/// Everything to the webhook. Ours tells what is critical at once, whatever `group_wait` says.
fn routes(receiver: &Receiver, by: &str, group_wait: &str) -> String {
    format!(
        "route: {{receiver: hook, group_by: [alertname, {by}], group_wait: {group_wait}, group_interval: 5m}}\nreceivers: [{{name: hook, webhook_configs: [{{url: '{}/hook'}}]}}]\n",
        receiver.url
    )
}

/// Processes that are killed when this is dropped.
#[derive(Default)]
struct Processes(Vec<Child>);

impl Processes {
    fn start(&mut self, command: &mut Command) -> anyhow::Result<u32> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let pid = child.id();
        self.0.push(child);
        Ok(pid)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

async fn pair(
    kills: usize,
    scrape: &str,
    evaluation: &str,
    group_wait: &str,
    within: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let receiver = Receiver::start().await?;
    let folder = tempfile::Builder::new().prefix("page-latency-").tempdir()?;
    let mut processes = Processes::default();
    let mut victims = Vec::new();
    for _ in 0..kills {
        let port = free_port()?;
        let pid = processes
            .start(Command::new(std::env::current_exe()?).arg("victim").env("PORT", port.to_string()))?;
        victims.push((format!("127.0.0.1:{port}"), pid));
    }
    let (prometheus, alertmanager) = (free_port()?, free_port()?);
    let names: Vec<String> = victims.iter().map(|(name, _)| format!("'{name}'")).collect();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("alertmanager.yml", &routes(&receiver, "instance", group_wait))?;
    write(
        "rules.yml",
        "groups: [{name: g, rules: [{alert: ReplicaKilled, expr: up == 0, labels: {severity: critical}}]}]",
    )?;
    write(
        "prometheus.yml",
        &format!(
            "global: {{scrape_interval: {scrape}, scrape_timeout: 1s, evaluation_interval: {evaluation}}}\nrule_files: [rules.yml]\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}\nscrape_configs: [{{job_name: victims, static_configs: [{{targets: [{}]}}]}}]\n",
            names.join(", ")
        ),
    )?;
    let flag = |name: &str, path: &Path, file: &str| format!("--{name}={}", path.join(file).display());
    processes.start(
        Command::new("prometheus-alertmanager")
            .arg(flag("config.file", folder.path(), "alertmanager.yml"))
            .arg(flag("storage.path", folder.path(), "alertmanager"))
            .arg(format!("--web.listen-address=127.0.0.1:{alertmanager}"))
            .arg("--cluster.listen-address="),
    )?;
    processes.start(
        Command::new("prometheus")
            .arg(flag("config.file", folder.path(), "prometheus.yml"))
            .arg(flag("storage.tsdb.path", folder.path(), "prometheus"))
            .arg(format!("--web.listen-address=127.0.0.1:{prometheus}")),
    )?;
    all_are_seen(prometheus, kills).await?;
    let started = Instant::now();
    let mut order: Vec<(Duration, String, u32)> =
        victims.into_iter().map(|(name, pid)| (pause(within), name, pid)).collect();
    order.sort();
    let mut killed = Vec::new();
    for (moment, name, pid) in order {
        tokio::time::sleep(moment.saturating_sub(started.elapsed())).await;
        let since = Instant::now();
        kill(pid, Signal::KILL);
        killed.push((since, name));
    }
    let mut took = Vec::new();
    for (since, name) in killed {
        let page = receiver.wait_for(PATIENCE, |it| says(it, since, "firing", "instance", &name)).await?;
        took.push(page.at - since);
    }
    took.sort_unstable();
    Ok(took)
}

async fn all_are_seen(prometheus: u16, count: usize) -> anyhow::Result<()> {
    let http = ops_tests::system::http_client()?;
    let url = format!("http://127.0.0.1:{prometheus}/api/v1/query?query=count(up%20==%201)");
    let wanted = count.to_string();
    let look = async || {
        let answer: serde_json::Value = http.get(&url).send().await.ok()?.json().await.ok()?;
        (answer["data"]["result"][0]["value"][1].as_str()? == wanted).then_some(())
    };
    eventually(PATIENCE, look).await.context("Prometheus does not see all victims")
}
