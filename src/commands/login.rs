//! `insightdesk login`: a one-time sign-in link, or a token for another operator.

use ops_contract::Role;
use serde_json::{Value, json};

use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Arguments of `login`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  insightdesk login                                 a link for yourself, good once, for 15 minutes\n  insightdesk login --name ann --role operator      a token for Ann; shown once\n  INSIGHTDESK_URL=https://ops.example INSIGHTDESK_TOKEN=… insightdesk login"
)]
pub(crate) struct Arguments {
    /// Make a token for the operator of this name (admins only)
    #[arg(long, requires = "role")]
    name: Option<String>,
    /// What they may do
    #[arg(long, requires = "name")]
    role: Option<RoleName>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum RoleName {
    /// Look
    Viewer,
    /// Restart, scale, acknowledge
    Operator,
    /// Also make tokens and links, stop the stack
    Admin,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let client = Client::find(globals)?;
    let (Some(name), Some(role)) = (&arguments.name, arguments.role) else {
        let link = client.post("/api/links", &json!({})).await?;
        return if globals.json { output::json(&link) } else { say(&link, "url") };
    };
    let role = match role {
        RoleName::Viewer => Role::Viewer,
        RoleName::Operator => Role::Operator,
        RoleName::Admin => Role::Admin,
    };
    let made = client.post("/api/operators", &json!({"name": name, "role": role})).await?;
    if globals.json {
        return output::json(&made);
    }
    output::note(&format!("the token of {name}; it is not shown again:"));
    say(&made, "token")
}

fn say(answer: &Value, field: &str) -> Result {
    let text = answer[field].as_str();
    output::say(
        text.ok_or_else(|| Failure::problems(format!("the control plane's answer has no `{field}`")))?,
    );
    Ok(())
}
