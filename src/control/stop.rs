//! Stops what runs: the replicas in order by the control plane, then agent and server; or all by force.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::NowView;
use rustix::process::Signal;
use serde_json::json;
use tokio::time::Instant;

use super::follow::say_changes;
use super::{holder, slots};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::place::Place;

/// Longer than the longest usual grace of all layers together.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that does not answer for so long will not stop the stack.
const SILENCE: Duration = Duration::from_secs(15);

/// Asks the server to stop the stack, and waits until nothing of it lives.
pub(crate) async fn stop_stack(client: &Client, place: &Place) -> Result {
    let began = Instant::now();
    while let Err(failure) = client.post("/api/stack/stop", &json!({})).await {
        if began.elapsed() > SILENCE {
            return Err(failure);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut told = BTreeMap::new();
    while !slots::alive(&place.state).is_empty() {
        if began.elapsed() > PATIENCE {
            return Err(Failure::problems("the stack did not stop in time"));
        }
        if let Ok(now) = client.get::<NowView>("/api/now").await {
            say_changes(&now, &mut told);
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    Ok(())
}

/// Ends the agent, then the server.
pub(crate) async fn end_control(place: &Place) {
    for name in ["agent", "server"] {
        let Some(holder) = holder(&place.lock(name)) else { continue };
        holder.process.signal(Signal::TERM);
        if !holder.process.ended_within(Duration::from_secs(10)).await {
            holder.process.signal(Signal::KILL);
            holder.process.ended_within(Duration::from_secs(5)).await;
        }
    }
    let _ = std::fs::remove_file(place.up_file());
}

/// Ends everything without asking the server: the agent first, so that it starts nothing again.
pub(crate) async fn force(place: &Place, grace: Duration) {
    end_control(place).await;
    slots::end_all(&place.state, grace).await;
}

/// What still lives, by name.
pub(crate) fn leftovers(place: &Place) -> Vec<String> {
    let control = ["agent", "server"].iter().filter(|name| holder(&place.lock(name)).is_some());
    let mut names: Vec<String> = control.map(|name| (*name).to_owned()).collect();
    names.extend(slots::alive(&place.state).into_iter().map(|it| it.name));
    names
}
