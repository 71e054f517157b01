//! The pages in a real browser: true, readable on a phone, in the dark, without scripts, and for a screen reader.

use std::time::Duration;

use ops_contract::{AlertsView, IncidentsView};
use ops_tests::node::Node;
use ops_tests::receiver::Receiver;
use ops_tests::system::prepare;
use ops_tests::{System, eventually};
use serde_json::{Value, json};

use crate::toys::TOYS;

const SCREENS: [(u32, u32, &str, &str); 4] = [
    (1440, 900, "light", "on"),
    (1440, 900, "dark", "on"),
    (360, 780, "dark", "on"),
    (360, 780, "light", "off"),
];

#[tokio::test]
async fn the_first_page_says_it_in_one_sentence_everywhere() {
    let system = System::start(TOYS).await.unwrap();
    for screen in SCREENS {
        let (seen, what) = open(&system, screen, &[]).await;
        assert!(seen["heading"].as_str().unwrap().contains("serving"), "{what}");
    }
}

#[tokio::test]
async fn queues_and_scaling_answer_their_question_everywhere() {
    let system = System::start(TOYS).await.unwrap();
    for screen in SCREENS {
        let (seen, what) = open(&system, screen, &["/queues"]).await;
        assert!(seen["heading"].as_str().unwrap().contains("No queue is watched"), "{what}");
        let (seen, what) = open(&system, screen, &["/scaling"]).await;
        let heading = seen["heading"].as_str().unwrap();
        assert!(heading.contains("replicas"), "{what}");
    }
}

const RULES: &str = r#"
groups:
  - name: toys
    rules:
      - alert: ToysAreWanted
        expr: ops_service_desired{service="toy"} > 0
        annotations: { summary: "somebody wants <b>toys</b>" }
      - alert: NotForAnHour
        expr: ops_service_desired{service="toy"} > 0
        for: 1h
"#;

#[tokio::test]
async fn alerts_say_what_fires_and_explore_answers_everywhere() {
    let folder = prepare(&format!(
        "{TOYS}\n[alerts]\nrules = [\"toys.yml\"]\nevaluation_interval = \"1s\"\nbuiltin = false\n"
    ))
    .unwrap();
    std::fs::write(folder.path().join("toys.yml"), RULES).unwrap();
    let system = System::start_in(folder).await.unwrap();
    let fires = async || {
        let view: AlertsView = system.get("/api/alerts").await.ok()?;
        (view.firing == 1 && view.pending == 1).then_some(())
    };
    eventually(Duration::from_secs(30), fires).await.expect("one fires and one is pending");
    for screen in SCREENS {
        let (seen, what) = open(&system, screen, &["/alerts"]).await;
        let heading = seen["heading"].as_str().unwrap();
        assert!(heading.contains("somebody wants <b>toys</b>"), "its words, not its markup: {what}");
        let (seen, what) = open(&system, screen, &["/explore", "count(ops_replica_up) * 0 + 42"]).await;
        assert!(seen["heading"].as_str().unwrap().contains("It is 42 now"), "{what}");
        let (seen, what) = open(&system, screen, &["/explore", "sum("]).await;
        assert!(seen["heading"].as_str().unwrap().contains("No answer"), "{what}");
    }
}

const ROUTES: &str = "
route: {receiver: chat, group_wait: 0s}
receivers: [{name: chat, slack_configs: [{api_url: 'URL/chat', channel: '#ops'}]}]
";

