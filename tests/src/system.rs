//! A whole stack in a folder of its own, started by `insightdesk up --detach`, stopped when dropped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::Context;
use ops_contract::{NowView, Page, ReplicaPhase, ReplicaView, ServiceStatus, ServiceView};
use reqwest::{Client, Method, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

use crate::{eventually, free_ports};

/// How long anything may take before a scenario gives up on it.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running stack.
pub struct System {
    folder: TempDir,
    /// What `up --detach` printed.
    pub up: Value,
    url: String,
    token: String,
    /// A client with a time-out and no pooled connections.
    pub http: Client,
}

impl System {
    /// Starts the stack that `stack` describes. Words `FREE_PORT_1` … `FREE_PORT_9` in it become free ports, and
    /// `TESTS` this crate's folder.
    pub async fn start(stack: &str) -> anyhow::Result<Self> {
        Self::start_in(prepare(stack)?).await
    }

    /// Starts the stack of a folder made by [`prepare`].
    pub async fn start_in(folder: TempDir) -> anyhow::Result<Self> {
        Self::start_with(folder, Vec::new()).await
    }

    /// The same, with more in the environment of the control plane.
    pub async fn start_with(folder: TempDir, environment: Vec<(String, String)>) -> anyhow::Result<Self> {
        let output = {
            let mut command = cli(folder.path(), &["up", "--detach"])?;
            command.envs(environment);
            tokio::task::spawn_blocking(move || command.output()).await??
        };
        if !output.status.success() {
            let words = describe(&output);
            let _ = insightdesk(folder.path(), &["down"]);
            anyhow::bail!("`insightdesk up --detach` failed: {words}");
        }
        let up: Value = serde_json::from_slice(&output.stdout).with_context(|| describe(&output))?;
        let client: Value =
            serde_json::from_slice(&std::fs::read(folder.path().join(".insightdesk/client.json"))?)?;
        let text = |key: &str| {
            client[key].as_str().map(str::to_owned).with_context(|| format!("client.json has no {key}"))
        };
        let (url, token) = (text("url")?, text("token")?);
        Ok(Self { folder, up, url, token, http: http_client()? })
    }

    /// The folder of the stack file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The state folder.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join(".insightdesk")
    }

    /// Runs the CLI on this stack.
    pub fn cli(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        insightdesk(self.folder.path(), arguments)
    }

    /// Sends a request to the control plane as an admin.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await
    }

    /// Reads JSON from the control plane.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        Ok(self.send(Method::GET, path, None).await?.error_for_status()?.json().await?)
    }

    /// Posts JSON to the control plane.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let response = self.send(Method::POST, path, Some(body)).await?;
        let status = response.status();
        let text = response.text().await?;
        anyhow::ensure!(status.is_success(), "{path} answered {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What the first page shows.
    pub async fn now(&self) -> anyhow::Result<NowView> {
        self.get("/api/now").await
    }

    /// One service.
    pub async fn service(&self, name: &str) -> anyhow::Result<ServiceView> {
        let page: Page<ServiceView> = self.get("/api/services").await?;
        page.items
            .into_iter()
            .find(|it| it.name.as_str() == name)
            .with_context(|| format!("no service {name}"))
    }

    /// One replica.
    pub async fn replica(&self, service: &str, slot: u16) -> anyhow::Result<ReplicaView> {
        let service = self.service(service).await?;
        service.replicas.into_iter().find(|it| it.slot == slot).with_context(|| format!("no slot {slot}"))
    }

    /// Waits until a replica is as `wanted` says.
    pub async fn replica_becomes(
        &self,
        service: &str,
        slot: u16,
        wanted: impl Fn(&ReplicaView) -> bool,
    ) -> anyhow::Result<ReplicaView> {
        let found =
            eventually(PATIENCE, async || self.replica(service, slot).await.ok().filter(|it| wanted(it)))
                .await;
        match found {
            Some(replica) => Ok(replica),
            None => anyhow::bail!("{service}/{slot} is still {:?}", self.replica(service, slot).await),
        }
    }

    /// Waits until a replica is ready with another process than `pid`.
    pub async fn replaced(&self, service: &str, slot: u16, pid: u32) -> anyhow::Result<ReplicaView> {
        self.replica_becomes(service, slot, |it| {
            it.state.phase == ReplicaPhase::Ready && it.state.pid.is_some_and(|now| now != pid)
        })
        .await
    }

    /// Waits until every service serves.
    pub async fn serves(&self) -> anyhow::Result<NowView> {
        let all = |now: &NowView| now.services.iter().all(|it| it.status == ServiceStatus::Serving);
        let found = eventually(PATIENCE, async || self.now().await.ok().filter(all)).await;
        match found {
            Some(now) => Ok(now),
            None => anyhow::bail!("not all serve: {:?}", self.now().await.map(|now| now.verdict)),
        }
    }

    /// Process ids of server and agent, from `up.json`.
    pub fn control_pids(&self) -> anyhow::Result<(u32, u32)> {
        let up: Value = serde_json::from_slice(&std::fs::read(self.state().join("up.json"))?)?;
        let pid = |key: &str| {
            up[key].as_u64().map(|pid| pid as u32).with_context(|| format!("up.json has no {key}: {up}"))
        };
        Ok((pid("server_pid")?, pid("agent_pid")?))
    }

    /// Every replica's pid by `service/slot`, ready ones only.
    pub async fn pids(&self) -> anyhow::Result<Vec<(String, u32)>> {
        let now = self.now().await?;
        let pids = now.services.iter().flat_map(|service| {
            service.replicas.iter().filter_map(|replica| {
                Some((format!("{}/{}", service.name, replica.slot), replica.state.pid?))
            })
        });
        Ok(pids.collect())
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = insightdesk(self.folder.path(), &["down"]);
        for process in leftovers(self.folder.path()) {
            kill(process, rustix::process::Signal::KILL);
        }
    }
}

