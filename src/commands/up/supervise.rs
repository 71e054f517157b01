//! Starts the control plane, has it start the stack, keeps it running until told to stop.

use std::time::Duration;

use ops_stack::StackFile;
use secrecy::SecretString;
use serde_json::json;
use tokio::time::Instant;

use super::{preflight, server_url, summary};
use crate::client::Client;
use crate::commands::own_program;
use crate::control::{
    Keeper, Keepers, Lock, Outcome, Signals, end_control, files, follow_until_ready, force, leftovers,
    stop_stack, tail, tokens,
};
use crate::failure::{Failure, Result};
use crate::output;
use crate::place::Place;

/// How long the server may take to answer for the first time.
const SERVER_PATIENCE: Duration = Duration::from_secs(30);

/// How long the stack may take until all is ready.
pub(super) const READY_PATIENCE: Duration = Duration::from_secs(60);

/// A server that ended so often before its first answer will not give one.
const ENDS: u32 = 3;

/// What programs get to end by themselves when the control plane cannot stop them in order.
const GRACE: Duration = Duration::from_secs(10);

/// `up`: with progress, a table, a link.
pub(super) async fn in_foreground(place: &Place, file: &StackFile, as_json: bool) -> Result {
    let mut signals = Signals::new()?;
    let (_lock, mut keepers, client) = begin(place, file)?;
    let started = tokio::select! {
        result = start(&mut keepers, &client, place) => Some(result),
        () = signals.next() => None,
    };
    match started {
        Some(Ok(())) => {}
        Some(Err(failure)) => return give_up(place, &mut keepers, failure).await,
        None => return shut_down(place, &mut keepers, &client, &mut signals).await,
    }
    tokio::select! {
        outcome = follow_until_ready(&client, READY_PATIENCE, true) => match outcome {
            Outcome::Ready(now) => summary::say(&client, &now, as_json).await?,
            Outcome::NotReady(now) => {
                output::note(&summary::why_not(&client, now.as_deref()).await);
                output::note("the stack stays as it is: Ctrl-C stops it");
            }
        },
        () = signals.next() => return shut_down(place, &mut keepers, &client, &mut signals).await,
    }
    watch(place, &mut keepers, &client, &mut signals).await
}

/// `up --supervise`: the daemon behind `--detach`.
pub(super) async fn in_background(place: &Place, file: &StackFile) -> Result {
    let mut signals = Signals::new()?;
    let (_lock, mut keepers, client) = begin(place, file)?;
    let started = tokio::select! {
        result = start(&mut keepers, &client, place) => Some(result),
        () = signals.next() => None,
    };
    match started {
        Some(Ok(())) => watch(place, &mut keepers, &client, &mut signals).await,
        Some(Err(failure)) => give_up(place, &mut keepers, failure).await,
        None => shut_down(place, &mut keepers, &client, &mut signals).await,
    }
}

/// Stops everything in order; by force at the next signal, or when the control plane cannot.
pub(in crate::commands) async fn shut_down(
    place: &Place,
    keepers: &mut Keepers,
    client: &Client,
    signals: &mut Signals,
) -> Result {
    output::note("stopping the stack in order; Ctrl-C again stops it by force");
    let stopped = tokio::select! {
        result = stop_stack(client, place) => result,
        () = signals.next() => Err(Failure::problems("asked to stop by force")),
    };
    keepers.let_go().await;
    match stopped {
        Ok(()) => end_control(place).await,
        Err(failure) => {
            output::note(&format!("{}: stopping by force", failure.message));
            tokio::select! {
                () = force(place, GRACE) => {}
                () = signals.next() => force(place, Duration::ZERO).await,
            }
        }
    }
    let left = leftovers(place);
    if !left.is_empty() {
        return Err(Failure::problems(format!("still running: {}", left.join(", "))));
    }
    output::note("all is stopped");
    Ok(())
}

fn begin(place: &Place, file: &StackFile) -> Result<(Lock, Keepers, Client)> {
    files::make_state(&place.state)?;
    let lock = Lock::take(&place.lock("up"), "insightdesk up")?.map_err(|holder| {
        let pid = holder.map_or_else(String::new, |it| format!(" ({}, pid {})", it.what, it.process.pid));
        Failure::problems(format!(
            "the stack is up already{pid}: `insightdesk status` shows it, `insightdesk down` stops it"
        ))
    })?;
    preflight::check_ports(place, file)?;
    let url = server_url(file);
    let token: SecretString = tokens::ensure(place, &url)?;
    let client = Client::new(&url, Some(token))?;
    Ok((lock, Keepers::new(&own_program()?, place, &url), client))
}

/// Brings up server and agent, and has the stack started.
async fn start(keepers: &mut Keepers, client: &Client, place: &Place) -> Result {
    keepers.keep_server();
    wait_for_server(&keepers.server, client, place).await?;
    keepers.keep_agent();
    client.post("/api/stack/start", &json!({})).await?;
    Ok(())
}

pub(in crate::commands) async fn wait_for_server(server: &Keeper, client: &Client, place: &Place) -> Result {
    let deadline = Instant::now() + SERVER_PATIENCE;
    while !client.is_alive().await {
        let kept = server.kept();
        if let Some(why) = kept.gave_up {
            return Err(Failure::problems(why));
        }
        if kept.ends >= ENDS || Instant::now() > deadline {
            let log = place.control_log("server");
            return Err(Failure::problems(format!(
                "the server does not answer at {}; the end of {}:\n{}",
                client.url(),
                log.display(),
                tail(&log, 20)
            )));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    Ok(())
}

/// Until a signal comes, or server or agent cannot be kept.
async fn watch(place: &Place, keepers: &mut Keepers, client: &Client, signals: &mut Signals) -> Result {
    let lost = tokio::select! {
        () = signals.next() => return shut_down(place, keepers, client, signals).await,
        why = keepers.server.gave_up() => why,
        why = keepers.agent.gave_up() => why,
    };
    output::note(&format!("{lost}\nit is not started again; the replicas run on until Ctrl-C"));
    signals.next().await;
    shut_down(place, keepers, client, signals).await
}

/// The control plane did not come up: leaves nothing of it, and the replicas as they were.
async fn give_up(place: &Place, keepers: &mut Keepers, failure: Failure) -> Result {
    keepers.let_go().await;
    end_control(place).await;
    Err(failure)
}
