//! Rules on a real stack: a killed replica fires at once, and no crash of the server changes what fires or since when.

use std::time::Duration;

use ops_contract::{Alert, AlertState, AlertsView, Page, RuleHealth};
use ops_tests::system::{kill, prepare};
use ops_tests::{System, eventually};
use rustix::process::Signal;
use serde_json::Value;

use crate::prometheus::peer::Prometheus;
use crate::toys::TOYS;

const PATIENCE: Duration = Duration::from_secs(30);

const RULES: &str = r#"
groups:
  - name: toys
    rules:
      - alert: ToyDown
        expr: ops_replica_up{service="toy"} == 0
        labels: { severity: critical }
        annotations:
          summary: "toy {{ $labels.slot }} is down"
      - alert: Always
        expr: ops_service_desired{service="toy"} > 0
      - alert: NotForAnHour
        expr: ops_service_desired{service="toy"} > 0
        for: 1h
      - record: toy:up:sum
        expr: sum(ops_replica_up{service="toy"})
"#;

/// A stack whose rules read its own series.
async fn start() -> System {
    start_with("").await
}

/// A stack that sends its samples to a Prometheus, and whose rules read them there. `None` without one.
async fn start_remote() -> Option<(System, Prometheus)> {
    if !Prometheus::is_installed() {
        println!("skipped: prometheus is not installed");
        return None;
    }
    let prometheus = Prometheus::receiving().await;
    let more = format!(
        "evaluation_interval = \"1s\"\nquery_url = {:?}\n[[telemetry.remote_write]]\nurl = \"{}/write\"\n",
        prometheus.url, prometheus.api
    );
    Some((start_with(&more).await, prometheus))
}

async fn start_with(more: &str) -> System {
    let stack = format!("{TOYS}\n[alerts]\nrules = [\"rules/*.yml\"]\nbuiltin = false\n{more}");
    let folder = prepare(&stack).unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/toys.yml"), RULES).unwrap();
    System::start_in(folder).await.unwrap()
}

async fn alert(system: &System, name: &str, state: AlertState) -> Alert {
    let look = async || {
        let view: AlertsView = system.get("/api/alerts").await.ok()?;
        let mut all = view.rules.into_iter().flat_map(|it| it.alerts);
        all.find(|it| it.state == state && it.labels.get("alertname").is_some_and(|it| it == name))
    };
    eventually(PATIENCE, look).await.unwrap_or_else(|| panic!("{name} is not {state:?}"))
}

#[tokio::test]
async fn a_killed_replica_fires_at_once_and_resolves_when_it_is_back() {
    killed_and_back(&start().await).await;
}

#[tokio::test]
async fn the_same_when_the_rules_read_from_a_prometheus() {
    let Some((system, _prometheus)) = start_remote().await else { return };
    killed_and_back(&system).await;
}

/// Nothing that fires is told as over because the backend is away, and the rules say that they cannot be evaluated.
#[tokio::test]
async fn a_backend_that_is_away_resolves_nothing() {
    let Some((system, prometheus)) = start_remote().await else { return };
    let firing = alert(&system, "Always", AlertState::Firing).await;
    drop(prometheus);
    let failing = async || {
        let view: AlertsView = system.get("/api/alerts").await.ok()?;
        let rule = view.rules.into_iter().find(|it| it.name == "Always")?;
        (rule.health == RuleHealth::Error).then_some(rule)
    };
    let rule = eventually(PATIENCE, failing).await.expect("the rule says that it fails");
    assert!(rule.last_error.is_some_and(|it| it.contains("cannot be reached")));
    assert_eq!(
        rule.alerts.iter().map(|it| (&it.id, it.state)).next(),
        Some((&firing.id, AlertState::Firing))
    );
}

#[tokio::test]
async fn killing_the_server_changes_nothing_when_the_rules_read_from_a_prometheus() {
    let Some((system, _prometheus)) = start_remote().await else { return };
    server_killed(&system).await;
}

async fn killed_and_back(system: &System) {
    alert(system, "Always", AlertState::Firing).await;
    let pid = system.replica("toy", 0).await.unwrap().state.pid.unwrap();
    kill(pid, Signal::KILL);
    let fired = alert(system, "ToyDown", AlertState::Firing).await;
    assert_eq!(fired.labels.get("slot").map(String::as_str), Some("0"));
    assert_eq!(fired.annotations.get("summary").map(String::as_str), Some("toy 0 is down"));

    system.replaced("toy", 0, pid).await.unwrap();
    let past = async || {
        let page: Page<Alert> = system.get("/api/alerts/history").await.ok()?;
        page.items.into_iter().find(|it| it.id == fired.id)
    };
    let past = eventually(PATIENCE, past).await.expect("it resolves");
    assert!(past.resolved_at > past.fired_at, "{past:?}");

    let recorded = async || {
        let answer: Value = system.get("/prometheus/api/v1/query?query=toy:up:sum").await.ok()?;
        (answer["data"]["result"][0]["value"][1] == "2").then_some(())
    };
    eventually(PATIENCE, recorded).await.expect("what a rule records can be asked for");
}

#[tokio::test]
async fn killing_the_server_changes_neither_what_fires_nor_since_when() {
    server_killed(&start().await).await;
}

async fn server_killed(system: &System) {
    let firing = alert(system, "Always", AlertState::Firing).await;
    let pending = alert(system, "NotForAnHour", AlertState::Pending).await;
    for _ in 0..3 {
        let (server, _) = system.control_pids().unwrap();
        kill(server, Signal::KILL);
        let back = async || {
            let (now, _) = system.control_pids().ok()?;
            system
                .get::<AlertsView>("/api/alerts")
                .await
                .ok()
                .filter(|it| now != server && !it.rules.is_empty())
        };
        eventually(PATIENCE, back).await.expect("the server is back");
        let (after_firing, after_pending) = (
            alert(system, "Always", AlertState::Firing).await,
            alert(system, "NotForAnHour", AlertState::Pending).await,
        );
        assert_eq!((&after_firing.id, after_firing.fired_at), (&firing.id, firing.fired_at));
        assert_eq!((&after_pending.id, after_pending.active_at), (&pending.id, pending.active_at));
    }
    let past: Page<Alert> = system.get("/api/alerts/history").await.unwrap();
    assert!(past.items.is_empty(), "nothing was told as resolved: {:?}", past.items);
}

#[tokio::test]
async fn a_rule_file_is_taken_up_when_it_changes_and_a_broken_one_is_told() {
    let system = start().await;
    alert(&system, "Always", AlertState::Firing).await;
    let file = system.folder().join("rules/toys.yml");
    std::fs::write(&file, "groups: [{name: x, rules: [{alert: Broken, expr: 'sum('}]}]").unwrap();
    let told = async || {
        let view: AlertsView = system.get("/api/alerts").await.ok()?;
        view.load_faults.first().cloned()
    };
    let fault = eventually(PATIENCE, told).await.expect("its fault is told");
    assert!(fault.contains("toys.yml") && fault.contains("Broken"), "{fault}");
    let (server, _) = system.control_pids().unwrap();
    kill(server, Signal::KILL);
    alert(&system, "Always", AlertState::Firing).await;
    std::fs::write(&file, RULES.replace("Always", "Anew")).unwrap();
    alert(&system, "Anew", AlertState::Firing).await;
}
