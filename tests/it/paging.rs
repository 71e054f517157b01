//! Pages on a real stack: from a killed replica to the receiver, through crashes and receivers that fail.

use std::time::Duration;

use ops_contract::{
    AttemptOutcome, DeliveryStatus, Incident, IncidentState, IncidentsView, NotificationReason,
    NotificationView, NotificationsView,
};
use ops_tests::receiver::{Behaviour, Receiver};
use ops_tests::system::{kill, prepare};
use ops_tests::{System, eventually};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::toys::TOYS;

const PATIENCE: Duration = Duration::from_secs(30);

const RULES: &str = r#"
groups:
  - name: toys
    rules:
      - alert: ToyDown
        expr: ops_replica_up{service="toy"} == 0
        labels: { severity: critical }
        annotations: { summary: "toy {{ $labels.slot }} is down" }
"#;

/// Everything to one webhook, and to the log what it refuses.
const ROUTES: &str = "
route: {receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 2s}
receivers:
  - name: hook
    webhook_configs: [{url: 'URL/hook', timeout: 2s, signing_secrets: ['${SIGNING}']}]
  - name: second
    webhook_configs: [{url: 'URL/second'}]
  - name: broken
    webhook_configs: [{url: '${NOT_SET}'}]
";

async fn start(receiver: &Receiver, routes: &str, more: &str) -> System {
    let stack = format!(
        "{TOYS}\n[alerts]\nrules = [\"rules.yml\"]\nbuiltin = false\nalertmanager_file = \"alertmanager.yml\"\n{more}"
    );
    let folder = prepare(&stack).unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    std::fs::write(folder.path().join("alertmanager.yml"), routes.replace("URL", &receiver.url)).unwrap();
    let secret = "SIGNING=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";
    let env = folder.path().join(".env");
    let before = std::fs::read_to_string(&env).unwrap_or_default();
    std::fs::write(&env, format!("{before}{secret}")).unwrap();
    System::start_in(folder).await.unwrap()
}

async fn kill_a_toy(system: &System) -> u32 {
    let pid = system.replica("toy", 0).await.unwrap().state.pid.unwrap();
    kill(pid, Signal::KILL);
    pid
}

async fn incidents(system: &System) -> IncidentsView {
    system.get("/api/incidents").await.unwrap()
}

async fn delivered(system: &System, id: &str) -> NotificationView {
    let look = async || {
        let view: NotificationView = system.get(&format!("/api/notifications/{id}")).await.ok()?;
        view.deliveries.iter().all(|it| it.status != DeliveryStatus::Pending).then_some(view)
    };
    eventually(PATIENCE, look).await.expect("the notification arrives")
}

#[tokio::test]
async fn a_killed_replica_is_paged_and_its_end_is_told() {
    let receiver = Receiver::start().await.unwrap();
    let system = start(&receiver, ROUTES, "").await;
    let pid = kill_a_toy(&system).await;
    let page = receiver.wait_for(PATIENCE, |it| !it.alerts().is_empty()).await.unwrap();
    assert_eq!(page.alerts(), [("ToyDown".to_owned(), "firing".to_owned())]);
    assert_eq!((page.path.as_str(), page.body["version"].as_str()), ("/hook", Some("4")));
    assert!(page.header("webhook-signature").unwrap().starts_with("v1,"));
    system.replaced("toy", 0, pid).await.unwrap();
    let end = receiver.wait_for(PATIENCE, |it| it.body["status"] == "resolved").await.unwrap();
    assert_eq!(end.alerts(), [("ToyDown".to_owned(), "resolved".to_owned())]);
    assert_ne!(end.header("webhook-id"), page.header("webhook-id"));

    let view = incidents(&system).await;
    assert!(view.living.is_empty() && view.faults.is_empty());
    let incident = view.resolved.first().unwrap();
    assert_eq!((incident.title.as_str(), incident.severity.as_str()), ("toy 0 is down", "critical"));
    let history: NotificationsView = system.get("/api/notifications").await.unwrap();
    assert_eq!(history.notifications.len(), 2);
    let first = delivered(&system, page.header("webhook-id").unwrap()).await;
    let attempt = &first.deliveries[0].attempts[0];
    assert_eq!((attempt.outcome, attempt.detail.as_str()), (AttemptOutcome::Delivered, "200"));
}

