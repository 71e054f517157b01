//! `up --detach`: a daemon does the work; this waits until all is ready.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use ops_stack::StackFile;
use tokio::time::Instant;

use super::supervise::READY_PATIENCE;
use super::{preflight, server_url, summary};
use crate::client::Client;
use crate::commands::own_program;
use crate::control::{Outcome, files, follow_until_ready, holder, open_log, tail, tokens};
use crate::failure::{Failure, Result};
use crate::output;
use crate::place::Place;

pub(super) async fn run(place: &Place, file: &StackFile) -> Result {
    let deadline = Instant::now() + READY_PATIENCE;
    files::make_state(&place.state)?;
    // Before the daemon starts: two at once would each make their own tokens.
    let url = server_url(file);
    let client = Client::new(&url, Some(tokens::ensure(place, &url)?))?;
    let mut daemon = match holder(&place.lock("up")) {
        Some(other) if other.what != "insightdesk up" => {
            return Err(Failure::problems(format!(
                "`{}` (pid {}) is at work here: try again when it has ended",
                other.what, other.process.pid
            )));
        }
        Some(_) => {
            output::note("the stack is up already");
            None
        }
        None => {
            preflight::check_ports(place, file)?;
            Some(start(place)?)
        }
    };
    let outcome = tokio::select! {
        outcome = wait(&client, deadline) => outcome,
        failure = ended(daemon.as_mut(), place) => return Err(failure),
    };
    match outcome {
        Outcome::Ready(now) => {
            let pid = holder(&place.lock("up")).map(|it| it.process.pid);
            summary::say_json(&client, &now, pid).await
        }
        Outcome::NotReady(now) => {
            let why = summary::why_not(&client, now.as_deref()).await;
            Err(Failure::problems(format!("{why}\nthe stack stays as it is: `insightdesk down` stops it")))
        }
    }
}

fn start(place: &Place) -> anyhow::Result<Child> {
    let log = open_log(&place.control_log("up"))?;
    let mut command = Command::new(own_program()?);
    command
        .args(["up", "--supervise", "--stack"])
        .arg(&place.stack_file)
        .arg("--state-dir")
        .arg(&place.state);
    command.env_remove("INSIGHTDESK_TOKEN").env_remove("INSIGHTDESK_URL").current_dir(&place.base);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("could not start the daemon")
}

async fn wait(client: &Client, deadline: Instant) -> Outcome {
    while !client.is_alive().await && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    follow_until_ready(client, deadline.saturating_duration_since(Instant::now()), true).await
}

/// Waits until the daemon has ended, which it should not.
async fn ended(daemon: Option<&mut Child>, place: &Place) -> Failure {
    let Some(daemon) = daemon else { return std::future::pending().await };
    while matches!(daemon.try_wait(), Ok(None)) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = place.control_log("up");
    Failure::problems(format!("the stack did not start; the end of {}:\n{}", log.display(), tail(&log, 25)))
}
