//! A real Prometheus over given samples, started and asked as its users do.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ops_tests::system::http_client;
use ops_tests::{eventually, free_port};
use serde_json::Value;

/// A running Prometheus; killed when dropped.
pub(crate) struct Prometheus {
    child: Child,
    _folder: tempfile::TempDir,
    /// Its address.
    pub(crate) url: String,
    /// Where its API begins.
    pub(crate) api: String,
}

impl Prometheus {
    /// Whether there is one on this machine.
    pub(crate) fn is_installed() -> bool {
        program("prometheus").is_some() && program("promtool").is_some()
    }

    /// One that holds the samples of an OpenMetrics text.
    pub(crate) async fn over(text: &str) -> Self {
        let promtool = program("promtool").unwrap();
        let folder = tempfile::Builder::new().prefix("prometheus-").tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("samples.om"), text).unwrap();
        std::fs::write(path("prometheus.yml"), "").unwrap();
        let made = Command::new(promtool)
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .args([path("samples.om"), path("data")])
            .output()
            .unwrap();
        assert!(made.status.success(), "promtool: {}", String::from_utf8_lossy(&made.stderr));
        Self::start(folder, &["--storage.tsdb.retention.time=100y"]).await
    }

    /// An empty one that takes samples by remote write.
    pub(crate) async fn receiving() -> Self {
        let folder = tempfile::Builder::new().prefix("prometheus-").tempdir().unwrap();
        std::fs::write(folder.path().join("prometheus.yml"), "").unwrap();
        Self::start(folder, &["--web.enable-remote-write-receiver"]).await
    }

    /// One that takes samples by remote write, judges `rules.yml`, and sends what fires as its `config` says.
    pub(crate) async fn alerting(config: &str, rules: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("prometheus-").tempdir().unwrap();
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
        Self::start(folder, &["--web.enable-remote-write-receiver"]).await
    }

    async fn start(folder: tempfile::TempDir, more: &[&str]) -> Self {
        let path = |name: &str| folder.path().join(name);
        let port = free_port().unwrap();
        let child = Command::new(program("prometheus").unwrap())
            .arg(format!("--config.file={}", path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=error")
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let it = Self { child, _folder: folder, url: url.clone(), api: format!("{url}/api/v1") };
        let http = http_client().unwrap();
        let ready = async || {
            let answer = http.get(format!("{url}/-/ready")).send().await.ok()?;
            answer.status().is_success().then_some(())
        };
        eventually(Duration::from_secs(30), ready).await.expect("Prometheus becomes ready");
        it
    }

    /// Its version, as `2.42.0+ds`.
    pub(crate) async fn version(&self) -> String {
        let answer: Value = http_client()
            .unwrap()
            .get(format!("{}/status/buildinfo", self.api))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["data"]["version"].as_str().unwrap().to_owned()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of this machine.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it: &PathBuf| Path::is_file(it))
}
