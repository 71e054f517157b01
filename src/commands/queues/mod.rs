//! `insightdesk queues`: what the queues hold, and what an operator may do to them. `act` changes, `jobs` looks, `which` finds
//! the queue that was meant.

mod act;
mod jobs;
mod which;

use comfy_table::Cell;
use ops_contract::{QueuesView, Tone};

use super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Kind, Result};
use crate::output;

const EXAMPLES: &str = "\
A queue is named as `email`, or as `valkey.main/email` where several stores have one of that name.
Without a command, exit code 1 when a queue is degraded, down or unknown.

Examples:
  insightdesk queues                                 every queue, the worst first
  insightdesk queues jobs email                      the newest failed jobs, and why they failed
  insightdesk queues job email 4711                  one job: stack traces, attempts, its data redacted
  insightdesk queues retry email --reason 'relay ok' shows how many failed, asks, puts them back in line
  insightdesk queues pause email                     workers take no more of its jobs; running ones go on
  insightdesk queues --json | jq '.queues[] | {name, waiting, failed}'";

/// Arguments of `queues`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What to do; without it: list the queues
    #[command(subcommand)]
    command: Option<Command>,
}

/// What can be done to a queue.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Keep workers from taking jobs; running ones go on, adding goes on
    Pause(act::Gate),
    /// Let workers take jobs again
    Resume(act::Gate),
    /// Put failed jobs back in line; shows how many first, and asks
    Retry(act::Move),
    /// Remove the jobs that wait, for good; shows how many first, and asks
    Drain(act::Drain),
    /// Let delayed jobs run now; shows how many first, and asks
    Promote(act::Move),
    /// List jobs of a state, the newest first
    Jobs(jobs::List),
    /// Show one job: how it went, its stack traces, and what it carries, redacted
    Job(jobs::One),
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let client = Client::find(globals)?;
    match &arguments.command {
        None => list(globals, &client).await,
        Some(Command::Pause(gate)) => act::pause(globals, &client, gate).await,
        Some(Command::Resume(gate)) => act::resume(globals, &client, gate).await,
        Some(Command::Retry(wanted)) => act::retry(globals, &client, wanted).await,
        Some(Command::Drain(wanted)) => act::drain(globals, &client, wanted).await,
        Some(Command::Promote(wanted)) => act::promote(globals, &client, wanted).await,
        Some(Command::Jobs(wanted)) => jobs::list(globals, &client, wanted).await,
        Some(Command::Job(wanted)) => jobs::one(globals, &client, wanted).await,
    }
}

async fn list(globals: &Globals, client: &Client) -> Result {
    let view: QueuesView = client.get("/api/queues").await?;
    if globals.json {
        output::json(&view)?;
    } else {
        say(&view);
    }
    let tones = view.stores.iter().map(|it| it.tone).chain(view.queues.iter().map(|it| it.tone));
    match tones.into_iter().any(|it| matches!(it, Tone::Unknown | Tone::Degraded | Tone::Down)) {
        true => Err(Failure::new(Kind::Problems, "")),
        false => Ok(()),
    }
}

fn say(view: &QueuesView) {
    for store in &view.stores {
        for finding in &store.findings {
            output::say(&format!("{} {}: {finding}", words::tone(store.tone), store.name));
        }
    }
    if view.stores.is_empty() {
        output::say("no queues are watched: name them in the stack file, under [valkey.NAME.queues]");
        return;
    }
    let several = view.stores.len() > 1;
    let mut table =
        output::table(&["", "queue", "waiting", "active", "delayed", "failed", "workers", "what"]);
    for queue in &view.queues {
        let sample = &queue.sample;
        let name = if several { format!("{}/{}", queue.store, queue.name) } else { queue.name.clone() };
        table.add_row(vec![
            Cell::new(words::tone(queue.tone)),
            Cell::new(if sample.paused { format!("{name} (paused)") } else { name }),
            Cell::new(sample.waiting + sample.prioritized),
            Cell::new(sample.active),
            Cell::new(sample.delayed),
            Cell::new(sample.failed),
            Cell::new(sample.workers),
            Cell::new(&queue.summary),
        ]);
    }
    output::say_table(&table);
}
