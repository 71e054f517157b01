//! One of our programs, run by itself: its environment, its output, its end.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use crate::{eventually, free_port};

/// A running program. Killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// The port of it.
    pub port: u16,
}

impl Program {
    /// Starts `binary` with nothing but `environment` in its environment, on a free port.
    pub fn start(binary: impl AsRef<Path>, environment: &[(&str, String)]) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(binary.as_ref());
        command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .env("PORT", port.to_string());
        let output =
            if std::env::var_os("INSIGHTDESK_TEST_LOGS").is_some() { Stdio::inherit } else { Stdio::null };
        let child = command.stdin(Stdio::null()).stdout(output()).stderr(output()).spawn();
        let child = child.with_context(|| format!("could not start {}", binary.as_ref().display()))?;
        Ok(Self { child, url: format!("http://127.0.0.1:{port}"), port })
    }

    /// Starts it and waits until it says that it is ready.
    pub async fn ready(binary: impl AsRef<Path>, environment: &[(&str, String)]) -> anyhow::Result<Self> {
        let program = Self::start(binary, environment)?;
        program.becomes("ready").await?;
        Ok(program)
    }

    /// Waits until `/health/ready` says so: `ready`, `not ready` or `draining`.
    pub async fn becomes(&self, status: &str) -> anyhow::Result<()> {
        let http = client()?;
        let url = format!("{}/health/ready", self.url);
        let reached = eventually(Duration::from_secs(30), async || {
            let answer: serde_json::Value = http.get(&url).send().await.ok()?.json().await.ok()?;
            (answer["status"] == status).then_some(())
        });
        reached.await.with_context(|| format!("{url} did not become {status}"))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?).context("a process without an id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let ended = eventually(Duration::from_secs(40), async || self.child.try_wait().ok().flatten());
        ended.await.context("the program did not end")
    }

    /// Runs it to its end; its exit code and what it said on standard error.
    pub fn run(
        binary: impl AsRef<Path>,
        environment: &[(&str, String)],
    ) -> anyhow::Result<(Option<i32>, String)> {
        let mut command = Command::new(binary.as_ref());
        command.env_clear().envs(environment.iter().map(|(name, value)| (*name, value)));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut said = String::new();
        child.stderr.take().context("no standard error")?.read_to_string(&mut said)?;
        Ok((child.wait()?.code(), said))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP client; answers that take longer than ten seconds are failures.
pub fn client() -> anyhow::Result<reqwest::Client> {
    // Fails when it was done before, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?)
}
