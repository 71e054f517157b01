//! The control loop: what is asked of the agent, and what is not.

use ops_contract::{ActionKind, ActionStatus, DependencyStatus, ReplicaPhase};
use serde_json::json;

use crate::agent::{Agent, api, replica};
use crate::harness::{Server, sqlite};
use crate::testing::Postgres;

#[tokio::test]
async fn a_wanted_replica_is_started_once_and_then_left_alone() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::connect(&server).await;
    let start = agent.work().await;
    assert_eq!((start.kind, &start.replica, start.generation), (ActionKind::Start, &api(0), 1));
    // An inventory from before the start must not have it started again.
    agent.report(&start, ActionStatus::Succeeded).await;
    agent.inventory(Vec::new()).await;
    assert!(agent.lease(1_500).await.actions.is_empty());
    agent.start(&start).await;
    server.phase(0, "ready").await;
    assert!(agent.lease(500).await.actions.is_empty());
    assert_eq!(server.get("/api/actions").await["items"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_planned_before_an_inventory() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::hello(&server).await;
    agent.store(DependencyStatus::Up).await;
    assert!(agent.lease(1_500).await.actions.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_restarted_server_hands_out_leased_work_again_and_starts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&sqlite(&folder)).await;
    let agent = Agent::connect(&server).await;
    let leased = agent.work().await;
    server.stop().await;

    let server = Server::start(&sqlite(&folder)).await;
    let agent = Agent::connect(&server).await;
    let again = agent.work().await;
    assert_eq!((&again.id, again.generation), (&leased.id, leased.generation));
    agent.start(&again).await;
    server.phase(0, "ready").await;
    server.stop().await;

    let server = Server::start(&sqlite(&folder)).await;
    let agent = Agent::hello(&server).await;
    agent.store(DependencyStatus::Up).await;
    agent.inventory(vec![replica(&again, ReplicaPhase::Ready)]).await;
    server.phase(0, "ready").await;
    assert!(agent.lease(1_500).await.actions.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_replica_is_given_up_after_three_failures_and_tried_again_when_an_operator_asks() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::connect(&server).await;
    for generation in 1..=3 {
        let start = agent.work().await;
        assert_eq!(start.generation, generation);
        agent.start(&start).await;
        agent.crash(&start).await;
    }
    let replica = server.phase(0, "gave_up").await;
    assert_eq!(replica["failures"], 3);
    assert!(agent.lease(1_500).await.actions.is_empty());
    let changes = server.get("/api/changes?subject=api").await;
    let kinds: Vec<&str> =
        changes["items"].as_array().unwrap().iter().filter_map(|it| it["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "gave_up").count(), 1, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "exit").count(), 3, "{kinds:?}");
    let exits = server.get("/api/services/api/replicas/0/exits?limit=2").await;
    assert_eq!((&exits["items"][0]["generation"], &exits["next"]), (&json!(3), &json!("2")));

    let begun = server.post("/api/services/api/restart", json!({"slot": 0, "reason": "mended"})).await;
    assert_eq!(begun["items"][0]["requested_by"], "admin");
    let start = agent.work().await;
    assert_eq!((start.kind, start.generation), (ActionKind::Start, 4));
    agent.start(&start).await;
    let replica = server.phase(0, "ready").await;
    assert_eq!(replica["failures"], 0);
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_started_on_a_store_that_is_down() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::hello(&server).await;
    agent.store(DependencyStatus::Down).await;
    agent.inventory(Vec::new()).await;
    assert!(agent.lease(1_500).await.actions.is_empty());
    let decisions = server.get("/api/decisions").await;
    assert_eq!(decisions["items"].as_array().unwrap().len(), 1, "waiting is written down once: {decisions}");
    assert_eq!(decisions["items"][0]["decision"], "hold");
    agent.store(DependencyStatus::Up).await;
    assert_eq!(agent.work().await.replica, api(0));
    server.stop().await;
}

#[tokio::test]
async fn a_rolling_restart_takes_one_slot_at_a_time() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::connect(&server).await;
    agent.start(&agent.work().await).await;
    server.post("/api/services/api/scale", json!({"replicas": 2})).await;
    agent.start(&agent.work().await).await;
    server.phase(1, "ready").await;

    server.post("/api/services/api/restart", json!({})).await;
    let first = agent.work().await;
    assert_eq!((first.kind, first.replica.slot), (ActionKind::Restart, 0));
    assert!(agent.lease(1_200).await.actions.is_empty());
    agent.start(&first).await;
    let second = agent.work().await;
    assert_eq!((second.kind, second.replica.slot), (ActionKind::Restart, 1));
    agent.start(&second).await;
    assert!(agent.lease(1_200).await.actions.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_stopped_stack_stays_stopped_until_it_is_started() {
    let (server, _folder) = Server::fresh().await;
    let agent = Agent::connect(&server).await;
    let start = agent.work().await;
    agent.start(&start).await;
    server.phase(0, "ready").await;
    server.post("/api/stack/stop", json!({})).await;
    let stop = agent.work().await;
    assert_eq!((stop.kind, stop.generation), (ActionKind::Stop, 1));
    agent.signal(vec![ops_contract::Signal::Replica(replica(&start, ReplicaPhase::Stopped))]).await;
    agent.report(&stop, ActionStatus::Succeeded).await;
    assert!(agent.lease(1_200).await.actions.is_empty());
    assert_eq!(server.get("/api/now").await["verdict"]["tone"], "stopped");
    server.post("/api/stack/start", json!({})).await;
    assert_eq!(agent.work().await.generation, 2);
    server.stop().await;
}

#[tokio::test]
async fn two_servers_on_one_database_act_once_and_outages_do_not_hide_what_is_known() {
    let mut database = Postgres::start().await;
    let (one, two) = (Server::start(&database.url).await, Server::start(&database.url).await);
    // The agent speaks to both, as after a fail-over.
    let agent_one = Agent::connect(&one).await;
    let agent_two = Agent::connect(&two).await;
    let start = agent_one.work().await;
    agent_one.start(&start).await;
    agent_two.start(&start).await;
    one.phase(0, "ready").await;
    two.phase(0, "ready").await;
    assert!(agent_two.lease(1_500).await.actions.is_empty());
    assert_eq!(two.get("/api/actions").await["items"].as_array().unwrap().len(), 1);

    database.stop();
    one.eventually("the outage is told", async |it| {
        let now = it.get("/api/now").await;
        now["history_unavailable"].is_string().then_some(now)
    })
    .await;
    let now = one.get("/api/now").await;
    assert_eq!(now["services"][0]["ready"], 1);
    assert!(!now["changes"].as_array().unwrap().is_empty());
    let page = one.ask(ops_contract::Role::Viewer, reqwest::Method::GET, "/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    one.stop().await;
    two.stop().await;
}
