//! People and jobs: who is on call by a calendar, acknowledgements that come from elsewhere, jobs that stop reporting in, silences
//! that run out, and pages that do not arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use ops_contract::{Change, ChangeKind, IncidentState, IncidentsView, Page};
use ops_tests::receiver::{Behaviour, Receiver};
use ops_tests::system::{kill, prepare};
use ops_tests::{System, eventually};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::toys::TOYS;

const PATIENCE: Duration = Duration::from_secs(30);

/// One that fires for as long as the stack runs.
const FIRES: &str = "groups: [{name: g, rules: [{alert: Fires, expr: 'ops_service_desired{service=\"toy\"} > 0', labels: {severity: critical}}]}]";

/// A stack with `alerts` in its section, and files beside it in which `URL` is the receiver's address.
async fn start(receiver: &Receiver, alerts: &str, files: &[(&str, &str)]) -> System {
    let stack = format!("{TOYS}\n[alerts]\nalertmanager_file = \"alertmanager.yml\"\n{alerts}");
    let folder = prepare(&stack).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text.replace("URL", &receiver.url)).unwrap();
    }
    System::start_in(folder).await.unwrap()
}

async fn incidents(system: &System) -> Option<IncidentsView> {
    system.get("/api/incidents").await.ok()
}

/// A change that somebody's answer to an incident made, by a part of its words.
async fn responded(system: &System, part: &str) -> Change {
    let look = async || {
        let changes: Page<Change> = system.get("/api/changes").await.ok()?;
        changes.items.into_iter().find(|it| it.kind == ChangeKind::Response && it.summary.contains(part))
    };
    eventually(PATIENCE, look).await.unwrap_or_else(|| panic!("no change says {part}"))
}

#[tokio::test]
async fn who_acknowledges_at_pagerduty_has_acknowledged_here_and_the_other_way_round() {
    let receiver = Receiver::start().await.unwrap();
    let routes = "
route: {receiver: pd, group_by: [alertname]}
receivers: [{name: pd, pagerduty_configs: [{url: 'URL/enqueue', routing_key: 0123456789abcdef0123456789abcdef, ack_secrets: [a-secret]}]}]
";
    let alerts = "rules = [\"rules.yml\"]\nbuiltin = false\n";
    let system = start(&receiver, alerts, &[("alertmanager.yml", routes), ("rules.yml", FIRES)]).await;
    let action =
        |name: &'static str| move |it: &ops_tests::receiver::Request| it.body["event_action"] == name;
    let trigger = receiver.wait_for(PATIENCE, action("trigger")).await.unwrap();
    let event = |kind: &str| {
        let (key, agent) = (&trigger.body["dedup_key"], json!({"summary": "Ann"}));
        json!({"event": {"event_type": kind, "agent": agent, "data": {"incident_key": key}}}).to_string()
    };
    let say = async |body: String, secret: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let digits: String = mac.finalize().into_bytes().iter().map(|it| format!("{it:02x}")).collect();
        let url =
            format!("{}/api/receivers/pd/events", system.up["url"].as_str().unwrap().trim_end_matches('/'));
        let request = system.http.post(url).header("x-pagerduty-signature", format!("v1={digits}"));
        request.body(body).send().await.unwrap().status()
    };
    assert_eq!(say(event("incident.acknowledged"), "another").await, StatusCode::UNAUTHORIZED);
    assert_eq!(say("{}".to_owned(), "a-secret").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(say("x".repeat(300_000), "a-secret").await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(incidents(&system).await.unwrap().living[0].state, IncidentState::Open);

    assert_eq!(say(event("incident.acknowledged"), "a-secret").await, StatusCode::NO_CONTENT);
    let incident = incidents(&system).await.unwrap().living.remove(0);
    assert_eq!(incident.state, IncidentState::Acknowledged);
    assert_eq!(incident.acknowledgement.unwrap().by, "Ann (pagerduty)");
    responded(&system, "Ann (pagerduty) looks after").await;
    let told = receiver.wait_for(PATIENCE, action("acknowledge")).await.unwrap();
    assert_eq!(told.body["dedup_key"], trigger.body["dedup_key"]);

    assert_eq!(say(event("incident.unacknowledged"), "a-secret").await, StatusCode::NO_CONTENT);
    let open = async || {
        incidents(&system)
            .await
            .filter(|it| it.living.first().is_some_and(|it| it.state == IncidentState::Open))
    };
    eventually(PATIENCE, open).await.expect("it is open again");
}

#[tokio::test]
async fn a_calendar_says_who_is_told_and_counts_as_it_was_while_it_cannot_be_had() {
    let receiver = Receiver::start().await.unwrap();
    let broken = Arc::new(AtomicBool::new(false));
    let answer = broken.clone();
    let calendar = axum::Router::new().route(
        "/private.ics",
        axum::routing::get(async move || {
            if answer.load(Ordering::Relaxed) {
                return (StatusCode::BAD_GATEWAY, "down".to_owned());
            }
            let day = |hours: i64| {
                let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
                at.strftime("%Y%m%dT%H%M%SZ").to_string()
            };
            let (from, until) = (day(-24), day(24));
            let event = format!(
                "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:anna\r\nDTSTART:{from}\r\nDTEND:{until}\r\nEND:VEVENT\r\n"
            );
            let text = format!("BEGIN:VCALENDAR\r\n{event}END:VCALENDAR\r\n");
            (StatusCode::OK, text)
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("CALENDAR=http://{}/private.ics\n", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, calendar).await });
    let routes = "
route: {receiver: team, group_by: [alertname]}
receivers: [{name: team, webhook_configs: [{url: 'URL/team'}]}, {name: anna, webhook_configs: [{url: 'URL/anna'}]}]
";
    let people = "
schedules: {primary: {calendar: '${CALENDAR}'}}
escalations: {page: {levels: [{after: 1s, schedules: [primary]}], repeat: 100, repeat_after: 1s}}
incidents: {critical: page}
";
    let alerts = "rules = [\"rules.yml\"]\nbuiltin = false\noncall_file = \"oncall.yml\"\n";
    let files =
        [("alertmanager.yml", routes), ("rules.yml", FIRES), ("oncall.yml", people), (".env", &address)];
    let system = start(&receiver, alerts, &files).await;
    let page = receiver.wait_for(PATIENCE, |it| it.path == "/anna").await.unwrap();
    assert_eq!(page.body["notification_reason"], "escalation");

    broken.store(true, Ordering::Relaxed);
    kill(system.control_pids().unwrap().0, Signal::KILL);
    let killed = std::time::Instant::now();
    // Told again by a server that never had it from its address.
    receiver.wait_for(PATIENCE, |it| it.path == "/anna" && it.at > killed).await.unwrap();
    let says = async |part: &str| {
        let found = async || {
            let view = incidents(&system).await?;
            let on_call = view.on_call.iter().any(|(name, who)| name == "primary" && who == &["anna"]);
            (on_call && view.faults.iter().any(|it| it.contains(part)) != part.is_empty()).then_some(())
        };
        let Some(()) = eventually(PATIENCE, found).await else {
            panic!("{part}: {:?}", incidents(&system).await)
        };
    };
    // It is young enough to be nobody's worry yet.
    says("").await;
    // A file that was broken counts as it was.
    std::fs::write(system.folder().join("oncall.yml"), people.replace("1s", "soon")).unwrap();
    says("soon").await;
}

#[tokio::test]
async fn pages_that_do_not_arrive_are_told_to_the_fallback() {
    let receiver = Receiver::start().await.unwrap();
    let deaf = Receiver::start().await.unwrap();
    deaf.usually(Behaviour::Status(503));
    let routes = "
route: {receiver: hook, group_by: [alertname]}
receivers: [{name: hook, webhook_configs: [{url: 'DEAF/hook'}]}, {name: second, webhook_configs: [{url: 'URL/second'}]}]
";
    let rules = "groups: [{name: g, rules: [
  {alert: Fires, expr: 'ops_service_desired{service=\"toy\"} > 0', labels: {severity: critical}},
  {alert: DeliveriesStalled, expr: ops_deliveries_oldest_age_seconds > 2, labels: {severity: critical}}]}]";
    let alerts = "rules = [\"rules.yml\"]\nbuiltin = false\nfallback_receiver = \"second\"\n";
    let files = [("alertmanager.yml", &*routes.replace("DEAF", &deaf.url)), ("rules.yml", rules)];
    let _system = start(&receiver, alerts, &files).await;
    let page = receiver.wait_for(PATIENCE, |_| true).await.unwrap();
    assert_eq!(page.alerts(), [("DeliveriesStalled".to_owned(), "firing".to_owned())]);
    assert_eq!(page.body["notification_reason"], "fallback");
    deaf.usually(Behaviour::Status(200));
    receiver.wait_for(Duration::from_secs(60), |it| it.body["status"] == "resolved").await.unwrap();
}

