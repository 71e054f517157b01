//! `insightdesk scale`: sets how many replicas are wanted, and compares ways of deciding it.

use serde_json::json;

use super::logs::target;
use super::replay;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Arguments of `scale`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "The stack file's fewest and most replicas bound it.\n\nExamples:\n  insightdesk scale worker 2\n  insightdesk scale replay requests.csv"
)]
pub(crate) struct Arguments {
    /// The service
    #[arg(required = true)]
    service: Option<String>,
    /// How many replicas
    #[arg(required = true)]
    replicas: Option<u16>,
    /// Why; stands in the list of changes
    #[arg(long)]
    reason: Option<String>,
    /// What else to do about scaling.
    #[command(subcommand)]
    command: Option<Command>,
}

/// Subcommands of `scale`.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compare scaling policies, ours and the published ones, on traces of arrivals
    Replay(Box<replay::Arguments>),
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result {
    match (&arguments.command, &arguments.service, arguments.replicas) {
        (Some(Command::Replay(arguments)), ..) => replay::run(globals, arguments),
        (None, Some(service), Some(replicas)) => {
            super::block_on(set(globals, service, replicas, arguments.reason.as_deref()))
        }
        _ => Err(Failure::usage("say which service and how many replicas: `insightdesk scale api 3`")),
    }
}

async fn set(globals: &Globals, service: &str, replicas: u16, reason: Option<&str>) -> Result {
    let (service, None) = target(service)? else {
        return Err(Failure::usage("a service is scaled, not a replica: write `insightdesk scale api 3`"));
    };
    let mut body = json!({"replicas": replicas});
    if let Some(reason) = reason {
        body["reason"] = json!(reason);
    }
    let answer = Client::find(globals)?.post(&format!("/api/services/{service}/scale"), &body).await?;
    if globals.json {
        return output::json(&answer);
    }
    output::say(&format!(
        "{service} is wanted {replicas} times; `insightdesk services {service}` shows how far it is"
    ));
    Ok(())
}
