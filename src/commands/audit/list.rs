use comfy_table::Cell;
use ops_contract::{AuditActorKind, AuditOutcome, AuditView};

use super::super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::Result;
use crate::output::{self, Colour};

/// Arguments of `audit list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What this person, service or agent did
    #[arg(long, default_value = "")]
    actor: String,
    /// This action, or what it begins with up to a dot: secret.read, secret
    #[arg(long, default_value = "")]
    action: String,
    /// What was done to this secret, service or path
    #[arg(long, default_value = "")]
    subject: String,
    /// How it ended
    #[arg(long, default_value = "", hide_default_value = true, value_parser = ["", "allowed", "denied", "failed"])]
    outcome: String,
    /// Entries with numbers below this
    #[arg(long, value_name = "ENTRY")]
    below: Option<u64>,
    /// How many, 500 at most
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("actor", &arguments.actor).append_pair("action", &arguments.action);
    query.append_pair("subject", &arguments.subject).append_pair("outcome", &arguments.outcome);
    query.append_pair("limit", &arguments.limit.to_string());
    if let Some(below) = arguments.below {
        query.append_pair("below", &below.to_string());
    }
    let view: AuditView = Client::find(globals)?.get(&format!("/api/audit?{}", query.finish())).await?;
    if globals.json {
        return output::json(&view);
    }
    if let Some(fault) = &view.state.fault {
        output::say(&output::paint(&format!("✕ {fault}"), Colour::Red));
    }
    let mut table = output::table(&["entry", "when", "who", "from", "did", "to", "why", "outcome"]);
    for it in &view.entries {
        let kind = match it.actor_kind {
            AuditActorKind::Person => "",
            AuditActorKind::Service => "service ",
            AuditActorKind::Agent => "agent ",
            AuditActorKind::System => "",
            AuditActorKind::External => "external ",
        };
        table.add_row(vec![
            Cell::new(it.seq),
            Cell::new(words::moment(it.at)),
            Cell::new(format!("{kind}{}", it.actor)),
            Cell::new(it.address.as_deref().unwrap_or_default()),
            Cell::new(&it.action),
            Cell::new(&it.subject),
            Cell::new(it.purpose.as_deref().unwrap_or_default()),
            match it.outcome {
                AuditOutcome::Allowed => output::cell("● allowed", Colour::Green),
                AuditOutcome::Denied => output::cell("✕ denied", Colour::Red),
                AuditOutcome::Failed => output::cell("▲ failed", Colour::Yellow),
            },
        ]);
    }
    output::say_table(&table);
    if let Some(next) = view.next {
        output::note(&format!("older ones: --below {next}"));
    }
    Ok(())
}
