//! `insightdesk restart`: asks for a drained restart.

use serde_json::json;

use super::logs::target;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::Result;
use crate::output;

/// Arguments of `restart`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A replica that gave up is started again, and its failures are forgotten.\n\nExamples:\n  insightdesk restart api\n  insightdesk restart api/1 --reason 'new certificate'"
)]
pub(crate) struct Arguments {
    /// A service, or one replica of it: `api`, `api/0`
    #[arg(value_name = "SERVICE[/SLOT]")]
    target: String,
    /// Why; stands in the list of changes
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let (service, slot) = target(&arguments.target)?;
    let mut body = json!({});
    if let Some(slot) = slot {
        body["slot"] = json!(slot);
    }
    if let Some(reason) = &arguments.reason {
        body["reason"] = json!(reason);
    }
    let answer = Client::find(globals)?.post(&format!("/api/services/{service}/restart"), &body).await?;
    if globals.json {
        return output::json(&answer);
    }
    output::say(&format!(
        "{} restarts; `insightdesk services {service}` shows how far it is",
        arguments.target
    ));
    Ok(())
}
