//! `insightdesk alerts`: what fires, and that somebody looks after it.

use comfy_table::Cell;
use ops_contract::{AcknowledgeRequest, Alert, AlertState, AlertsView, Incident};

use super::{replay, words};
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Kind, Result};
use crate::output::{self, Colour};

/// What to do with alerts.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the alerts that fire or are about to; the gravest first
    #[command(
        after_help = "Exit code 1 when an alert fires that is more than information, or when a rule cannot be evaluated.\n\nExamples:\n  insightdesk alerts list\n  insightdesk alerts list --all\n  insightdesk alerts list --json | jq '.[] | select(.state == \"firing\") | .labels'"
    )]
    List(List),
    /// Say that you look after an incident: it is neither escalated nor told again until that ends
    #[command(
        after_help = "`insightdesk incidents` lists the incidents with their ids.\n\nExamples:\n  insightdesk alerts ack 0d2c9a3e --reason \"restarting the database\"\n  insightdesk alerts ack 0d2c9a3e --reason \"waiting for the provider\" --for 4h"
    )]
    Ack(Ack),
}

/// Arguments of `alerts ack`.
#[derive(Debug, clap::Args)]
pub(crate) struct Ack {
    /// Which incident
    #[arg(value_name = "INCIDENT")]
    incident: String,
    /// What is done about it
    #[arg(long)]
    reason: String,
    /// For how long, from 1m to 168h [default: 1h]
    #[arg(long = "for", value_name = "TIME", value_parser = replay::seconds)]
    for_s: Option<f64>,
}

/// Arguments of `alerts list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Those too that were resolved a short while ago
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(globals: &Globals, command: &Command) -> Result {
    match command {
        Command::List(arguments) => list(globals, arguments).await,
        Command::Ack(arguments) => ack(globals, arguments).await,
    }
}

async fn ack(globals: &Globals, arguments: &Ack) -> Result {
    let id: String = url::form_urlencoded::byte_serialize(arguments.incident.as_bytes()).collect();
    // The server knows the bounds; it refuses less than a minute.
    let for_s = arguments.for_s.map(|it| it as u64);
    let request = AcknowledgeRequest { reason: arguments.reason.clone(), for_s };
    let answer = Client::find(globals)?.post(&format!("/api/incidents/{id}/ack"), &request).await?;
    if globals.json {
        return output::json(&answer);
    }
    let incident: Incident = serde_json::from_value(answer)
        .map_err(|error| Failure::problems(format!("the server's answer cannot be read: {error}")))?;
    if let Some(ack) = &incident.acknowledgement {
        let until = words::moment(ack.until);
        output::say(&format!("{} looks after \"{}\" until {until}", ack.by, incident.title));
    }
    Ok(())
}

async fn list(globals: &Globals, arguments: &List) -> Result {
    let view: AlertsView = Client::find(globals)?.get("/api/alerts").await?;
    let alerts = chosen(&view, arguments.all);
    if globals.json {
        output::json(&alerts)?;
    } else {
        say(&view, &alerts);
    }
    let grave =
        |it: &&Alert| it.state == AlertState::Firing && !["info", "none"].contains(&label(it, "severity"));
    match view.unhealthy > 0 || !view.load_faults.is_empty() || alerts.iter().any(grave) {
        true => Err(Failure::new(Kind::Problems, "")),
        false => Ok(()),
    }
}

/// Firing before pending before resolved, critical before warning, the oldest first.
fn chosen(view: &AlertsView, all: bool) -> Vec<&Alert> {
    let mut alerts: Vec<&Alert> = view
        .rules
        .iter()
        .flat_map(|it| &it.alerts)
        .filter(|it| all || it.state != AlertState::Resolved)
        .collect();
    let rank = |it: &Alert| match it.state {
        AlertState::Firing => 0,
        AlertState::Pending => 1,
        AlertState::Resolved => 2,
    };
    let gravity = |it: &Alert| match label(it, "severity") {
        "critical" => 0,
        "warning" => 1,
        "info" => 3,
        _ => 2,
    };
    alerts.sort_by_key(|it| (rank(it), gravity(it), it.active_at));
    alerts
}

