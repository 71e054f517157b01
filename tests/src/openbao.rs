//! A real OpenBao for tests: unsealed, in memory, on a free port, stopped when dropped.
//!
//! Found by `INSIGHTDESK_TEST_BAO_BIN`, else where `./x peers` puts it.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peers::{self, Peer};
use crate::program::client;
use crate::{eventually, free_ports};

const START: Duration = Duration::from_secs(30);

/// OpenBao with a key-value store of version 2 at `secret`.
#[derive(Debug)]
pub struct OpenBao {
    peer: Peer,
    http: reqwest::Client,
    /// Where it listens.
    pub url: String,
    /// Its root token.
    pub token: String,
    /// What it may write to: audit logs, for one.
    pub folder: TempDir,
}

impl OpenBao {
    /// Starts one. Audit devices can be switched on by its API.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with("").await
    }

    /// Starts one with more in its configuration: audit devices, for one.
    pub async fn start_with(configuration: &str) -> anyhow::Result<Self> {
        let binary = peers::find("INSIGHTDESK_TEST_BAO_BIN", "bao")?;
        let folder = tempfile::Builder::new().prefix("insightdesk-bao-").tempdir()?;
        let file = folder.path().join("bao.hcl");
        std::fs::write(&file, format!("unsafe_allow_api_audit_creation = true\n{configuration}\n"))?;
        // It takes the next port too.
        let port = free_ports()?;
        let token = format!("root-{}", uuid::Uuid::new_v4().simple());
        let mut command = Command::new(binary);
        command.env("HOME", folder.path()).current_dir(folder.path()).args([
            "server",
            "-dev",
            "-dev-no-store-token",
        ]);
        command
            .arg(format!("-dev-root-token-id={token}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"));
        command.arg(format!("-config={}", file.display()));
        let peer = Peer::start(&mut command)?;
        let bao = Self { peer, http: client()?, url: format!("http://127.0.0.1:{port}"), token, folder };
        let ready = eventually(START, async || {
            let mounts = bao.ask(Method::GET, "sys/mounts", None).await.ok()?;
            mounts["data"]["secret/"].is_object().then_some(())
        });
        ready.await.context("OpenBao did not start in time")?;
        Ok(bao)
    }

    /// Asks it something as root, `path` without the `/v1/`; an error when it does not say yes.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, format!("{}/v1/{path}", self.url));
        request = request.header("x-vault-token", &self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// Writes fields at a path under `secret`.
    pub async fn put(&self, path: &str, data: Value) -> anyhow::Result<()> {
        self.ask(Method::POST, &format!("secret/data/{path}"), Some(json!({ "data": data }))).await.map(drop)
    }

    /// Makes a policy of this text.
    pub async fn policy(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = format!("sys/policies/acl/{name}");
        self.ask(Method::POST, &path, Some(json!({ "policy": text }))).await.map(drop)
    }

    /// Makes a token of what is said of it: `{"policies": ["reader"], "ttl": "3s"}`.
    pub async fn make_token(&self, what: Value) -> anyhow::Result<String> {
        let answer = self.ask(Method::POST, "auth/token/create", Some(what)).await?;
        Ok(answer["auth"]["client_token"].as_str().context("no token")?.to_owned())
    }

    /// Switches on the method `approle` with a role of what is said of it; its role id and a secret id.
    pub async fn make_role(&self, name: &str, what: Value) -> anyhow::Result<(String, String)> {
        // Fails when it is on already, which is just as well.
        let _ = self.ask(Method::POST, "sys/auth/approle", Some(json!({ "type": "approle" }))).await;
        let path = format!("auth/approle/role/{name}");
        self.ask(Method::POST, &path, Some(what)).await?;
        let role = self.ask(Method::GET, &format!("{path}/role-id"), None).await?;
        let secret = self.ask(Method::POST, &format!("{path}/secret-id"), None).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no id");
        Ok((text(&role["data"]["role_id"])?, text(&secret["data"]["secret_id"])?))
    }

    /// Has it open its files anew, as log rotation does.
    pub fn hang_up(&self) -> anyhow::Result<()> {
        self.peer.signal(Signal::HUP)
    }

    /// Freezes it: it takes connections and answers nobody.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.peer.signal(Signal::STOP)
    }

    /// Lets a frozen one go on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.peer.signal(Signal::CONT)
    }

    /// Ends it, as an outage would.
    pub fn stop(&mut self) {
        self.peer.end();
    }
}
