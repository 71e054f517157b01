//! Stores that are slow, away, or come late.

use std::time::Duration;

use ops_bullmq::{Client, DEFAULT_PREFIX, Queue};
use ops_tests::eventually;
use ops_tests::program::Program;
use ops_tests::stores::{Postgres, Valkey};
use reqwest::StatusCode;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::{API, Desk, environment};

#[tokio::test]
async fn people_read_what_they_wrote_while_the_replica_is_behind() {
    let mut desk = Desk::open_with(Postgres::start_with_replica().await.unwrap()).await;
    let mut replica = PgConnection::connect(&desk.postgres.replica_url()).await.unwrap();
    let first = format!("/v1/tickets/{}", desk.create("before").await["id"].as_str().unwrap());
    let caught_up = eventually(Duration::from_secs(10), async || {
        let answer = desk.get(&first).await;
        (answer.status() == StatusCode::OK && answer.headers()["x-read-from"] == "replica").then_some(())
    });
    caught_up.await.expect("reads go to the replica once it has caught up");

    sqlx::query("SELECT pg_wal_replay_pause()").execute(&mut replica).await.unwrap();
    let answer = desk.post("/v1/tickets", &crate::ticket("while behind")).await;
    let position = answer.headers()["x-read-after"].to_str().unwrap().to_owned();
    let ticket: Value = answer.json().await.unwrap();
    let second = format!("/v1/tickets/{}", ticket["id"].as_str().unwrap());
    let read = desk.get(&second).await;
    assert_eq!(
        (read.status(), &read.headers()["x-read-from"].to_str().unwrap()),
        (StatusCode::OK, &"primary")
    );

    // Somebody else has written nothing and may read the past, unless told of the position.
    desk.token = desk.sign_in("agent@acme.example").await;
    let past = desk.get(&second).await;
    assert_eq!(
        (past.status(), &past.headers().get("x-read-from").is_some()),
        (StatusCode::NOT_FOUND, &false)
    );
    let told = desk
        .http
        .get(format!("{}{second}", desk.api.url))
        .bearer_auth(&desk.token)
        .header("x-read-after", position);
    assert_eq!(told.send().await.unwrap().status(), StatusCode::OK);

    sqlx::query("SELECT pg_wal_replay_resume()").execute(&mut replica).await.unwrap();
    let resumed = eventually(Duration::from_secs(10), async || {
        (desk.get(&second).await.headers().get("x-read-from")? == "replica").then_some(())
    });
    resumed.await.expect("reads go back to the replica");

    desk.postgres.stop_replica();
    let without = desk.get(&second).await;
    assert_eq!(
        (without.status(), &without.headers()["x-read-from"].to_str().unwrap()),
        (StatusCode::OK, &"primary")
    );
}

#[tokio::test]
async fn a_ticket_posted_while_valkey_is_away_is_kept_and_its_jobs_come_later() {
    let mut desk = Desk::open().await;
    desk.valkey.stop();
    let ticket = desk.create("nobody to tell").await;
    desk.api.becomes("not ready").await.unwrap();
    let path = format!("/v1/tickets/{}", ticket["id"].as_str().unwrap());
    assert_eq!(desk.get(&path).await.status(), StatusCode::OK);

    desk.valkey.again().await.unwrap();
    let client = Client::connect(&desk.valkey.url(), DEFAULT_PREFIX).await.unwrap();
    let (notifications, checks) =
        (Queue::new(&client, "ticket-notification").unwrap(), Queue::new(&client, "sla-check").unwrap());
    let relayed = eventually(Duration::from_secs(20), async || {
        let counts = (notifications.counts().await.ok()?, checks.counts().await.ok()?);
        (counts.0.prioritized == 1 && counts.1.delayed == 1).then_some(())
    });
    relayed.await.expect("the jobs are relayed once valkey is back");
    let mut primary = PgConnection::connect(&desk.postgres.url()).await.unwrap();
    let emptied = eventually(Duration::from_secs(10), async || {
        let left: i64 =
            sqlx::query_scalar("SELECT count(*) FROM job_outbox").fetch_one(&mut primary).await.ok()?;
        (left == 0).then_some(())
    });
    emptied.await.expect("the outbox is empty");
    assert_eq!(notifications.counts().await.unwrap().prioritized, 1, "added once");
    desk.api.becomes("ready").await.unwrap();
}

#[tokio::test]
async fn the_api_starts_before_its_stores_and_is_ready_once_they_are_there() {
    let mut valkey = Valkey::start().await.unwrap();
    valkey.stop();
    let postgres = Postgres::start().await.unwrap();
    postgres.freeze().unwrap();
    let api = Program::start(API, &environment(&postgres, &valkey)).unwrap();
    api.becomes("not ready").await.unwrap();
    postgres.thaw().unwrap();
    valkey.again().await.unwrap();
    api.becomes("ready").await.unwrap();
}
