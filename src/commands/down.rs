//! `insightdesk down`: stops everything in order, also when `up` is dead, and leaves nothing running.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::NowView;
use rustix::process::Signal;
use tokio::time::Instant;

use super::up::{shut_down, wait_for_server};
use crate::cli::Globals;
use crate::client::Client;
use crate::control::{Holder, Keepers, Lock, Signals, files, force, holder, leftovers, say_changes};
use crate::failure::{Failure, Result};
use crate::output;
use crate::place::Place;

/// `up` bounds its own stop; this is for one that hangs.
const PATIENCE: Duration = Duration::from_secs(150);

/// What programs get to end by themselves when the control plane cannot stop them in order.
const GRACE: Duration = Duration::from_secs(10);

/// Arguments of `down`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  insightdesk down")]
pub(crate) struct Arguments {}

pub(super) fn run(globals: &Globals, _: &Arguments) -> Result {
    let place = Place::find(globals)?;
    super::block_on(stop(globals, &place))
}

async fn stop(globals: &Globals, place: &Place) -> Result {
    if let Some(up) = holder(&place.lock("up")) {
        stop_up(globals, place, &up).await;
    } else if leftovers(place).is_empty() {
        output::note(&format!("nothing runs in {}", place.state.display()));
        return Ok(());
    }
    if !leftovers(place).is_empty() {
        stop_without_up(globals, place).await?;
    }
    let left = leftovers(place);
    if left.is_empty() {
        return Ok(());
    }
    Err(Failure::problems(format!("still running: {}", left.join(", "))))
}

/// `up` stops what it keeps; progress is shown meanwhile.
async fn stop_up(globals: &Globals, place: &Place, up: &Holder) {
    up.process.signal(Signal::TERM);
    let client = Client::find(globals);
    let deadline = Instant::now() + PATIENCE;
    let mut told = BTreeMap::new();
    while !up.process.ended_within(Duration::from_millis(150)).await {
        if Instant::now() > deadline {
            output::note(&format!("`up` (pid {}) does not end: stopping without it", up.process.pid));
            up.process.signal(Signal::KILL);
            up.process.ended_within(Duration::from_secs(5)).await;
            return;
        }
        if let Ok(client) = &client
            && let Ok(now) = client.get::<NowView>("/api/now").await
        {
            say_changes(&now, &mut told);
        }
    }
    if leftovers(place).is_empty() {
        output::note("all is stopped");
    }
}

/// `up` is dead: does its part, with the server and the agent that run or with new ones.
async fn stop_without_up(globals: &Globals, place: &Place) -> Result {
    output::note("`up` is not running: stopping what it left");
    files::make_state(&place.state)?;
    let Ok(_lock) = Lock::take(&place.lock("up"), "insightdesk down")? else {
        return Err(Failure::problems("another `up` or `down` is at work in this folder"));
    };
    let mut signals = Signals::new()?;
    let client = match Client::find(globals) {
        Ok(client) => client,
        Err(_) => {
            force(place, GRACE).await;
            return Ok(());
        }
    };
    let mut keepers = Keepers::new(&super::own_program()?, place, client.url());
    keepers.keep_server();
    if let Err(failure) = wait_for_server(&keepers.server, &client, place).await {
        output::note(&format!("{}\nstopping by force", failure.message));
        keepers.let_go().await;
        force(place, GRACE).await;
        return Ok(());
    }
    keepers.keep_agent();
    shut_down(place, &mut keepers, &client, &mut signals).await
}
