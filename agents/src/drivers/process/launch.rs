use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use ops_contract::{ReplicaId, ServiceSpec, Stack};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::agent::Agent;

/// Size at which a log is rotated, and how many rotated files are kept.
const LOG_MAX_BYTES: u64 = 4 << 20;
const LOG_KEEP: u32 = 2;
/// Longest wait for a shim's answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest answer of a shim.
const MAX_BYTES: u64 = 64 * 1024;

/// The shim's exit code when the slot is held, and when the generation was used before.
const HELD: u8 = 75;
const USED: u8 = 76;

/// What a shim is told. No `Debug`: it holds secrets.
#[derive(Serialize)]
pub(super) struct Order {
    slot_dir: PathBuf,
    generation: i64,
    log_path: PathBuf,
    log_max_bytes: u64,
    log_keep: u32,
    argv: Vec<String>,
    directory: String,
    env: BTreeMap<String, String>,
    redact: Vec<String>,
    port: Option<u16>,
    spec_hash: String,
    stop_grace_ms: u64,
}

/// What a shim answers.
pub(super) enum Answer {
    /// The program runs.
    Runs,
    /// Somebody else has the slot, or the generation was used: look again.
    Taken(String),
    /// It does not run, and why.
    Failed(String),
}

#[derive(Deserialize)]
struct Line {
    error: Option<String>,
    #[serde(default)]
    code: u8,
}

/// Puts together what the shim is told; fails in words when a secret is missing.
pub(super) fn order(
    agent: &Agent,
    stack: &Stack,
    replica: &ReplicaId,
    generation: i64,
    spec: &ServiceSpec,
    port: u16,
) -> Result<Order, String> {
    let mut secrets = Resolver { agent, stack, found: BTreeMap::new() };
    let mut env = agent.environment.inherited();
    env.insert("HOST".to_owned(), "127.0.0.1".to_owned());
    for (name, template) in &spec.env {
        env.insert(name.clone(), secrets.fill(template)?);
    }
    for name in &spec.secrets {
        let value = secrets.value(name)?.expose_secret().to_owned();
        env.insert(name.clone(), value);
    }
    env.insert("PORT".to_owned(), port.to_string());
    env.insert("INSIGHTDESK_REPLICA".to_owned(), replica.to_string());
    Ok(Order {
        slot_dir: agent.paths.slot(replica),
        generation,
        log_path: agent.paths.log(replica, generation),
        log_max_bytes: LOG_MAX_BYTES,
        log_keep: LOG_KEEP,
        argv: spec.program.command.clone(),
        directory: spec.program.directory.clone(),
        env,
        redact: secrets.found.values().flat_map(|value| spellings(value.expose_secret())).collect(),
        port: Some(port),
        spec_hash: hash(spec),
        stop_grace_ms: u64::try_from(spec.stop.grace.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Hands the order to a new shim and hears whether the program runs.
pub(super) async fn launch(agent: &Agent, order: &Order) -> Answer {
    match tokio::time::timeout(PATIENCE, talk(agent, order)).await {
        Err(_) => Answer::Taken("the shim does not answer".to_owned()),
        Ok(Err(error)) => Answer::Failed(format!("cannot start the shim {}: {error}", agent.shim.display())),
        Ok(Ok(answer)) => match serde_json::from_slice(&answer) {
            Ok(Line { error: None, .. }) => Answer::Runs,
            Ok(Line { error: Some(error), code: HELD | USED }) => Answer::Taken(error),
            Ok(Line { error: Some(error), .. }) => Answer::Failed(error),
            Err(_) => Answer::Taken("the shim ended without an answer".to_owned()),
        },
    }
}

/// The shim outlives this function and this agent. It inherits nothing but the order.
async fn talk(agent: &Agent, order: &Order) -> std::io::Result<Vec<u8>> {
    let text = serde_json::to_vec(order)?;
    let mut shim = Command::new(&agent.shim)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(false)
        .spawn()?;
    if let Some(mut stdin) = shim.stdin.take() {
        stdin.write_all(&text).await?;
    }
    let mut answer = Vec::new();
    if let Some(stdout) = shim.stdout.take() {
        stdout.take(MAX_BYTES).read_to_end(&mut answer).await?;
    }
    Ok(answer)
}

/// Finds secrets and remembers them, so that they can be kept out of the log.
struct Resolver<'a> {
    agent: &'a Agent,
    stack: &'a Stack,
    found: BTreeMap<String, SecretString>,
}

impl Resolver<'_> {
    fn value(&mut self, name: &str) -> Result<SecretString, String> {
        if let Some(value) = self.found.get(name) {
            return Ok(value.clone());
        }
        let value = self.agent.secrets.resolve(name, self.stack, &self.agent.environment)?;
        self.found.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    /// Puts values in place of each `${secret.NAME}`.
    fn fill(&mut self, template: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${secret.") {
            let (name, after) =
                after.split_once('}').ok_or("an environment value has ${secret. without its }")?;
            filled.push_str(before);
            filled.push_str(self.value(name)?.expose_secret());
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// A secret as programs print it: as it is, inside JSON, inside a URL.
fn spellings(value: &str) -> Vec<String> {
    let json = serde_json::Value::from(value).to_string();
    let mut url = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            _ => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    let mut all = vec![value.to_owned(), json.trim_matches('"').to_owned(), url];
    all.dedup();
    all
}

/// Tells one way of running a service from another. FNV-1a: the same in every build, and no secret goes in.
fn hash(spec: &ServiceSpec) -> String {
    let text = serde_json::to_vec(&(&spec.program, &spec.env, &spec.secrets, &spec.port)).unwrap_or_default();
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.iter().fold(0xcbf2_9ce4_8422_2325, step))
}
