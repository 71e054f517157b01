//! The three that are compared: each started the same way, scraping the same targets, asked over the same API.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::Client;
use serde_json::Value;
use tokio::process::Command;

use crate::process::{Cost, Processes, bytes_below};
use crate::questions::{now_s, series};

/// Seconds between two scrapes of a target.
pub const SCRAPE_S: u64 = 5;
/// How long a peer may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Prometheus.
    Prometheus,
    /// VictoriaMetrics, single node.
    VictoriaMetrics,
    /// Our server and our agent.
    Ours,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prometheus, Self::VictoriaMetrics, Self::Ours];

    /// As it is named on the command line and in the figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::VictoriaMetrics => "victoria-metrics",
            Self::Ours => "ours",
        }
    }
}

/// A peer with its folder and its processes.
#[derive(Debug)]
pub struct Peer {
    kind: Kind,
    folder: PathBuf,
    program: PathBuf,
    port: u16,
    processes: Processes,
    http: Client,
}

impl Peer {
    /// Writes what it needs into `folder` and starts it.
    pub async fn start(
        kind: Kind,
        program: &Path,
        folder: &Path,
        port: u16,
        targets: &[u16],
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        configure(kind, folder, port, targets)?;
        Self::start_configured(kind, program, folder, port).await
    }

    /// Starts ours in `folder`, which there is, with more sections in its stack file.
    pub async fn start_ours(
        program: &Path,
        folder: &Path,
        port: u16,
        sections: &str,
    ) -> anyhow::Result<Self> {
        write_stack(folder, port, sections)?;
        Self::start_configured(Kind::Ours, program, folder, port).await
    }

    async fn start_configured(kind: Kind, program: &Path, folder: &Path, port: u16) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let (folder, program) = (folder.to_owned(), program.to_owned());
        let mut peer = Self { kind, folder, program, port, processes: Processes::default(), http };
        peer.run().await?;
        Ok(peer)
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        let log = self.folder.join("log");
        for arguments in arguments(self.kind, self.port) {
            let mut command = Command::new(&self.program);
            command.args(arguments).current_dir(&self.folder).env("LOG_LEVEL", "warn");
            self.processes.start(&mut command, &log)?;
        }
        let begun = Instant::now();
        while !self.is_ready().await {
            if self.processes.has_ended() {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                anyhow::bail!("{} ended: {}", self.kind.name(), said.lines().last().unwrap_or_default());
            }
            anyhow::ensure!(begun.elapsed() < PATIENCE, "{} did not become ready", self.kind.name());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    async fn is_ready(&self) -> bool {
        let path = match self.kind {
            Kind::Prometheus => "/-/ready",
            Kind::VictoriaMetrics => "/health",
            Kind::Ours => "/readyz",
        };
        matches!(self.http.get(self.url(path)).send().await, Ok(it) if it.status().is_success())
    }

    /// Ends it as its operator would, starts it again, and says how long that start took until a series that was stored
    /// before was found again.
    pub async fn restart(&mut self) -> anyhow::Result<(Duration, f64)> {
        let at = now_s() - 1.0;
        self.processes.stop().await?;
        let begun = Instant::now();
        self.run().await?;
        while series(&self.ask("count(http_requests_total)", "instant", (0, 0), at).await?) == 0 {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "{} lost its series", self.kind.name());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok((begun.elapsed(), self.cost()?.cpu_s))
    }

    /// Which one it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What its processes cost so far.
    pub fn cost(&self) -> anyhow::Result<Cost> {
        self.processes.cost()
    }

    /// Ends it.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.processes.stop().await
    }

