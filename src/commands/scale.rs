//! `insightdesk scale`: sets how many replicas are wanted.

use serde_json::json;

use super::logs::target;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Arguments of `scale`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The stack file's fewest and most replicas bound it.\n\nExamples:\n  insightdesk scale worker 2"
)]
pub(crate) struct Arguments {
    /// The service
    service: String,
    /// How many replicas
    replicas: u16,
    /// Why; stands in the list of changes
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let (service, None) = target(&arguments.service)? else {
        return Err(Failure::usage("a service is scaled, not a replica: write `insightdesk scale api 3`"));
    };
    let mut body = json!({"replicas": arguments.replicas});
    if let Some(reason) = &arguments.reason {
        body["reason"] = json!(reason);
    }
    let answer = Client::find(globals)?.post(&format!("/api/services/{service}/scale"), &body).await?;
    if globals.json {
        return output::json(&answer);
    }
    output::say(&format!(
        "{service} is wanted {} times; `insightdesk services {service}` shows how far it is",
        arguments.replicas
    ));
    Ok(())
}
