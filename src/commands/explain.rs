//! `insightdesk scale explain`: why a service has this many replicas; and `scale replay --recorded`, which decides a recorded
//! day again.

use comfy_table::Cell;
use ops_contract::{Page, ScalingDecision, ScalingSignal, ScalingState};
use ops_engine::scale::Recording;
use serde::Deserialize;
use serde_json::json;

use super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Arguments of `scale explain`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  insightdesk scale explain worker\n  insightdesk scale explain worker --last 50 --json"
)]
pub(crate) struct Arguments {
    /// The service
    service: String,
    /// How many of the last decisions
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=200))]
    last: u32,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let client = Client::find(globals)?;
    let service = &arguments.service;
    let signal: ScalingSignal = client.get(&format!("/api/scaling/{service}")).await?;
    let path = format!("/api/scaling/{service}/decisions?limit={}", arguments.last);
    let decisions: Page<ScalingDecision> = client.get(&path).await?;
    if globals.json {
        return output::json(&json!({"signal": signal, "decisions": decisions.items}));
    }
    let state = match signal.state {
        ScalingState::Unknown => "◇ unknown, held",
        ScalingState::Measured => "● measured",
        ScalingState::Manual => "‖ set by hand",
        ScalingState::Fixed => "‖ fixed",
    };
    output::say(&format!(
        "{service}: {} wanted, {} there, {} to {} allowed · {state} · decided {} ago",
        signal.desired,
        signal.current,
        signal.bounds.min,
        signal.bounds.max,
        words::ago(signal.decided_at),
    ));
    output::say(&format!("  {}", signal.reason));
    for held in &signal.held {
        output::say(&format!("  held: {held}"));
    }
    if !signal.inputs.is_empty() {
        let inputs: Vec<String> =
            signal.inputs.iter().map(|(name, value)| format!("{name} {value}")).collect();
        output::say(&format!("  from {}", inputs.join(", ")));
    }
    if !decisions.items.is_empty() {
        output::say("");
        output::say_table(&table(&decisions.items));
    }
    Ok(())
}

fn table(decisions: &[ScalingDecision]) -> comfy_table::Table {
    let mut table = output::table(&["ago", "from", "to", "why", "held by"]);
    for decision in decisions {
        let to = if decision.from == decision.to { "held".to_owned() } else { decision.to.to_string() };
        table.add_row(vec![
            Cell::new(words::ago(decision.at)),
            Cell::new(decision.from),
            Cell::new(to),
            Cell::new(&decision.reason),
            Cell::new(decision.held.join("; ")),
        ]);
    }
    table
}

/// A page of recordings.
#[derive(Deserialize)]
struct Recordings {
    items: Vec<Recording>,
    next: Option<String>,
}

/// Decides all that is recorded of a service again and compares, byte by byte.
pub(super) async fn replay(globals: &Globals, service: &str) -> Result {
    let client = Client::find(globals)?;
    let (mut decisions, mut recordings, mut changes) = (0_usize, 0_usize, 0_usize);
    let mut path = format!("/api/scaling/{service}/recordings");
    loop {
        let page: Recordings = client.get(&path).await?;
        for recording in &page.items {
            if let Err(mismatch) = recording.replay() {
                let at = recording.decisions.get(mismatch.index).map(|(input, _)| words::moment(input.now));
                return Err(Failure::problems(format!(
                    "the decision of {} comes out otherwise: {} replicas were decided, {} are now",
                    at.unwrap_or_default(),
                    mismatch.recorded.desired,
                    mismatch.replayed.desired
                )));
            }
            recordings += 1;
            decisions += recording.decisions.len();
            let changed = |(input, outcome): &&(_, ops_engine::scale::ScaleOutcome)| {
                let input: &ops_engine::scale::ScaleInput = input;
                input.desired != outcome.desired
            };
            changes += recording.decisions.iter().filter(changed).count();
        }
        let Some(next) = page.next else { break };
        path = format!("/api/scaling/{service}/recordings?after={next}");
    }
    if globals.json {
        return output::json(
            &json!({"service": service, "decisions": decisions, "changes": changes, "equal": true}),
        );
    }
    output::say(&format!(
        "{service}: {decisions} decisions of {recordings} recordings decided again, {changes} of them changed the number; all come out the same"
    ));
    Ok(())
}
