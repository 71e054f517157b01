//! `insightdesk receivers`: whether those arrive who are to be told.

use std::time::Duration;

use ops_contract::{AttemptOutcome, Delivery, DeliveryStatus, NotificationView};

use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Between two looks at what became of the test.
const LOOK: Duration = Duration::from_millis(500);

/// What to do with receivers.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Send a marked test page to a receiver, and say what every place answered
    #[command(
        after_help = "The page goes the whole way that a real one goes, and is marked as a test. Exit code 1 when it did not arrive everywhere.\n\nExamples:\n  insightdesk receivers test oncall\n  insightdesk receivers test oncall --wait 5m"
    )]
    Test(Test),
}

/// Arguments of `receivers test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// The receiver's name in the Alertmanager file
    name: String,
    /// How long to wait for it to arrive, such as 30s or 5m
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = super::replay::seconds)]
    wait: f64,
}

pub(super) async fn run(globals: &Globals, command: &Command) -> Result {
    let Command::Test(arguments) = command;
    let client = Client::find(globals)?;
    let name: String = url::form_urlencoded::byte_serialize(arguments.name.as_bytes()).collect();
    let begun = client.post(&format!("/api/receivers/{name}/test"), &serde_json::json!({})).await?;
    let mut view: NotificationView = serde_json::from_value(begun)
        .map_err(|error| Failure::problems(format!("the server's answer cannot be read: {error}")))?;
    let wait = Duration::try_from_secs_f64(arguments.wait).unwrap_or(Duration::from_mins(1));
    let path = format!("/api/notifications/{}", view.notification.id);
    let until = tokio::time::Instant::now() + wait;
    let mut said = 0;
    loop {
        if !globals.json {
            said = tell(&view, said);
        }
        let pending = view.deliveries.iter().any(|it| it.status == DeliveryStatus::Pending);
        if !pending || tokio::time::Instant::now() >= until {
            break;
        }
        tokio::time::sleep(LOOK).await;
        view = client.get(&path).await?;
    }
    if globals.json {
        output::json(&view)?;
    }
    judge(&arguments.name, &view.deliveries)
}

/// Says every attempt once; gives how many have been said.
fn tell(view: &NotificationView, said: usize) -> usize {
    let mut lines: Vec<_> =
        view.deliveries.iter().flat_map(|it| it.attempts.iter().map(move |attempt| (attempt, it))).collect();
    lines.sort_by_key(|(attempt, _)| attempt.at);
    for (attempt, delivery) in lines.iter().skip(said) {
        let word = match attempt.outcome {
            AttemptOutcome::Delivered => "● taken",
            AttemptOutcome::Failed => "◔ failed, is tried again",
            AttemptOutcome::Refused => "✕ refused",
        };
        output::say(&format!(
            "{}  {word} after {} ms: {}",
            delivery.integration, attempt.took_ms, attempt.detail
        ));
    }
    lines.len()
}

fn judge(name: &str, deliveries: &[Delivery]) -> Result {
    if deliveries.is_empty() {
        return Err(Failure::problems(format!("{name} has no place to which anything could be sent")));
    }
    let missing: Vec<&str> = deliveries
        .iter()
        .filter(|it| it.status != DeliveryStatus::Delivered)
        .map(|it| it.integration.as_str())
        .collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(Failure::problems(format!("the test did not arrive at {}", missing.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(integration: &str, status: DeliveryStatus) -> Delivery {
        Delivery {
            id: String::new(),
            notification: String::new(),
            integration: integration.to_owned(),
            alert: None,
            status,
            next_attempt_at: None,
            delivered_at: None,
            attempts: Vec::new(),
        }
    }

    #[test]
    fn a_test_has_arrived_when_every_place_has_taken_it() {
        let taken = delivery("webhook/0", DeliveryStatus::Delivered);
        assert!(judge("hook", std::slice::from_ref(&taken)).is_ok());
        for status in [DeliveryStatus::Pending, DeliveryStatus::Dead, DeliveryStatus::Superseded] {
            let failure = judge("hook", &[taken.clone(), delivery("slack/1", status)]).unwrap_err();
            assert!(failure.message.contains("slack/1"), "{}", failure.message);
        }
        assert!(judge("hook", &[]).is_err());
    }
}
