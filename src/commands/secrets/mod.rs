//! `insightdesk secrets`: how secrets stand, and their values for those who may have them.

mod reading;
mod rotation;

use std::io::{IsTerminal, Read};

use comfy_table::Cell;
use ops_contract::{SecretState, SecretsView};
use serde_json::json;

use super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Kind, Result};
use crate::output::{self, Colour};

/// Longest value, bytes.
const LONGEST: u64 = 64 * 1024;

/// Subcommands of `secrets`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List secrets, the most urgent first; never their values
    #[command(
        after_help = "Exit code 1 when one is overdue, stuck, stale, unchanged by its renewal, or unknown.\n\nExamples:\n  insightdesk secrets list\n  insightdesk secrets list --json | jq -r '.secrets[] | select(.state != \"ok\") | .name'"
    )]
    List,
    /// Print the value of a secret that you may read
    #[command(
        after_help = "Recorded in the audit log before it is shown, under your name and with the reason.\n\nExamples:\n  insightdesk secrets read JWT_SECRET --reason 'ticket 4711: tokens are refused'"
    )]
    Read(ReadArguments),
    /// Agree that somebody else reads a secret that takes a second admin's word
    #[command(
        after_help = "Who asks cannot approve. A request is good for 15 minutes and for one read; `insightdesk secrets requests` lists them.\n\nExamples:\n  insightdesk secrets approve 019a-…"
    )]
    Approve {
        /// Id of the request
        id: String,
    },
    /// List reads that wait for a second admin
    Requests,
    #[command(flatten)]
    Renewal(rotation::Command),
    /// Give a secret a new value, read from standard input
    #[command(
        after_help = "Never on the command line, where others see it.\n\nExamples:\n  insightdesk secrets set SMTP_PASS --reason 'quarterly' < new-password\n  openssl rand -base64 32 | insightdesk secrets set API_KEY --reason 'first value'"
    )]
    Set(SetArguments),
    /// Note that somebody left, and list what is to be renewed because of it
    #[command(
        after_help = "What they read since it was renewed last, and what they own; the most dangerous first. Each line is done when its secret is renewed after they left. From now on whoever comes under that name is told of at once. Without PERSON the lists that are open, with exit code 1 when there is one.\n\nExamples:\n  insightdesk secrets departed alice\n  insightdesk secrets departed alice --at 2026-05-03T17:00:00Z\n  insightdesk secrets departed --json"
    )]
    Departed(super::departed::Arguments),
}

/// Arguments of `secrets read`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReadArguments {
    /// Name of the secret
    name: String,
    /// What for; stands in the audit log
    #[arg(long)]
    reason: String,
    /// Go on with a request made before
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Do not wait for a second admin: print the request and end with exit code 1
    #[arg(long)]
    no_wait: bool,
}

/// Arguments of `secrets set`.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArguments {
    /// Name of the secret
    name: String,
    /// Why; stands in the audit log
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(globals: &Globals, command: &Command) -> Result {
    match command {
        Command::List => list(globals).await,
        Command::Read(arguments) => reading::read(globals, arguments).await,
        Command::Approve { id } => reading::approve(globals, id).await,
        Command::Requests => reading::requests(globals).await,
        Command::Renewal(command) => rotation::run(globals, command).await,
        Command::Set(arguments) => set(globals, arguments).await,
        Command::Departed(arguments) => super::departed::run(globals, arguments).await,
    }
}

async fn list(globals: &Globals) -> Result {
    let view: SecretsView = Client::find(globals)?.get("/api/secrets").await?;
    if globals.json {
        output::json(&view)?;
    } else {
        say(&view);
    }
    let is_bad = |state| !matches!(state, SecretState::Ok | SecretState::DueSoon);
    match view.secrets.iter().any(|it| is_bad(it.state)) {
        true => Err(Failure::new(Kind::Problems, "")),
        false => Ok(()),
    }
}

fn say(view: &SecretsView) {
    if view.secrets.is_empty() {
        output::say("no secrets in the stack file: add [secrets.NAME]");
        return;
    }
    let mut table = output::table(&["name", "state", "tier", "owner", "place", "renewed", "due", "why"]);
    for it in &view.secrets {
        let state = match it.state {
            SecretState::Ok => output::cell("● ok", Colour::Green),
            SecretState::DueSoon => output::cell("◔ due soon", Colour::Yellow),
            SecretState::Overdue => output::cell("✕ overdue", Colour::Red),
            SecretState::Stuck => output::cell("▲ stuck", Colour::Red),
            SecretState::SameValue => output::cell("▲ same value", Colour::Red),
            SecretState::ConsumerStale => output::cell("▲ stale consumer", Colour::Yellow),
            SecretState::Unknown => output::cell("◇ unknown", Colour::Yellow),
        };
        table.add_row(vec![
            Cell::new(&it.name),
            state,
            Cell::new(it.tier),
            Cell::new(it.owner.as_deref().unwrap_or("nobody")),
            Cell::new(&it.place),
            Cell::new(it.rotated_at.map_or_else(String::new, words::ago)),
            Cell::new(it.due_at.map_or_else(String::new, words::moment)),
            Cell::new(&it.reason),
        ]);
    }
    output::say_table(&table);
}

async fn set(globals: &Globals, arguments: &SetArguments) -> Result {
    let input = std::io::stdin();
    if input.is_terminal() {
        output::note("type or paste the value, then Ctrl-D; it is shown as you type");
    }
    let mut value = String::new();
    let read = input.lock().take(LONGEST + 1).read_to_string(&mut value);
    read.map_err(|error| Failure::usage(format!("could not read the value from standard input: {error}")))?;
    // What `echo` and editors add.
    let value = value.strip_suffix('\n').unwrap_or(&value);
    if value.is_empty() || value.len() as u64 > LONGEST {
        return Err(Failure::usage(format!("a value has 1 to {LONGEST} bytes, on standard input")));
    }
    let body = json!({ "value": value, "reason": arguments.reason });
    let answer = Client::find(globals)?.put(&path(&arguments.name, ""), &body).await?;
    if answer.get("renewed") == Some(&serde_json::Value::Bool(false)) {
        return Err(Failure::problems(format!(
            "this is the value that {} had: recorded, and no renewal",
            arguments.name
        )));
    }
    output::say(&format!(
        "{} has a new value; restart who uses it: insightdesk restart SERVICE",
        arguments.name
    ));
    Ok(())
}

fn path(name: &str, rest: &str) -> String {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("/api/secrets/{name}{rest}")
}