    /// Asks an expression, at an instant or over `range` (how far back, and the step, in seconds).
    pub async fn ask(&self, expr: &str, way: &str, range: (u64, u64), at: f64) -> anyhow::Result<Value> {
        let mut query = vec![("query", expr.to_owned())];
        let path = match way {
            "range" => {
                query.push(("start", format!("{:.3}", at - range.0 as f64)));
                query.push(("end", format!("{at:.3}")));
                query.push(("step", range.1.to_string()));
                "query_range"
            }
            _ => {
                query.push(("time", format!("{at:.3}")));
                "query"
            }
        };
        let base = if self.kind == Kind::Ours { "/prometheus/api/v1/" } else { "/api/v1/" };
        if self.kind == Kind::VictoriaMetrics {
            // Its answers are not to come from a cache of answers.
            query.push(("nocache", "1".to_owned()));
        }
        let mut request = self.http.get(self.url(&format!("{base}{path}"))).query(&query);
        if self.kind == Kind::Ours {
            request = request.bearer_auth(OPERATOR);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        anyhow::ensure!(status.is_success(), "{status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Sends the body of a remote write to ours.
    pub async fn write(&self, body: Vec<u8>) -> anyhow::Result<()> {
        let response = self
            .http
            .post(self.url("/prometheus/api/v1/write"))
            .bearer_auth(OPERATOR)
            .header("Content-Encoding", "snappy")
            .header("Content-Type", "application/x-protobuf")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0")
            .body(body)
            .send()
            .await?;
        let status = response.status();
        anyhow::ensure!(status.is_success(), "{status}: {}", response.text().await?);
        Ok(())
    }

    /// Writes what is in memory to disk where the peer has a way to, and says how much is there, in bytes.
    pub async fn disk(&mut self) -> anyhow::Result<Vec<(&'static str, u64)>> {
        let folder = self.folder.clone();
        let below = |path: &str| bytes_below(&folder.join(path));
        match self.kind {
            Kind::Prometheus => {
                let log = below("data/wal") + below("data/chunks_head");
                self.post("/api/v1/admin/tsdb/snapshot").await?;
                let snapshot = below("data/snapshots");
                let chunks = files_named(&self.folder.join("data/snapshots"), "chunks");
                Ok(vec![("log", log), ("values", chunks), ("index", snapshot - chunks)])
            }
            Kind::VictoriaMetrics => {
                self.post("/internal/force_flush").await?;
                tokio::time::sleep(Duration::from_secs(2)).await;
                Ok(vec![("log", 0), ("values", below("data/data")), ("index", below("data/indexdb"))])
            }
            Kind::Ours => {
                let log = below(".insightdesk/series/log");
                // A copy is put into segments, so that the original begins from its log as the others do. A segment holds
                // its index.
                self.processes.stop().await?;
                let (original, copy) = (folder.join(".insightdesk/series"), folder.join("copy"));
                copy_files(&original, &copy)?;
                ops_series::Store::open(&copy, ops_series::Options::default())?.0.flush()?;
                let segments = below("copy/segments");
                self.run().await?;
                Ok(vec![("log", log), ("values", segments), ("index", 0)])
            }
        }
    }

    async fn post(&self, path: &str) -> anyhow::Result<()> {
        self.http.post(self.url(path)).send().await?.error_for_status().context("flush")?;
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

const OPERATOR: &str = "bench-operator-token-0123456789abcdef";
const AGENT: &str = "bench-agent-token-0123456789abcdef";

fn arguments(kind: Kind, port: u16) -> Vec<Vec<String>> {
    let words = |line: String| line.split(' ').map(str::to_owned).collect();
    match kind {
        Kind::Prometheus => vec![words(format!(
            "--config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:{port} --web.enable-admin-api --log.level=warn"
        ))],
        Kind::VictoriaMetrics => vec![words(format!(
            "-promscrape.config=prometheus.yml -storageDataPath=data -httpListenAddr=127.0.0.1:{port} -search.latencyOffset=0s -loggerLevel=WARN"
        ))],
        Kind::Ours => vec![words("server".to_owned()), words(format!("agent --url http://127.0.0.1:{port}"))],
    }
}

fn configure(kind: Kind, folder: &Path, port: u16, targets: &[u16]) -> anyhow::Result<()> {
    let targets: Vec<String> = targets.iter().map(|it| format!("\"127.0.0.1:{it}\"")).collect();
    let targets = targets.join(", ");
    if kind != Kind::Ours {
        let text = format!(
            "global:\n  scrape_interval: {SCRAPE_S}s\n  scrape_timeout: {SCRAPE_S}s\nscrape_configs:\n  - job_name: bench\n    static_configs:\n      - targets: [{targets}]\n"
        );
        return Ok(std::fs::write(folder.join("prometheus.yml"), text)?);
    }
    // No rules: the peers have none either.
    let sections = format!(
        "[alerts]\nbuiltin = false\n\n[scrape.bench]\ntargets = [{targets}]\ninterval = \"{SCRAPE_S}s\"\ntimeout = \"{SCRAPE_S}s\"\n"
    );
    write_stack(folder, port, &sections)
}

fn write_stack(folder: &Path, port: u16, sections: &str) -> anyhow::Result<()> {
    let text = format!(
        "[stack]\nname = \"bench\"\nenvironment = \"test\"\n\n[server]\nlisten = \"127.0.0.1:{port}\"\ngrpc = false\n\n{sections}"
    );
    std::fs::write(folder.join("insightdesk.toml"), text)?;
    let state = folder.join(".insightdesk");
    std::fs::create_dir_all(&state)?;
    for (name, token) in [("operator.token", OPERATOR), ("agent.token", AGENT)] {
        let path = state.join(name);
        std::fs::write(&path, token)?;
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    Ok(())
}

/// Bytes in all folders of this name below `folder`.
fn files_named(folder: &Path, name: &str) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|it| it.path().is_dir())
        .map(|it| match it.file_name() == name {
            true => bytes_below(&it.path()),
            false => files_named(&it.path(), name),
        })
        .sum()
}

/// Copies a folder with all below it.
fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_files(&entry.path(), &to)?,
            false => drop(std::fs::copy(entry.path(), to)?),
        }
    }
    Ok(())
}
