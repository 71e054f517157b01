//! Alertmanager's own tool at our interface; and what of Alertmanager's failures is not ours.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use ops_tests::System;
use ops_tests::receiver::{Behaviour, Receiver};
use ops_tests::system::{kill, prepare};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::toys::TOYS;

const PATIENCE: Duration = Duration::from_secs(30);

const ROUTES: &str = "
route: {receiver: hook, group_by: [alertname], group_wait: 5s, group_interval: 10m}
receivers: [{name: hook, webhook_configs: [{url: 'URL/hook', timeout: 2s}]}, {name: other, log_configs: [{}]}]
";

pub(crate) struct World {
    system: System,
    pub(crate) receiver: Receiver,
}

impl World {
    async fn start() -> Self {
        Self::with(ROUTES).await
    }

    /// With such a file for Alertmanager, in which `URL` is the receiver's address.
    pub(crate) async fn with(routes: &str) -> Self {
        let receiver = Receiver::start().await.unwrap();
        let stack = format!("{TOYS}\n[alerts]\nbuiltin = false\nalertmanager_file = \"alertmanager.yml\"\n");
        let folder = prepare(&stack).unwrap();
        let routes = routes.replace("URL", &receiver.url);
        std::fs::write(folder.path().join("alertmanager.yml"), routes).unwrap();
        let system = System::start_in(folder).await.unwrap();
        let it = Self { system, receiver };
        let config = format!("basic_auth: {{username: amtool, password: {}}}\n", it.token());
        std::fs::write(it.system.folder().join("http.yml"), config).unwrap();
        it
    }

