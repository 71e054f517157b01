use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use ops_contract::{ReplicaId, ServiceSpec};
use secrecy::zeroize::{Zeroize, Zeroizing};
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
/// Longest answer of a shim, and room for what most are told.
const MAX_BYTES: u64 = 64 * 1024;
const USUAL_BYTES: usize = 64 * 1024;

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

impl Drop for Order {
    fn drop(&mut self) {
        self.env.values_mut().chain(&mut self.redact).for_each(Zeroize::zeroize);
    }
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

/// The names of the secrets without which the service cannot be started.
pub(super) fn secrets(spec: &ServiceSpec) -> Result<BTreeSet<String>, String> {
    let mut names: BTreeSet<String> = spec.secrets.iter().cloned().collect();
    for template in spec.env.values() {
        for part in parts(template)? {
            if let Part::Secret(name) = part {
                names.insert(name.to_owned());
            }
        }
    }
    Ok(names)
}

/// Puts together what the shim is told, with the values of [`secrets`] and what came along with them.
pub(super) fn order(
    agent: &Agent,
    replica: &ReplicaId,
    generation: i64,
    spec: &ServiceSpec,
    port: u16,
    values: &BTreeMap<String, SecretString>,
) -> Result<Order, String> {
    let asked_for = secrets(spec)?;
    let mut env = agent.environment.inherited();
    env.insert("HOST".to_owned(), "127.0.0.1".to_owned());
    for (name, template) in &spec.env {
        env.insert(name.clone(), fill(template, values)?);
    }
    for (name, value) in values {
        // The program reads the value before a renewal under that value's own name, which no stack file lists.
        if spec.secrets.contains(name) || !asked_for.contains(name) {
            env.insert(name.clone(), value.expose_secret().to_owned());
        }
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
        redact: values.values().flat_map(|value| spellings(value.expose_secret())).collect(),
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
    let mut text = Zeroizing::new(Vec::with_capacity(USUAL_BYTES));
    serde_json::to_writer(&mut *text, order)?;
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

/// A piece of an environment value.
enum Part<'a> {
    Text(&'a str),
    /// Stands for a value: `${secret.NAME}`.
    Secret(&'a str),
}

fn parts(template: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${secret.") {
        let (name, after) =
            after.split_once('}').ok_or("an environment value has ${secret. without its }")?;
        parts.extend([Part::Text(before), Part::Secret(name)]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// Puts values in place of each `${secret.NAME}`.
fn fill(template: &str, values: &BTreeMap<String, SecretString>) -> Result<String, String> {
    let mut pieces = Vec::new();
    for part in parts(template)? {
        pieces.push(match part {
            Part::Text(text) => text,
            Part::Secret(name) => {
                values.get(name).ok_or_else(|| format!("secret {name} is missing"))?.expose_secret()
            }
        });
    }
    Ok(pieces.concat())
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
