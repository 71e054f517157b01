//! `insightdesk incidents`: what is broken, and who looks after it.

use comfy_table::Cell;
use ops_contract::{Incident, IncidentState, IncidentsView};

use super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Kind, Result};
use crate::output::{self, Colour};

/// Arguments of `incidents`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 when an incident is open, which nobody looks after. `insightdesk alerts ack` says that you do.\n\nExamples:\n  insightdesk incidents\n  insightdesk incidents --resolved\n  insightdesk incidents --json | jq -r '.living[].id'"
)]
pub(crate) struct Arguments {
    /// Those too that are resolved, the last 50
    #[arg(long)]
    resolved: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let view: IncidentsView = Client::find(globals)?.get("/api/incidents").await?;
    if globals.json {
        output::json(&view)?;
    } else {
        say(&view, arguments.resolved);
    }
    match view.living.iter().any(|it| it.state == IncidentState::Open) || !view.faults.is_empty() {
        true => Err(Failure::new(Kind::Problems, "")),
        false => Ok(()),
    }
}

fn say(view: &IncidentsView, resolved: bool) {
    for fault in &view.faults {
        output::say(&format!("the file that says who is told cannot be used: {fault}"));
    }
    if let Some(since) = view.waiting_since {
        output::say(&format!("deliveries that wait: {}, the oldest for {}", view.waiting, words::ago(since)));
    }
    let rows: Vec<&Incident> = view.living.iter().chain(view.resolved.iter().filter(|_| resolved)).collect();
    if rows.is_empty() {
        output::say("nothing is broken");
        return;
    }
    let mut table = output::table(&["id", "state", "severity", "since", "alerts", "looked after", "what"]);
    for it in rows {
        table.add_row(vec![
            Cell::new(&it.id),
            state(it.state),
            Cell::new(&it.severity),
            Cell::new(words::ago(it.opened_at)),
            Cell::new(it.alerts.len()),
            Cell::new(after(it)),
            Cell::new(&it.title),
        ]);
    }
    output::say_table(&table);
}

/// Who looks after it; of one that nobody does when others are told.
fn after(it: &Incident) -> String {
    match (it.state, &it.acknowledgement, it.next_escalation_at) {
        (IncidentState::Acknowledged, Some(ack), _) => {
            format!("{} until {}: {}", ack.by, words::moment(ack.until), ack.reason)
        }
        (IncidentState::Open, _, Some(at)) => format!("nobody; escalates {}", words::moment(at)),
        (IncidentState::Open, _, None) => "nobody".to_owned(),
        _ => String::new(),
    }
}

fn state(state: IncidentState) -> Cell {
    match state {
        IncidentState::Open => output::cell("✕ open", Colour::Red),
        IncidentState::Acknowledged => output::cell("◔ acknowledged", Colour::Yellow),
        IncidentState::Resolved => output::cell("● resolved", Colour::Green),
    }
}
