//! A real Prometheus sends us its samples, and both give the same answers.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ops_contract::Role;
use serde_json::Value;

use crate::harness::{Server, token};

/// Ends it with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn prometheus(folder: &std::path::Path, port: u16, write_to: &str) -> Option<Running> {
    let config = format!(
        "global: {{scrape_interval: 1s}}\n\
         scrape_configs:\n- job_name: itself\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n\
         remote_write:\n- url: {write_to}\n  basic_auth: {{username: prometheus, password: {}}}\n  \
         queue_config: {{batch_send_deadline: 200ms}}\n",
        token(Role::Operator)
    );
    std::fs::write(folder.join("prometheus.yml"), config).unwrap();
    let mut command = Command::new("/usr/bin/prometheus");
    command
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().ok().map(Running)
}

#[tokio::test]
async fn what_a_real_prometheus_writes_reads_back_with_equal_values() {
    if !std::path::Path::new("/usr/bin/prometheus").exists() {
        eprintln!("skipped: /usr/bin/prometheus is absent (apt install prometheus)");
        return;
    }
    let (server, folder) = Server::fresh().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _prometheus = prometheus(folder.path(), port, &server.at("/prometheus/api/v1/write")).unwrap();
    let theirs = format!("http://127.0.0.1:{port}");

    // Samples of both come at the same times, so that a time at which both have some is as good as any.
    let at = server
        .eventually("five scrapes", async |it| {
            let path = "/prometheus/api/v1/query?query=up{job=\"itself\"}[1m]";
            let answer = it.get(path).await;
            let samples = answer["data"]["result"][0]["values"].as_array()?.clone();
            (samples.len() >= 5).then(|| samples[samples.len() - 1][0].as_f64().unwrap())
        })
        .await;
    // The last scrape is whole in both once a later one has begun to arrive.
    server
        .eventually("one scrape more", async |it| {
            let answer = it.get("/prometheus/api/v1/query?query=timestamp(up{job=\"itself\"})").await;
            let last: f64 = answer["data"]["result"][0]["value"][1].as_str()?.parse().unwrap();
            (last > at).then_some(())
        })
        .await;
    let mut compared = 0;
    // No range begins at a sample: 2.42 takes the one at the border, 3 and we do not. No `rate`: 3 and we begin it
    // otherwise where a counter is near zero.
    for expr in [
        "{__name__=~\"go_.*\",job=\"itself\"}",
        "{__name__=~\"prometheus_.*\",__name__!~\"prometheus_remote_.*|prometheus_wal.*\"}",
        "sum by (handler) (prometheus_http_requests_total)",
        "irate(prometheus_http_requests_total[4500ms])",
        "histogram_quantile(0.9, prometheus_http_request_duration_seconds_bucket)",
        "count({job=\"itself\"}) by (__name__)",
    ] {
        let at = at.to_string();
        let query = [("query", expr), ("time", at.as_str())];
        let ours = server.client.get(server.at("/prometheus/api/v1/query")).query(&query);
        let ours = rows(ours.bearer_auth(token(Role::Viewer)).send().await.unwrap().json().await.unwrap());
        let theirs = server.client.get(format!("{theirs}/api/v1/query")).query(&query);
        let theirs = rows(theirs.send().await.unwrap().json().await.unwrap());
        assert!(!theirs.is_empty(), "{expr}");
        assert_eq!(ours, theirs, "{expr}");
        compared += theirs.len();
    }
    assert!(compared > 100, "{compared}");
    tokio::time::timeout(Duration::from_secs(10), server.stop()).await.unwrap();
}

/// Series and values, ordered; 2.42 writes sums of floats in another order at most.
fn rows(answer: Value) -> Vec<(String, String)> {
    assert_eq!(answer["status"], "success", "{answer}");
    let rows = answer["data"]["result"].as_array().unwrap().iter();
    let mut rows: Vec<_> =
        rows.map(|it| (it["metric"].to_string(), it["value"][1].as_str().unwrap().to_owned())).collect();
    rows.sort();
    rows
}
