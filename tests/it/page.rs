//! The pages in a real browser: true, readable on a phone, in the dark, without scripts, and for a screen reader.

use ops_tests::System;
use ops_tests::node::Node;
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
        let (seen, what) = open(&system, screen, "").await;
        assert!(seen["heading"].as_str().unwrap().contains("serving"), "{what}");
    }
}

#[tokio::test]
async fn queues_and_scaling_answer_their_question_everywhere() {
    let system = System::start(TOYS).await.unwrap();
    for screen in SCREENS {
        let (seen, what) = open(&system, screen, "/queues").await;
        assert!(seen["heading"].as_str().unwrap().contains("No queue is watched"), "{what}");
        let (seen, what) = open(&system, screen, "/scaling").await;
        let heading = seen["heading"].as_str().unwrap();
        assert!(heading.contains("replicas"), "{what}");
    }
}

/// Opens a page; nothing may be wrong with it on any screen.
async fn open(system: &System, screen: (u32, u32, &str, &str), path: &str) -> (Value, String) {
    let (width, height, scheme, scripts) = screen;
    let link = system.post("/api/links", json!({})).await.unwrap();
    let png = system.folder().join(format!("{width}-{scheme}-{scripts}{}.png", path.replace('/', "-")));
    let arguments = [
        link["url"].as_str().unwrap().to_owned(),
        png.to_string_lossy().into_owned(),
        width.to_string(),
        height.to_string(),
        scheme.to_owned(),
        scripts.to_owned(),
        path.to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
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