#[tokio::test]
async fn a_job_that_stops_reporting_in_is_told_and_its_return_too() {
    let receiver = Receiver::start().await.unwrap();
    let routes = "
route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: 'URL/hook'}]}]
";
    let alerts = "heartbeats = { backup = \"3s\" }\n";
    let system = start(&receiver, alerts, &[("alertmanager.yml", routes)]).await;
    let is = |status: &'static str| {
        move |it: &ops_tests::receiver::Request| {
            it.alerts().contains(&("HeartbeatMissed".to_owned(), status.to_owned()))
        }
    };
    let page = receiver.wait_for(PATIENCE, is("firing")).await.unwrap();
    assert_eq!(page.body["alerts"][0]["labels"]["heartbeat"], "backup");
    let link = page.body["alerts"][0]["generatorURL"].as_str().unwrap();
    assert!(link.starts_with("http") && link.contains("/explore?expr=ops_heartbeat_age_seconds"), "{link}");
    let beat = async || {
        let answer = system.send(Method::POST, "/api/heartbeats/backup", None).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        receiver.requests().iter().any(is("resolved")).then_some(())
    };
    eventually(PATIENCE, beat).await.expect("its return is told");
    let unknown = system.send(Method::POST, "/api/heartbeats/other", None).await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(unknown.text().await.unwrap().contains("backup"));
}

#[tokio::test]
async fn a_silence_stands_among_the_changes_when_it_begins_and_when_it_runs_out() {
    let receiver = Receiver::start().await.unwrap();
    let routes = "
route: {receiver: hook, group_by: [alertname], group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: 'URL/hook'}]}]
";
    let alerts = "rules = [\"rules.yml\"]\nbuiltin = false\n";
    let rules = FIRES.replace("Fires", "Quiet");
    let system = start(&receiver, alerts, &[("alertmanager.yml", routes), ("rules.yml", &rules)]).await;
    receiver.wait_for(PATIENCE, |_| true).await.unwrap();
    let ends = ops_contract::Timestamp(jiff::Timestamp::now().as_microsecond() + 3_000_000);
    let request = json!({"matchers": ["alertname=Quiet"], "ends_at": ends, "comment": "planned"});
    let made: Value = system.post("/api/silences", request).await.unwrap();
    assert_eq!(made["mutes_now"], 1);
    let begun = responded(&system, "is silenced until").await;
    assert!(
        begun.summary.starts_with("alertname=\"Quiet\"") && begun.summary.ends_with("planned"),
        "{begun:?}"
    );
    assert!(responded(&system, "ran out").await.summary.contains("alertname=\"Quiet\""));
}
