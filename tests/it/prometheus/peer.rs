//! A real Prometheus over given samples, started and asked as its users do.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ops_tests::system::http_client;
use ops_tests::{eventually, free_port};
use serde_json::Value;

/// A running Prometheus; killed when dropped.
pub(super) struct Prometheus {
    child: Child,
    _folder: tempfile::TempDir,
    /// Where its API begins.
    pub(super) api: String,
}

impl Prometheus {
    /// Whether there is one on this machine.
    pub(super) fn is_installed() -> bool {
        program("prometheus").is_some() && program("promtool").is_some()
    }

    /// One that holds the samples of an OpenMetrics text.
    pub(super) async fn over(text: &str) -> Self {
        let (prometheus, promtool) = (program("prometheus").unwrap(), program("promtool").unwrap());
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
        let port = free_port().unwrap();
        let child = Command::new(prometheus)
            .arg(format!("--config.file={}", path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let it = Self { child, _folder: folder, api: format!("{url}/api/v1") };
        let http = http_client().unwrap();
        let ready = async || {
            let answer = http.get(format!("{url}/-/ready")).send().await.ok()?;
            answer.status().is_success().then_some(())
        };
        eventually(Duration::from_secs(30), ready).await.expect("Prometheus becomes ready");
        it
    }

    /// Its version, as `2.42.0+ds`.
    pub(super) async fn version(&self) -> String {
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

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it: &PathBuf| Path::is_file(it))
}
