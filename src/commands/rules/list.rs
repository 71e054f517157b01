//! `insightdesk rules list`.

use comfy_table::Cell;
use ops_contract::{AlertsView, RuleHealth, RuleKind, RuleView};

use super::super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Kind, Result};
use crate::output::{self, Colour};

/// Arguments of `rules list`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 when a rule cannot be evaluated, has lost its data, or a rule file could not be loaded.\n\nExamples:\n  insightdesk rules list\n  insightdesk rules list --json | jq '.rules[] | select(.health != \"ok\") | {name, last_error}'"
)]
pub(crate) struct Arguments {}

pub(super) async fn run(globals: &Globals, _: &Arguments) -> Result {
    let view: AlertsView = Client::find(globals)?.get("/api/alerts").await?;
    if globals.json {
        output::json(&view)?;
    } else {
        say(&view);
    }
    match view.unhealthy > 0 || !view.load_faults.is_empty() {
        true => Err(Failure::new(Kind::Problems, "")),
        false => Ok(()),
    }
}

fn say(view: &AlertsView) {
    for fault in &view.load_faults {
        output::say(&format!("a rule file could not be loaded: {fault}"));
    }
    if let Some(url) = &view.query_url {
        output::say(&format!("expressions are evaluated at {url}"));
    }
    if view.rules.is_empty() {
        output::say("no rule is there: name rule files in the stack file, under [alerts]");
        return;
    }
    let mut table = output::table(&["rule", "makes", "group", "health", "stands", "evaluated", "file"]);
    for rule in &view.rules {
        table.add_row(vec![
            Cell::new(&rule.name),
            Cell::new(match rule.kind {
                RuleKind::Alerting => "alerts",
                RuleKind::Recording => "a series",
            }),
            Cell::new(&rule.group),
            health(rule),
            Cell::new(stands(rule)),
            Cell::new(rule.last_evaluated_at.map_or_else(|| "never".to_owned(), words::ago)),
            Cell::new(&rule.file),
        ]);
    }
    output::say_table(&table);
}

fn health(rule: &RuleView) -> Cell {
    match rule.health {
        RuleHealth::Ok => output::cell("● ok", Colour::Green),
        RuleHealth::Unknown => output::cell("◇ not yet", Colour::Grey),
        RuleHealth::NoData => output::cell("◇ no data", Colour::Yellow),
        RuleHealth::Error => {
            let why = rule.last_error.as_deref().unwrap_or("fails");
            output::cell(&format!("✕ {why}"), Colour::Red)
        }
    }
}

fn stands(rule: &RuleView) -> String {
    match (rule.firing, rule.pending) {
        (0, 0) => String::new(),
        (0, pending) => format!("{pending} pending"),
        (firing, 0) => format!("{firing} firing"),
        (firing, pending) => format!("{firing} firing, {pending} pending"),
    }
}
