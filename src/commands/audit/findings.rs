use comfy_table::Cell;
use ops_contract::{FindingSeverity, FindingView, Page};
use serde_json::json;

use super::super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output::{self, Colour};

/// Arguments of `audit findings`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Show closed ones too
    #[arg(long)]
    all: bool,
    /// How many, 200 at most
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// The page behind this one, as the one before names it
    #[arg(long, value_name = "NEXT")]
    before: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say that a finding is dealt with: its alert ends
    #[command(
        after_help = "An entry of the audit log. Found again later, the finding is open again.\n\nExamples:\n  insightdesk audit findings close 'R11|alice|TRAP|494971' --reason 'a drill'"
    )]
    Close(Close),
}

#[derive(Debug, clap::Args)]
struct Close {
    /// Key of the finding, as `insightdesk audit findings` shows it
    key: String,
    /// Why it is nothing, or what was done; stands in the audit log
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    match &arguments.command {
        Some(Command::Close(it)) => close(globals, it).await,
        None => list(globals, arguments).await,
    }
}

async fn close(globals: &Globals, arguments: &Close) -> Result {
    let body = json!({ "key": arguments.key, "reason": arguments.reason });
    let answer = Client::find(globals)?.post("/api/audit/findings/close", &body).await?;
    let view: FindingView = serde_json::from_value(answer)
        .map_err(|_| Failure::problems("the control plane answered something else than a finding"))?;
    if globals.json {
        return output::json(&view);
    }
    let by = view.closed.map(|it| format!(" by {}, audit entry {}", it.by, it.entry)).unwrap_or_default();
    output::say(&format!("{} is closed{by}", view.finding.key));
    Ok(())
}

async fn list(globals: &Globals, arguments: &Arguments) -> Result {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("open", if arguments.all { "false" } else { "true" });
    query.append_pair("limit", &arguments.limit.to_string());
    if let Some(before) = &arguments.before {
        query.append_pair("before", before);
    }
    let path = format!("/api/audit/findings?{}", query.finish());
    let page: Page<FindingView> = Client::find(globals)?.get(&path).await?;
    if globals.json {
        return output::json(&page);
    }
    if page.items.is_empty() {
        output::say("nothing unusual or unauthorised is open");
        return Ok(());
    }
    let mut table = output::table(&["rule", "severity", "found", "what", "entries", "key"]);
    for FindingView { finding, last_at, closed } in &page.items {
        let severity = match (closed, finding.learning, finding.severity) {
            (Some(_), ..) => output::cell("○ closed", Colour::Green),
            (None, true, _) => output::cell("i learning", Colour::Yellow),
            (None, false, FindingSeverity::Info) => output::cell("i info", Colour::Yellow),
            (None, false, FindingSeverity::Warning) => output::cell("▲ warning", Colour::Yellow),
            (None, false, FindingSeverity::Critical) => output::cell("✕ critical", Colour::Red),
        };
        let entries: Vec<String> = finding.evidence.iter().map(u64::to_string).collect();
        table.add_row(vec![
            Cell::new(&finding.rule),
            severity,
            Cell::new(words::ago(*last_at)),
            Cell::new(&finding.summary),
            Cell::new(entries.join(" ")),
            Cell::new(&finding.key),
        ]);
    }
    output::say_table(&table);
    if let Some(next) = &page.next {
        output::note(&format!("older ones: --before '{next}'"));
    }
    Ok(())
}
