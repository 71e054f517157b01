//! Alerts in from a real Prometheus, and out to a real Alertmanager.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ops_samples::{Labels, Sample, remote_write};
use ops_tests::system::http_client;
use ops_tests::{eventually, free_port};
use serde_json::Value;
use tempfile::TempDir;

use crate::amtool::World;
use crate::prometheus::peer::{Prometheus, program};

const PATIENCE: Duration = Duration::from_secs(60);

/// Whether programs of other people are there; loud where one is not.
fn are_installed(names: &[&str]) -> bool {
    let missing: Vec<_> = names.iter().filter(|name| program(name).is_none()).collect();
    if !missing.is_empty() {
        println!("skipped: {missing:?} not installed");
    }
    missing.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_real_prometheus_sends_is_told_and_its_end_too() {
    if !are_installed(&["prometheus"]) {
        return;
    }
    let world = World::with(
        "
route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: 'URL/hook'}]}]
",
    )
    .await;
    let config = format!(
        "
global: {{evaluation_interval: 1s, external_labels: {{cluster: eu}}}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - path_prefix: /alertmanager
      basic_auth: {{username: prometheus, password: {}}}
      static_configs: [{{targets: ['{}']}}]
",
        world.token(),
        world.url().trim_start_matches("http://"),
    );
    let rules = "groups: [{name: g, rules: [{alert: Broken, expr: broken > 0, labels: {severity: page}}]}]";
    let prometheus = Prometheus::alerting(&config, rules).await;
    knows_us(&prometheus).await;
    push(&prometheus, 1.0).await;
    let is = |status: &'static str| {
        move |it: &ops_tests::receiver::Request| {
            it.alerts().contains(&("Broken".to_owned(), status.to_owned()))
        }
    };
    let page = world.receiver.wait_for(PATIENCE, is("firing")).await.unwrap();
    let alert = &page.body["alerts"][0];
    assert_eq!((&alert["labels"]["severity"], &alert["labels"]["cluster"]), (&"page".into(), &"eu".into()));
    assert!(alert["generatorURL"].as_str().unwrap().contains("/graph?"), "{alert}");
    push(&prometheus, 0.0).await;
    world.receiver.wait_for(PATIENCE, is("resolved")).await.unwrap();
}

/// What fires before Prometheus has found whom to tell, it drops for a minute.
async fn knows_us(prometheus: &Prometheus) {
    let look = async || {
        let url = format!("{}/alertmanagers", prometheus.api);
        let answer: Value = http_client().unwrap().get(url).send().await.ok()?.json().await.ok()?;
        answer["data"]["activeAlertmanagers"].as_array().filter(|it| !it.is_empty()).map(drop)
    };
    eventually(PATIENCE, look).await.expect("Prometheus knows whom to tell");
}

async fn push(prometheus: &Prometheus, value: f64) {
    let labels = Labels::new([("__name__", "broken")]).unwrap();
    let sample = Sample { at_ms: jiff::Timestamp::now().as_millisecond(), value };
    let answer = http_client()
        .unwrap()
        .post(format!("{}/write", prometheus.api))
        .header("content-encoding", "snappy")
        .header("content-type", remote_write::CONTENT_TYPE_V1)
        .header("x-prometheus-remote-write-version", "0.1.0")
        .body(remote_write::encode_v1(&[(labels, sample)]))
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success(), "Prometheus takes no samples: {}", answer.status());
}

/// A running Alertmanager that tells nobody; killed when dropped.
struct Alertmanager {
    child: Child,
    _folder: TempDir,
    url: String,
}

impl Alertmanager {
    async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("alertmanager-").tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        std::fs::write(&config, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n").unwrap();
        let port = free_port().unwrap();
        let child = Command::new(program("prometheus-alertmanager").unwrap())
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let it = Self { child, _folder: folder, url: format!("http://127.0.0.1:{port}") };
        eventually(PATIENCE, async || it.alerts().await.map(drop)).await.expect("Alertmanager becomes ready");
        it
    }

    async fn alerts(&self) -> Option<Vec<Value>> {
        let answer = http_client().unwrap().get(format!("{}/api/v2/alerts", self.url)).send().await.ok()?;
        answer.json().await.ok()
    }

    /// The names that it shows as firing, once there are so many.
    async fn shows(&self, count: usize) -> Vec<Value> {
        let look = async || self.alerts().await.filter(|alerts| alerts.len() == count);
        eventually(PATIENCE, look).await.unwrap_or_else(|| panic!("{count} alerts at Alertmanager"))
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_alertmanager_is_told_what_fires_and_what_ended() {
    if !are_installed(&["prometheus-alertmanager", "amtool"]) {
        return;
    }
    let alertmanager = Alertmanager::start().await;
    let routes = format!(
        "
route: {{receiver: other, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers: [{{name: other, alertmanager_configs: [{{url: '{}'}}]}}]
",
        alertmanager.url
    );
    let world = World::with(&routes).await;
    world.must(&["alert", "add", "DiskFull", "severity=critical", "host=db1", "--annotation=summary=full"]);
    let shown = alertmanager.shows(1).await;
    assert_eq!(shown[0]["labels"]["host"], "db1");
    assert_eq!(shown[0]["annotations"]["summary"], "full");
    assert_eq!(shown[0]["status"]["state"], "active");
    let end = (jiff::Timestamp::now() - Duration::from_millis(1)).to_string();
    world.must(&["alert", "add", "DiskFull", "severity=critical", "host=db1", &format!("--end={end}")]);
    alertmanager.shows(0).await;
}
