//! Reads of a secret that are recorded before they are answered: ours, durable and signed, and OpenBao's with its file audit device,
//! which writes without syncing.
//!
//! `secret_reads [SECONDS]`, with `INSIGHTDESK_BIN_DIR` naming the folder of a release build. One machine, one client program, the
//! same number of connections for each; every read waits for its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ops_tests::System;
use ops_tests::openbao::OpenBao;
use ops_tests::system::prepare;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

const STACK: &str = r#"
[stack]
name = "secret-reads"
environment = "test"
[server]
listen = "127.0.0.1:FREE_PORT_1"
[secrets.KEY]
from = "generated"
"#;

#[tokio::main]
#[allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
async fn main() -> anyhow::Result<()> {
    let seconds: u64 = std::env::args().nth(1).map_or(Ok(10), |it| it.parse())?;
    let bao = OpenBao::start().await?;
    bao.put("key", json!({ "value": "0123456789abcdef0123456789abcdef" })).await?;
    let file = bao.folder.path().join("audit.log");
    let device = json!({ "type": "file", "options": { "file_path": file } });
    bao.ask(Method::PUT, "sys/audit/file", Some(device)).await?;
    let system = System::start_in(prepare(STACK)?).await?;
    let state: Value =
        serde_json::from_slice(&std::fs::read(system.folder().join(".insightdesk/client.json"))?)?;
    let (url, token) = (word(&state, "url")?, word(&state, "token")?);

    println!(
        "| reads, each recorded first | connections | reads/s | p50 ms | p99 ms |\n| --- | --- | --- | --- | --- |"
    );
    for connections in [1, 16, 64] {
        let client = Client::builder().pool_max_idle_per_host(connections).build()?;
        let ours = {
            let (client, url, token) = (client.clone(), url.clone(), token.clone());
            move || {
                let ask = client.post(format!("{url}/api/secrets/KEY/read")).bearer_auth(&token);
                ask.json(&json!({ "reason": "a benchmark" }))
            }
        };
        let theirs = {
            let (url, token) = (bao.url.clone(), bao.token.clone());
            move || client.get(format!("{url}/v1/secret/data/key")).header("x-vault-token", &token)
        };
        let mut rates = Vec::new();
        for (name, took) in [
            ("InsightDesk Ops", run(ours, connections, seconds).await?),
            ("OpenBao, file device", run(theirs, connections, seconds).await?),
        ] {
            let rate = took.len() as f64 / seconds as f64;
            rates.push(rate);
            println!(
                "| {name} | {connections} | {rate:.0} | {:.2} | {:.2} |",
                at(&took, 0.5),
                at(&took, 0.99)
            );
        }
        println!("| ours ÷ theirs | {connections} | {:.2} | | |", rates[0] / rates[1]);
    }
    let verified = system.post("/api/audit/verify", Value::Null).await?;
    println!("{verified}");
    Ok(())
}

fn word(state: &Value, key: &str) -> anyhow::Result<String> {
    Ok(state[key].as_str().with_context(|| format!("client.json has no {key}"))?.to_owned())
}

fn at(took: &[Duration], share: f64) -> f64 {
    let place = (took.len() as f64 * share).ceil() as usize;
    took.get(place.saturating_sub(1)).copied().unwrap_or_default().as_secs_f64() * 1_000.0
}

/// How long each read took, the quickest first.
async fn run(
    ask: impl Fn() -> RequestBuilder + Send + Sync + 'static,
    connections: usize,
    seconds: u64,
) -> anyhow::Result<Vec<Duration>> {
    let ask = Arc::new(ask);
    let end = Instant::now() + Duration::from_secs(seconds);
    let failed = Arc::new(AtomicU64::new(0));
    let clients = (0..connections).map(|_| {
        let (ask, failed) = (ask.clone(), failed.clone());
        tokio::spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                let began = Instant::now();
                let read = async { ask().send().await?.error_for_status()?.bytes().await };
                match read.await {
                    Ok(_) => took.push(began.elapsed()),
                    Err(_) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            took
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.await?);
    }
    ensure!(failed.load(Ordering::Relaxed) == 0, "some reads failed");
    all.sort_unstable();
    Ok(all)
}
