use std::time::Duration;

use comfy_table::Cell;
use ops_contract::{Page, RotationPhase, SecretRotation};
use serde_json::json;

use super::path;
use crate::cli::Globals;
use crate::client::Client;
use crate::commands::words;
use crate::failure::{Failure, Result};
use crate::output;

/// Pause between two looks how far a renewal is.
const PAUSE: Duration = Duration::from_millis(500);

/// Subcommands of `secrets` that renew.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Renew a secret by its `rotation`: keys of tokens and database users by themselves, others by a list of steps
    #[command(
        after_help = "Keys of tokens: all programs verify with the new key before one signs with it, and with the key before until the grace is over; they are restarted one replica after the other. Database users: the one whose turn it is gets a new password. By hand: the steps are printed, and `secrets set` closes the reminder.\n\nWaits until all that use the secret have the new value; the renewal goes on without this command.\n\nExamples:\n  insightdesk secrets rotate JWT_SECRET --reason quarterly\n  insightdesk secrets rotate JWT_SECRET --end-grace --reason 'the key before is known'\n  insightdesk secrets rotate JWT_SECRET --abort"
    )]
    Rotate(RotateArguments),
    /// List renewals, newest first, and what they wait for
    Rotations,
    /// Say that a secret was renewed where the server cannot write, and what shows it
    #[command(
        after_help = "Counts as evidence in the audit log. Refused when the server still reads the value that it had.\n\nExamples:\n  insightdesk secrets rotated SMTP_PASS --evidence 'ticket 4711, key ends in 9f'"
    )]
    Rotated {
        /// Name of the secret
        name: String,
        /// What shows it; stands in the audit log
        #[arg(long)]
        evidence: String,
    },
}

/// Arguments of `secrets rotate`.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateArguments {
    /// Name of the secret
    name: String,
    /// Why; stands in the audit log
    #[arg(long, default_value = "renewal")]
    reason: String,
    /// Give up a renewal whose new value is not in force yet
    #[arg(long, conflicts_with = "end_grace")]
    abort: bool,
    /// End the time in which the key before is still good
    #[arg(long)]
    end_grace: bool,
    /// Do not wait until all have the new value
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn run(globals: &Globals, command: &Command) -> Result {
    match command {
        Command::Rotate(arguments) => rotate(globals, arguments).await,
        Command::Rotations => list(globals).await,
        Command::Rotated { name, evidence } => {
            let body = json!({ "evidence": evidence });
            Client::find(globals)?.post(&path(name, "/rotated"), &body).await?;
            output::say(&format!("recorded: {name} was renewed"));
            Ok(())
        }
    }
}

async fn rotate(globals: &Globals, arguments: &RotateArguments) -> Result {
    let client = Client::find(globals)?;
    let name = &arguments.name;
    let rest = match (arguments.abort, arguments.end_grace) {
        (true, _) => "/rotate/abort",
        (_, true) => "/rotate/end-grace",
        _ => "/rotate",
    };
    let body = json!({ "reason": arguments.reason });
    let answer = client.post(&path(name, rest), &body).await?;
    let begun: SecretRotation = serde_json::from_value(answer)
        .map_err(|_| Failure::problems("the control plane answered something else than a renewal"))?;
    let waits = !arguments.no_wait && rest == "/rotate" && begun.phase != RotationPhase::Waiting;
    let rotation = if waits { follow(globals, &client, begun).await? } else { begun };
    if globals.json {
        return output::json(&rotation);
    }
    match rotation.phase {
        RotationPhase::Waiting => {
            output::say(&format!("{name} is renewed by hand:"));
            for (number, step) in (1..).zip(&rotation.steps) {
                output::say(&format!("  {number}. {step}"));
            }
        }
        RotationPhase::Aborted => output::say(&format!("the renewal of {name} is given up")),
        _ if arguments.end_grace => {
            output::say(&format!("programs are restarted without the key before of {name}"));
        }
        phase if phase.is_renewed() => {
            let until =
                rotation.until.map(|it| format!("; the key before is good until {}", words::moment(it)));
            output::say(&format!(
                "{name} is renewed, and all that use it have it{}",
                until.unwrap_or_default()
            ));
        }
        _ => output::say(&format!("the renewal of {name} has begun: insightdesk secrets rotations")),
    }
    Ok(())
}

/// Waits until all have the new value, and says what it waits for.
async fn follow(globals: &Globals, client: &Client, mut rotation: SecretRotation) -> Result<SecretRotation> {
    let mut told = String::new();
    while !rotation.phase.is_renewed() && !rotation.phase.is_over() {
        tokio::time::sleep(PAUSE).await;
        let page: Page<SecretRotation> = client.get("/api/secret-rotations").await?;
        let Some(now) = page.items.into_iter().find(|it| it.id == rotation.id) else { break };
        rotation = now;
        let state = match &rotation.waits_for {
            Some(what) => format!("{}: waits for {what}", word(rotation.phase)),
            None => word(rotation.phase).to_owned(),
        };
        if state != told && !globals.json {
            output::note(&state);
            told = state;
        }
    }
    Ok(rotation)
}

async fn list(globals: &Globals) -> Result {
    let page: Page<SecretRotation> = Client::find(globals)?.get("/api/secret-rotations").await?;
    if globals.json {
        return output::json(&page);
    }
    if page.items.is_empty() {
        output::say("no secret was renewed yet");
        return Ok(());
    }
    let mut table = output::table(&["secret", "how", "phase", "began", "by", "why", "waits for"]);
    for it in &page.items {
        table.add_row(vec![
            Cell::new(&it.secret),
            Cell::new(&it.method),
            Cell::new(word(it.phase)),
            Cell::new(words::moment(it.began_at)),
            Cell::new(&it.by),
            Cell::new(&it.reason),
            Cell::new(it.waits_for.as_deref().unwrap_or_default()),
        ]);
    }
    output::say_table(&table);
    Ok(())
}

const fn word(phase: RotationPhase) -> &'static str {
    match phase {
        RotationPhase::Prepare => "being prepared",
        RotationPhase::Spread => "the new key is given to those who verify",
        RotationPhase::Change => "the password is being changed",
        RotationPhase::Switch => "the new value is given to all",
        RotationPhase::Overlap => "renewed, the key before is still good",
        RotationPhase::Drop => "renewed, the key before is being dropped",
        RotationPhase::Waiting => "waits for somebody",
        RotationPhase::Done => "done",
        RotationPhase::Aborted => "given up",
    }
}