/// Writes a stack file into a new folder; see [`System::start`].
pub fn prepare(stack: &str) -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("insightdesk-").tempdir()?;
    let mut text =
        stack.replace("TESTS", env!("CARGO_MANIFEST_DIR")).replace("BIN", &bin_dir()?.to_string_lossy());
    for number in 1..=9 {
        let word = format!("FREE_PORT_{number}");
        if text.contains(&word) {
            text = text.replace(&word, &free_ports()?.to_string());
        }
    }
    if !text.contains("\ngrpc = ") {
        // The usual port is one for all; a scenario that wants gRPC names its own.
        text = text.replacen("[server]\n", "[server]\ngrpc = false\n", 1);
    }
    std::fs::write(folder.path().join("insightdesk.toml"), text)?;
    // The development PostgreSQL runs as another user when the tests run as root.
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(folder)
}

/// A program of this project, as it was built.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    Ok(bin_dir()?.join(name))
}

/// Runs the CLI in `folder` and waits for its end.
pub fn insightdesk(folder: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    cli(folder, arguments)?.output().context("could not run insightdesk: build it first with `./x build`")
}

/// The CLI in `folder`, not yet started.
pub fn cli(folder: &Path, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(bin_dir()?.join("insightdesk"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_remove("INSIGHTDESK_URL")
        .env_remove("INSIGHTDESK_TOKEN")
        .stdin(std::process::Stdio::null());
    Ok(command)
}

/// Sends a signal to a process; one that is gone is fine.
pub fn kill(pid: u32, signal: rustix::process::Signal) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid as i32) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Sends a signal to a process and its children, as a machine that hangs would stop them all.
pub fn kill_family(pid: u32, signal: rustix::process::Signal) {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    kill(pid, signal);
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        kill(child, signal);
    }
}

/// Whether a process lives (a zombie does not).
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
}

/// A client whose connections are not kept, with a time-out.
pub fn http_client() -> anyhow::Result<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().timeout(Duration::from_secs(35)).pool_max_idle_per_host(0).build()?)
}

/// Processes whose command line or working directory names `folder`.
pub fn leftovers(folder: &Path) -> Vec<u32> {
    let wanted = folder.to_string_lossy();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&*wanted) || cwd.starts_with(folder)
    })
    .filter(|pid| *pid != std::process::id() && is_alive(*pid))
    .collect()
}

fn bin_dir() -> anyhow::Result<PathBuf> {
    if let Ok(folder) = std::env::var("INSIGHTDESK_BIN_DIR") {
        return Ok(folder.into());
    }
    let exe = std::env::current_exe()?;
    Ok(exe.parent().and_then(Path::parent).context("the test binary has no folder")?.to_owned())
}

fn describe(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}