    /// Where the server answers, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        self.system.up["url"].as_str().unwrap().trim_end_matches('/')
    }

    /// What a client of the API names itself with.
    pub(crate) fn token(&self) -> String {
        let client = std::fs::read(self.system.state().join("client.json")).unwrap();
        let client: Value = serde_json::from_slice(&client).unwrap();
        client["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn amtool(&self, arguments: &[&str]) -> Output {
        let url = format!("{}/alertmanager", self.url());
        Command::new("amtool")
            .args(["--alertmanager.url", &url, "--http.config.file", "http.yml"])
            .args(arguments)
            .current_dir(self.system.folder())
            .env("HOME", self.system.folder())
            .output()
            .unwrap()
    }

    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let output = self.amtool(arguments);
        // On the other stream it says that its version is not ours: that is no answer.
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub(crate) fn kill_the_server(&self) {
        kill(self.system.control_pids().unwrap().0, Signal::KILL);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn is_installed() -> bool {
    let there = Path::new("/usr/bin/amtool").is_file();
    if !there {
        println!("skipped: amtool is not installed");
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn amtool_adds_shows_and_silences() {
    if !is_installed() {
        return;
    }
    let world = World::start().await;
    world.must(&["alert", "add", "DiskFull", "severity=critical", "host=db1", "--annotation=summary=full"]);
    let page = world.receiver.wait_for(PATIENCE, |_| true).await.unwrap();
    assert_eq!(page.alerts(), [("DiskFull".to_owned(), "firing".to_owned())]);
    let shown = world.must(&["alert", "query", "host=db1", "-o", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown[0]["labels"]["alertname"], "DiskFull");
    assert_eq!(shown[0]["receivers"][0]["name"], "hook");

    let id = world.must(&["silence", "add", "host=db1", "-c", "a test", "-d", "1h"]);
    let id = id.trim();
    // What the server has answered survives its death.
    world.kill_the_server();
    let shown = async || {
        let output = world.amtool(&["silence", "query", "-o", "json"]);
        let silences: Value = serde_json::from_slice(&output.stdout).ok()?;
        silences.as_array()?.iter().find(|it| it["id"] == id).cloned()
    };
    let silence = ops_tests::eventually(PATIENCE, shown).await.expect("the silence is there");
    assert_eq!((&silence["comment"], &silence["status"]["state"]), (&json!("a test"), &json!("active")));
    let muted = async || {
        let output = world.amtool(&["alert", "query", "--silenced", "host=db1", "-o", "json"]);
        let alerts: Value = serde_json::from_slice(&output.stdout).ok()?;
        alerts.as_array()?.first().filter(|it| it["status"]["silencedBy"][0] == id).map(drop)
    };
    ops_tests::eventually(PATIENCE, muted).await.expect("the alert is silenced");
    world.must(&["silence", "expire", id]);
    let left = world.must(&["silence", "query", "-o", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&left).unwrap(), json!([]));
    // What would mute everything is refused, in words.
    let refused = world.amtool(&["silence", "add", "alertname=~.*", "-c", "all"]);
    assert!(!refused.status.success());
    let words = text(&refused.stderr);
    assert!(words.contains("match"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_was_taken_is_told_though_the_server_dies_within_group_wait() {
    if !is_installed() {
        return;
    }
    let world = World::start().await;
    world.must(&["alert", "add", "Slow", "severity=warning"]);
    world.kill_the_server();
    let page = world.receiver.wait_for(PATIENCE, |_| true).await.unwrap();
    assert_eq!(page.alerts(), [("Slow".to_owned(), "firing".to_owned())]);
    // The sender tells it again, and the server dies once more: nobody is told twice.
    world.kill_the_server();
    let again =
        async || world.amtool(&["alert", "add", "Slow", "severity=warning"]).status.success().then_some(());
    ops_tests::eventually(PATIENCE, again).await.expect("it is taken again");
    world.must(&["alert", "add", "Other", "severity=critical"]);
    world.receiver.wait_for(PATIENCE, |it| it.alerts()[0].0 == "Other").await.unwrap();
    let slow = world.receiver.requests().iter().filter(|it| it.alerts()[0].0 == "Slow").count();
    assert_eq!(slow, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_429_and_an_end_meanwhile_are_told_and_a_second_alert_is_not_late() {
    if !is_installed() {
        return;
    }
    let world = World::start().await;
    world.receiver.then([Behaviour::Status(429)]);
    world.must(&["alert", "add", "Short", "severity=critical"]);
    world.receiver.wait_for(PATIENCE, |_| true).await.unwrap();
    let end = (jiff::Timestamp::now() - Duration::from_millis(1)).to_string();
    world.must(&["alert", "add", "Short", "severity=critical", &format!("--end={end}")]);
    let told = world.receiver.wait_for(PATIENCE, |it| it.answer == Behaviour::Status(200)).await.unwrap();
    assert_eq!(told.alerts()[0].0, "Short");
    world.receiver.wait_for(PATIENCE, |it| it.alerts()[0].1 == "resolved").await.unwrap();
    // Alertmanager tells a second alert of a living group with the next tick: here that is ten minutes away.
    for host in ["a", "b"] {
        world.must(&["alert", "add", "Many", "severity=critical", &format!("host={host}")]);
        let is_its = |it: &ops_tests::receiver::Request| it.body["alerts"][0]["labels"]["host"] == host;
        world.receiver.wait_for(PATIENCE, is_its).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_of_the_team_are_what_amtool_reads_from_our_status() {
    if !is_installed() {
        return;
    }
    let world = World::start().await;
    let shown = world.must(&["config", "routes", "show"]);
    assert!(shown.contains("receiver: hook"), "{shown}");
    let tested = world.must(&["config", "routes", "test", "severity=critical"]);
    assert_eq!(tested.trim(), "hook");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_teams_own_file_sends_each_alert_where_amtool_says() {
    let team = crate::rules::shared_rules().map(|it| it.join("alertmanager.yml")).filter(|it| it.is_file());
    let Some(team) = team.filter(|_| is_installed()) else { return };
    let routes = std::fs::read_to_string(&team).unwrap();
    // amtool knows no variables.
    let routes = routes.replace("${SLACK_WEBHOOK_URL}", "https://hooks.example/x");
    let world = World::with(&routes).await;
    let copy = world.system.folder().join("plain.yml");
    std::fs::write(&copy, &routes).unwrap();
    for severity in ["critical", "warning", "info"] {
        let host = format!("host={severity}");
        // Under names of their own: the critical one would inhibit the warning.
        let name = format!("alertname=Routed_{severity}");
        world.must(&["alert", "add", &name, &format!("severity={severity}"), &host]);
        let shown = async || {
            let output = world.amtool(&["alert", "query", "-o", "json", &host]);
            let alerts: Value = serde_json::from_slice(&output.stdout).ok()?;
            let names = alerts.as_array()?.first()?["receivers"].as_array()?.clone();
            let names: Vec<String> = names.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
            Some(names.join(",")).filter(|it| !it.is_empty())
        };
        let ours = ops_tests::eventually(PATIENCE, shown).await.expect("the alert is there");
        let theirs = Command::new("amtool")
            .args(["config", "routes", "test"])
            .arg(format!("--config.file={}", copy.display()))
            .args([&name, &format!("severity={severity}")])
            .output()
            .unwrap();
        assert!(theirs.status.success(), "{}", text(&theirs.stderr));
        assert_eq!(ours, text(&theirs.stdout).trim(), "{severity}");
    }
}
