//! `insightdesk secrets departed`: what is to be renewed because somebody left.

use comfy_table::Cell;
use ops_contract::{Departure, SecretsView, Timestamp};
use serde_json::json;

use super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Kind, Result};
use crate::output::{self, Colour};

/// Arguments of `secrets departed`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Who left, by the name in the audit log; without it the open lists are shown
    person: Option<String>,
    /// When they left, as 2026-05-03 or 2026-05-03T17:00:00Z; now unless told
    #[arg(long, requires = "person", value_parser = moment)]
    at: Option<Timestamp>,
}

/// A day, which begins at 0 h UTC, or a moment.
fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let at: jiff::Timestamp =
        whole.parse().map_err(|_| "write a day or a moment: 2026-05-03, 2026-05-03T17:00:00Z".to_owned())?;
    Ok(Timestamp(at.as_microsecond()))
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let client = Client::find(globals)?;
    let departures = match &arguments.person {
        Some(person) => {
            let body = json!({ "person": person, "at": arguments.at });
            let answer = client.post("/api/secrets/departed", &body).await?;
            let departure: Departure = serde_json::from_value(answer)
                .map_err(|_| Failure::problems("the control plane answered something else than a list"))?;
            vec![departure]
        }
        None => {
            let view: SecretsView = client.get("/api/secrets").await?;
            view.departures.into_iter().filter(|it| open(it) > 0).collect()
        }
    };
    if globals.json {
        output::json(&departures)?;
    } else {
        say(&departures);
    }
    // A list that was asked for to be made is no problem; one that is still open is.
    match arguments.person.is_none() && !departures.is_empty() {
        true => Err(Failure::new(Kind::Problems, "")),
        false => Ok(()),
    }
}

fn open(departure: &Departure) -> usize {
    departure.work.iter().filter(|it| it.closed_at.is_none()).count()
}

fn say(departures: &[Departure]) {
    if departures.is_empty() {
        output::say("nothing is to be renewed because somebody left");
    }
    for departure in departures {
        let Departure { person, at, work } = departure;
        output::say(&format!("{person} left on {}: {} to be renewed", words::moment(*at), open(departure)));
        if work.is_empty() {
            output::note(&format!(
                "the audit log knows of no secret that {person} has read or owns; check how the name is written"
            ));
            continue;
        }
        let mut table = output::table(&["secret", "tier", "done", "why"]);
        for it in work {
            let done = match it.closed_at {
                Some(at) => output::cell(&format!("● {}", words::ago(at)), Colour::Green),
                None => output::cell("✕ open", Colour::Red),
            };
            table.add_row(vec![Cell::new(&it.secret), Cell::new(it.tier), done, Cell::new(&it.why)]);
        }
        output::say_table(&table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_understood_and_nothing_else() {
        assert_eq!(moment("2026-05-03"), Ok(Timestamp(1_777_766_400_000_000)));
        assert_eq!(moment("2026-05-03T00:00:01Z"), Ok(Timestamp(1_777_766_401_000_000)));
        for text in ["", "yesterday", "2026-13-01", "2026-05-03T00:00", "9999999999"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