#[tokio::test]
async fn incidents_say_what_is_broken_and_somebody_looks_after_it_everywhere() {
    let receiver = Receiver::start().await.unwrap();
    let folder = prepare(&format!(
        "{TOYS}\n[alerts]\nrules = [\"toys.yml\"]\nbuiltin = false\nalertmanager_file = \"alertmanager.yml\"\n"
    ))
    .unwrap();
    std::fs::write(folder.path().join("toys.yml"), RULES).unwrap();
    std::fs::write(folder.path().join("alertmanager.yml"), ROUTES.replace("URL", &receiver.url)).unwrap();
    let system = System::start_in(folder).await.unwrap();
    let message = receiver.wait_for(Duration::from_secs(30), |_| true).await.unwrap().body.to_string();
    let (before, rest) = message.split_once("/ack/").expect("the message has a link");
    let link = format!(
        "{}/ack/{}",
        &before[before.rfind("http").unwrap()..],
        rest.split(['"', '|', '>', '\\', ' ']).next().unwrap()
    );
    let view: IncidentsView = system.get("/api/incidents").await.unwrap();
    let one = format!("/incidents/{}", view.living.first().unwrap().id);
    for screen in SCREENS {
        let (seen, what) = open(&system, screen, &["/incidents"]).await;
        let heading = seen["heading"].as_str().unwrap();
        assert!(heading.contains("nobody looks after it") && heading.contains("<b>toys</b>"), "{what}");
        let (seen, what) = open(&system, screen, &[&one]).await;
        assert!(seen["heading"].as_str().unwrap().contains("<b>toys</b>, since"), "{what}");
        let (_, what) = open(&system, screen, &["/notifications"]).await;
        assert!(what.contains("Notifications"), "{what}");
        // Its button does nothing without a reason.
        let (seen, what) = look(&system, &link, screen, &[]).await;
        assert_eq!(seen["heading"], "Look after this incident?", "{what}");
    }
    let (seen, what) = open(&system, SCREENS[3], &[&one, "the <i>toys</i> are counted"]).await;
    assert!(seen["heading"].as_str().unwrap().contains("somebody looks after it"), "{what}");
    let (seen, what) = open(&system, SCREENS[1], &["/incidents"]).await;
    assert!(seen["heading"].as_str().unwrap().contains("somebody looks after it"), "{what}");
}

/// A rule file that cannot be read any more is told first, and nobody is told that all is well.
#[tokio::test]
async fn alerts_tell_of_a_broken_rule_file() {
    let folder = prepare(&format!("{TOYS}\n[alerts]\nrules = [\"toys.yml\"]\nbuiltin = false\n")).unwrap();
    std::fs::write(
        folder.path().join("toys.yml"),
        "groups: [{name: x, rules: [{alert: Broken, expr: 'sum('}]}]",
    )
    .unwrap();
    let system = System::start_in(folder).await.unwrap();
    let told = async || {
        let view: AlertsView = system.get("/api/alerts").await.ok()?;
        (!view.load_faults.is_empty()).then_some(())
    };
    eventually(Duration::from_secs(30), told).await.expect("its fault is told");
    let (seen, what) = open(&system, SCREENS[0], &["/alerts"]).await;
    assert!(seen["heading"].as_str().unwrap().contains("nothing can fire"), "{what}");
}

/// Opens a page, and asks something in its form; nothing may be wrong with it on any screen.
async fn open(system: &System, screen: (u32, u32, &str, &str), asked: &[&str]) -> (Value, String) {
    let link = system.post("/api/links", json!({})).await.unwrap();
    look(system, link["url"].as_str().unwrap(), screen, asked).await
}

/// The same of the page behind a link.
async fn look(
    system: &System,
    link: &str,
    screen: (u32, u32, &str, &str),
    asked: &[&str],
) -> (Value, String) {
    let (width, height, scheme, scripts) = screen;
    let path = asked.first().copied().unwrap_or_default();
    let png = system.folder().join(format!("{width}-{scheme}-{scripts}{}.png", path.replace('/', "-")));
    let arguments = [
        link.to_owned(),
        png.to_string_lossy().into_owned(),
        width.to_string(),
        height.to_string(),
        scheme.to_owned(),
        scripts.to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(asked.iter().copied()).collect();
    let seen = Node::start("page.mjs", &arguments).unwrap().finish().await.unwrap().remove(0);
    let what = format!("{path} at {width} px, {scheme}, scripts {scripts}: {seen}");
    assert_eq!(seen["errors"], json!([]), "{what}");
    // The page must be live without a script; that it asks again by itself is the one thing axe minds.
    let violations = seen["violations"].as_array().unwrap().iter();
    let others: Vec<_> = violations.filter(|it| !it.as_str().unwrap().starts_with("meta-refresh")).collect();
    assert!(others.is_empty(), "{what}");
    assert_ne!(seen["sideways"], true, "{what}");
    (seen, what)
}
