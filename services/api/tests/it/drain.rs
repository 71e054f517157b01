//! Told to stop, the API loses no request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ops_tests::program::client;
use reqwest::StatusCode;
use rustix::process::Signal;

use crate::{Desk, ticket};

#[tokio::test]
async fn no_request_is_lost_when_the_api_is_told_to_stop_under_a_steady_client() {
    let mut desk = Desk::open().await;
    let stopped = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for _ in 0..8 {
        let (http, url, token) =
            (client().unwrap(), format!("{}/v1/tickets", desk.api.url), desk.token.clone());
        let stopped = stopped.clone();
        clients.push(tokio::spawn(async move {
            let (mut answered, mut lost) = (0, Vec::new());
            loop {
                match http.post(&url).bearer_auth(&token).json(&ticket("steady")).send().await {
                    Ok(answer) if answer.status() == StatusCode::CREATED => answered += 1,
                    Ok(answer) => lost.push(answer.status().to_string()),
                    // Refused: nobody has taken the request, and a client goes elsewhere.
                    Err(error) if error.is_connect() && stopped.load(Ordering::Acquire) => {
                        return (answered, lost);
                    }
                    Err(error) => lost.push(format!("{error:?}")),
                }
            }
        }));
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    stopped.store(true, Ordering::Release);
    desk.api.signal(Signal::TERM).unwrap();
    let mut answered = 0;
    for client in clients {
        let (some, lost) = client.await.unwrap();
        assert!(lost.is_empty(), "{lost:?}");
        answered += some;
    }
    assert!(answered > 0);
    assert_eq!(desk.api.ended().await.unwrap().code(), Some(0));
}
