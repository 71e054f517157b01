//! `insightdesk scale`: sets how many replicas are wanted, and compares ways of deciding it.

use serde_json::json;

use super::logs::target;
use super::{explain, replay};
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Arguments of `scale`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "The stack file's fewest and most replicas bound it. A service that scales by itself takes the number for an hour, or for\n--for, and then decides again; `auto` withdraws it at once.\n\nExamples:\n  insightdesk scale api 3\n  insightdesk scale worker 3 --for 4h --reason \"launch\"\n  insightdesk scale worker auto\n  insightdesk scale explain worker\n  insightdesk scale replay requests.csv"
)]
pub(crate) struct Arguments {
    /// The service
    #[arg(required = true)]
    service: Option<String>,
    /// How many replicas, or `auto`
    #[arg(required = true, value_name = "REPLICAS|auto", value_parser = wanted)]
    replicas: Option<Wanted>,
    /// For how long the number counts, such as 30m or 4h [default: 1h, for a service that scales by itself]
    #[arg(long = "for", value_name = "TIME", value_parser = replay::seconds)]
    for_s: Option<f64>,
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
    /// Say why a service has this many replicas, and what held it from another number
    Explain(explain::Arguments),
    /// Compare scaling policies, ours and the published ones, on traces of arrivals
    Replay(Box<replay::Arguments>),
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result {
    match (&arguments.command, &arguments.service, arguments.replicas) {
        (Some(Command::Explain(arguments)), ..) => super::block_on(explain::run(globals, arguments)),
        (Some(Command::Replay(arguments)), ..) => replay::run(globals, arguments),
        (None, Some(service), Some(wanted)) => super::block_on(set(globals, service, wanted, arguments)),
        _ => Err(Failure::usage("say which service and how many replicas: `insightdesk scale api 3`")),
    }
}

/// What is wanted of a service.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Replicas(u16),
    Auto,
}

fn wanted(text: &str) -> std::result::Result<Wanted, String> {
    match text {
        "auto" => Ok(Wanted::Auto),
        number => {
            number.parse().map(Wanted::Replicas).map_err(|_| "write a number of replicas, or auto".to_owned())
        }
    }
}

async fn set(globals: &Globals, service: &str, wanted: Wanted, arguments: &Arguments) -> Result {
    let (service, None) = target(service)? else {
        return Err(Failure::usage("a service is scaled, not a replica: write `insightdesk scale api 3`"));
    };
    let mut body = match wanted {
        Wanted::Replicas(replicas) => json!({"replicas": replicas}),
        Wanted::Auto => json!({"auto": true}),
    };
    if let Some(for_s) = arguments.for_s {
        body["for_s"] = json!(for_s);
    }
    if let Some(reason) = &arguments.reason {
        body["reason"] = json!(reason);
    }
    let answer = Client::find(globals)?.post(&format!("/api/services/{service}/scale"), &body).await?;
    if globals.json {
        return output::json(&answer);
    }
    output::say(&match wanted {
        Wanted::Replicas(replicas) => {
            format!(
                "{service} is wanted {replicas} times; `insightdesk services {service}` shows how far it is"
            )
        }
        Wanted::Auto => {
            format!("{service} decides by itself again; `insightdesk scale explain {service}` shows what")
        }
    });
    Ok(())
}