#[tokio::test]
async fn a_page_survives_a_kill_of_the_server_and_keeps_its_id() {
    let receiver = Receiver::start().await.unwrap();
    receiver.then([Behaviour::Hang, Behaviour::Status(503), Behaviour::Break]);
    let system = start(&receiver, ROUTES, "").await;
    kill_a_toy(&system).await;
    let first = receiver.wait_for(PATIENCE, |_| true).await.unwrap();
    kill(system.control_pids().unwrap().0, Signal::KILL);
    let arrived = |it: &ops_tests::receiver::Request| {
        it.answer == Behaviour::Status(200) && it.header("webhook-id") == first.header("webhook-id")
    };
    // The lease of the attempt that was under way must run out first.
    let page = receiver.wait_for(Duration::from_secs(100), arrived).await.unwrap();
    assert_eq!(page.body["alerts"], first.body["alerts"]);
    let view = delivered(&system, first.header("webhook-id").unwrap()).await;
    let outcomes: Vec<AttemptOutcome> = view.deliveries[0].attempts.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes.last(), Some(&AttemptOutcome::Delivered), "{view:#?}");
    assert!(outcomes.contains(&AttemptOutcome::Failed));
}

#[tokio::test]
async fn an_incident_of_which_nobody_could_be_told_is_told_as_one_message() {
    let receiver = Receiver::start().await.unwrap();
    receiver.usually(Behaviour::Busy(1));
    let system = start(&receiver, ROUTES, "").await;
    let pid = kill_a_toy(&system).await;
    receiver.wait_for(PATIENCE, |_| true).await.unwrap();
    system.replaced("toy", 0, pid).await.unwrap();
    let over = async || {
        let view = incidents(&system).await;
        view.resolved.into_iter().next()
    };
    eventually(PATIENCE, over).await.expect("the incident ends");
    receiver.usually(Behaviour::Status(200));
    let told = receiver.wait_for(PATIENCE, |it| it.answer == Behaviour::Status(200)).await.unwrap();
    assert_eq!(told.alerts(), [("ToyDown".to_owned(), "resolved".to_owned())]);
    let idle = async || {
        let view = incidents(&system).await;
        (view.waiting == 0).then_some(())
    };
    eventually(PATIENCE, idle).await.expect("nothing waits");
    let taken = receiver.requests().into_iter().filter(|it| it.answer == Behaviour::Status(200)).count();
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn what_a_receiver_refuses_goes_to_the_fallback() {
    let receiver = Receiver::start().await.unwrap();
    receiver.then([Behaviour::Status(400)]);
    let system = start(&receiver, ROUTES, "fallback_receiver = \"second\"").await;
    kill_a_toy(&system).await;
    let page = receiver.wait_for(PATIENCE, |it| it.path == "/second").await.unwrap();
    assert_eq!(page.body["notification_reason"], "fallback");
    assert_eq!(page.alerts(), [("ToyDown".to_owned(), "firing".to_owned())]);
}

#[tokio::test]
async fn a_slow_receiver_delays_nobody() {
    let (slow, quick) = (Receiver::start().await.unwrap(), Receiver::start().await.unwrap());
    slow.usually(Behaviour::Hang);
    let routes = ROUTES
        .replace(
            "group_interval: 2s}",
            "group_interval: 2s, routes: [{receiver: second, continue: true}, {receiver: hook}]}",
        )
        .replace("URL/second", &format!("{}/second", quick.url));
    let system = start(&slow, &routes, "").await;
    kill_a_toy(&system).await;
    quick.wait_for(PATIENCE, |it| !it.alerts().is_empty()).await.unwrap();
    quick.wait_for(PATIENCE, |it| it.body["status"] == "resolved").await.unwrap();
    assert!(slow.requests().iter().all(|it| it.answer == Behaviour::Hang));
    // One cause, two receivers, one incident.
    let view = incidents(&system).await;
    assert_eq!(view.living.len() + view.resolved.len(), 1);
}

#[tokio::test]
async fn a_receiver_can_be_tested_and_says_what_is_wrong_with_it() {
    let receiver = Receiver::start().await.unwrap();
    let system = start(&receiver, ROUTES, "").await;
    let begun = system.post("/api/receivers/hook/test", json!({})).await.unwrap();
    let id = begun["notification"]["id"].as_str().unwrap().to_owned();
    let view = delivered(&system, &id).await;
    assert_eq!(view.deliveries[0].status, DeliveryStatus::Delivered);
    assert_eq!(view.notification.reason, NotificationReason::Test);
    let page = receiver.wait_for(PATIENCE, |_| true).await.unwrap();
    assert_eq!(page.alerts(), [("InsightDeskTest".to_owned(), "firing".to_owned())]);
    let begun = system.post("/api/receivers/broken/test", json!({})).await.unwrap();
    let view = delivered(&system, begun["notification"]["id"].as_str().unwrap()).await;
    assert_eq!(view.deliveries[0].status, DeliveryStatus::Dead);
    assert!(view.deliveries[0].attempts[0].detail.contains("NOT_SET is not set"), "{view:#?}");
    let unknown = system.send(Method::POST, "/api/receivers/nobody/test", Some(json!({}))).await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert!(unknown.text().await.unwrap().contains("hook, second, broken"));
}

#[tokio::test]
async fn who_acknowledges_stops_the_escalation() {
    let receiver = Receiver::start().await.unwrap();
    let more = "oncall_file = \"oncall.yml\"";
    let folder_file = "
escalations: {page: {levels: [{after: 2s, receivers: [second]}], repeat: 50, repeat_after: 2s}}
incidents: {critical: page}
";
    let stack = format!(
        "{TOYS}\n[alerts]\nrules = [\"rules.yml\"]\nbuiltin = false\nalertmanager_file = \"alertmanager.yml\"\n{more}"
    );
    let folder = prepare(&stack).unwrap();
    let rules =
        RULES.replace("ops_replica_up{service=\"toy\"} == 0", "ops_service_desired{service=\"toy\"} > 0");
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    std::fs::write(folder.path().join("oncall.yml"), folder_file).unwrap();
    let routes = ROUTES.replace("URL", &receiver.url).replace(", signing_secrets: ['${SIGNING}']", "");
    std::fs::write(folder.path().join("alertmanager.yml"), routes).unwrap();
    let system = System::start_in(folder).await.unwrap();

    receiver.wait_for(PATIENCE, |it| it.path == "/second").await.unwrap();
    let incident = incidents(&system).await.living.remove(0);
    assert_eq!((incident.state, incident.policy.as_deref()), (IncidentState::Open, Some("page")));
    let path = format!("/api/incidents/{}/ack", incident.id);
    let refused = system.send(Method::POST, &path, Some(json!({"reason": "  "}))).await.unwrap();
    assert_eq!(refused.status(), 422);
    // Some digits of its id are enough.
    let path = format!("/api/incidents/{}/ack", &incident.id[..8]);
    let acked: Incident =
        serde_json::from_value(system.post(&path, json!({"reason": "on it", "for_s": 60})).await.unwrap())
            .unwrap();
    assert_eq!(acked.state, IncidentState::Acknowledged);
    let told = |of: &Receiver| of.requests().iter().filter(|it| it.path == "/second").count();
    // What was decided before the acknowledgement may still arrive; then there is silence over several periods.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = told(&receiver);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(told(&receiver), before);
    let view: Value = system.get(&format!("/api/incidents/{}", incident.id)).await.unwrap();
    assert_eq!(view["incident"]["acknowledgement"]["reason"], "on it");
    assert!(!view["incident"]["escalations"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_a_broken_machine_breaks_is_told_with_it_and_not_beside_it() {
    let receiver = Receiver::start().await.unwrap();
    let rules = "groups: [{name: g, rules: [
  {alert: HostBroken, expr: node_memory_MemTotal_bytes > 0, labels: {severity: critical}},
  {alert: Affected, expr: 'ops_service_desired{service=\"toy\"} > 2', labels: {severity: critical}},
  {alert: Later, expr: 'ops_service_desired{service=\"toy\"} > 2', labels: {severity: critical, service: other}}]}]";
    let stack = format!(
        "{TOYS}\n[alerts]\nrules = [\"rules.yml\"]\nbuiltin = false\nalertmanager_file = \"alertmanager.yml\"\n"
    );
    let folder = prepare(&stack).unwrap();
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    let routes = ROUTES.replace("URL", &receiver.url).replace(", signing_secrets: ['${SIGNING}']", "");
    std::fs::write(folder.path().join("alertmanager.yml"), routes).unwrap();
    let system = System::start_in(folder).await.unwrap();
    let is = |name: &'static str| {
        move |it: &ops_tests::receiver::Request| it.alerts().iter().any(|(it, _)| it == name)
    };
    receiver.wait_for(PATIENCE, is("HostBroken")).await.unwrap();
    // The graph is looked at every five seconds; the machine is part of it once its series are there.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(system.cli(&["scale", "toy", "3"]).unwrap().status.success());
    receiver.wait_for(PATIENCE, is("Later")).await.unwrap();
    assert!(!receiver.requests().iter().any(is("Affected")), "{:?}", receiver.requests());
    let alerts: Value = system.get("/alertmanager/api/v2/alerts?filter=alertname%3DAffected").await.unwrap();
    assert_eq!(alerts[0]["status"]["state"], "suppressed", "{alerts}");
    assert_eq!(alerts[0]["status"]["inhibitedBy"].as_array().map(Vec::len), Some(1), "{alerts}");
}
