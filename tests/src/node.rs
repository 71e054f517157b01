//! Node programs: npm clients of what we serve, run from `tests/node`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Folder of the Node programs and their `node_modules`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("node")
}

/// A running Node program that prints one JSON document per line. Killed when dropped.
pub struct Node {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Node {
    /// Starts `script` of `tests/node` with `arguments`.
    pub fn start(script: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = folder();
        anyhow::ensure!(
            folder.join("node_modules").exists(),
            "tests/node/node_modules is missing: run `./x test` or `npm ci` there"
        );
        let mut child = Command::new("node")
            .arg(script)
            .args(arguments)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("could not start node")?;
        let out = child.stdout.take().context("node has no standard output")?;
        Ok(Self { child, lines: BufReader::new(out).lines() })
    }

    /// The next line, parsed; an error when the program ended.
    pub async fn next(&mut self) -> anyhow::Result<Value> {
        let line = self.lines.next_line().await?.context("the node program ended")?;
        serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))
    }

    /// The next line that `wanted` accepts, within ten seconds; others are passed over.
    pub async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let mut passed = Vec::new();
        let search = async {
            loop {
                let line = self.next().await?;
                if wanted(&line) {
                    return anyhow::Ok(line);
                }
                passed.push(line);
            }
        };
        let found = tokio::time::timeout(std::time::Duration::from_secs(10), search).await;
        found
            .unwrap_or_else(|_| anyhow::bail!("did not come within 10 s"))
            .with_context(|| format!("passed over: {passed:?}"))
    }

    /// Waits for its end, at most a minute, and gives all that it still printed.
    pub async fn finish(mut self) -> anyhow::Result<Vec<Value>> {
        let rest = async {
            let mut lines = Vec::new();
            while let Some(line) = self.lines.next_line().await? {
                lines.push(serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?);
            }
            let status = self.child.wait().await?;
            anyhow::ensure!(status.success(), "node ended with {status}: {lines:?}");
            anyhow::Ok(lines)
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), rest)
            .await
            .context("still running after a minute")?
    }
}
