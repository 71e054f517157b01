//! `insightdesk status`: the one sentence, the services, the data stores.

use comfy_table::Cell;
use ops_contract::{NowView, Tone};

use super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Kind, Result};
use crate::output;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 when something is degraded, down or unknown.\n\nExamples:\n  insightdesk status\n  insightdesk status --json | jq .verdict.sentence"
)]
pub(crate) struct Arguments {}

pub(super) async fn run(globals: &Globals, _: &Arguments) -> Result {
    let now: NowView = Client::find(globals)?.get("/api/now").await?;
    if globals.json {
        output::json(&now)?
    } else {
        say(&now)
    }
    match now.verdict.tone {
        Tone::Serving | Tone::Starting | Tone::Stopped => Ok(()),
        Tone::Unknown | Tone::Degraded | Tone::Down => Err(Failure::new(Kind::Problems, "")),
    }
}

fn say(now: &NowView) {
    let verdict = &now.verdict;
    output::say(&format!("{} {}", words::tone(verdict.tone), verdict.sentence));
    if let Some(change) = &verdict.nearest_change {
        output::say(&format!(
            "  the nearest change before it (perhaps a coincidence): {} ago, {}",
            words::ago(change.at),
            change.summary
        ));
    }
    if let Some(why) = &now.history_unavailable {
        output::say(&format!("  history cannot be read: {why}"));
    }
    output::say("");
    let mut table = output::table(&["service", "state", "ready", "since", "why"]);
    for service in &now.services {
        table.add_row(vec![
            Cell::new(&service.name),
            words::status(service.status),
            Cell::new(format!("{}/{}", service.ready, service.desired)),
            Cell::new(words::ago(service.since)),
            Cell::new(&service.reason),
        ]);
    }
    for (name, store) in &now.dependencies {
        table.add_row(vec![
            Cell::new(name),
            words::dependency(store.status),
            Cell::new(""),
            Cell::new(words::ago(store.since)),
            Cell::new(&store.detail),
        ]);
    }
    output::say_table(&table);
}