fn label<'a>(alert: &'a Alert, name: &str) -> &'a str {
    alert.labels.get(name).map_or("", String::as_str)
}

fn say(view: &AlertsView, alerts: &[&Alert]) {
    for fault in &view.load_faults {
        output::say(&format!("a rule file could not be loaded: {fault}"));
    }
    if view.unhealthy > 0 {
        output::say(&format!(
            "rules that cannot be judged: {}. `insightdesk rules list` names them",
            view.unhealthy
        ));
    }
    if alerts.is_empty() {
        output::say("no alert fires");
        return;
    }
    let mut table = output::table(&["state", "severity", "alert", "since", "labels", "value", "what"]);
    for alert in alerts {
        let since = alert.resolved_at.or(alert.fired_at).unwrap_or(alert.active_at);
        table.add_row(vec![
            state(alert),
            Cell::new(label(alert, "severity")),
            Cell::new(label(alert, "alertname")),
            Cell::new(words::ago(since)),
            Cell::new(labels(alert)),
            Cell::new(alert.value),
            Cell::new(alert.annotations.get("summary").map_or("", String::as_str)),
        ]);
    }
    output::say_table(&table);
    let shown: usize = alerts.iter().filter(|it| it.state == AlertState::Firing).count();
    let more = view.firing.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
    if more > 0 {
        output::say(&format!("and {more} more that fire: a rule shows 100 at most"));
    }
}

fn state(alert: &Alert) -> Cell {
    match (alert.state, alert.no_data_since) {
        (AlertState::Firing, Some(_)) => output::cell("◇ firing, no data", Colour::Red),
        (AlertState::Firing, None) => output::cell("✕ firing", Colour::Red),
        (AlertState::Pending, _) => output::cell("◔ pending", Colour::Yellow),
        (AlertState::Resolved, _) => output::cell("● resolved", Colour::Green),
    }
}

/// What tells an alert from others of its rule.
fn labels(alert: &Alert) -> String {
    let own = alert.labels.iter().filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity"));
    own.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(alerts: &[(&str, &str, i64)]) -> AlertsView {
        let alerts: Vec<_> = alerts
            .iter()
            .map(|(state, severity, at)| {
                json!({
                    "id": format!("{state}-{severity}"), "fingerprint": "0", "rule": "g/r#0", "state": state,
                    "labels": {"alertname": "A", "severity": severity, "slot": "0"}, "annotations": {"summary": "s"},
                    "value": "NaN", "active_at": at, "fired_at": at, "keep_firing_since": null,
                    "no_data_since": null, "resolved_at": null,
                })
            })
            .collect();
        serde_json::from_value(json!({
            "rules": [{
                "name": "A", "kind": "alerting", "group": "g", "file": "f", "expr": "e", "interval_s": 15.0,
                "limit": 0, "for_s": 0.0,
                "keep_firing_for_s": 0.0, "labels": {}, "annotations": {}, "health": "ok", "last_error": null,
                "last_evaluated_at": null, "evaluation_s": 0.0, "tone": "down", "alerts": alerts,
                "pending": 0, "firing": 0,
            }],
            "firing": 2, "pending": 0, "unhealthy": 0, "load_faults": [], "query_url": null, "at": 0,
        }))
        .unwrap()
    }

    #[test]
    fn what_fires_and_is_grave_comes_first_and_what_is_resolved_only_when_asked() {
        let view = view(&[
            ("resolved", "critical", 1),
            ("pending", "critical", 1),
            ("firing", "info", 1),
            ("firing", "warning", 2),
            ("firing", "critical", 3),
        ]);
        let ids = |all| chosen(&view, all).iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        let open = ["firing-critical", "firing-warning", "firing-info", "pending-critical"];
        assert_eq!(ids(false), open);
        assert_eq!(ids(true).last().map(String::as_str), Some("resolved-critical"));
        assert_eq!(labels(chosen(&view, false)[0]), "slot=0");
        say(&view, &chosen(&view, true));
    }
}
