//! `log_configs`: one line in the server's own log. What is told when nothing else is configured.

use std::sync::Arc;

use ops_contract::{Notification, NotificationStatus};
use serde_json::Value;

use super::settings::Settings;
use super::{Globals, Kind, Message, Telling, Wrong};

/// Alerts that are named in the line; of more their number is said.
const NAMED: usize = 5;

#[derive(Debug)]
struct Log {
    send_resolved: bool,
}

pub(super) fn read(settings: &Value, globals: &Globals) -> Result<Arc<dyn Kind>, Vec<Wrong>> {
    let settings = Settings::new(settings, &globals.section);
    let send_resolved = settings.flag("send_resolved", true);
    settings.finish()?;
    Ok(Arc::new(Log { send_resolved }))
}

impl Kind for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn message(&self, note: &Notification, telling: &Telling<'_>) -> Result<Message, String> {
        let state = match note.status {
            NotificationStatus::Firing => "FIRING",
            NotificationStatus::Resolved => "RESOLVED",
        };
        let mut names: Vec<String> =
            note.alerts.iter().take(NAMED).map(|alert| subject(&alert.labels)).collect();
        let more = note.alerts.len().saturating_sub(NAMED) as u64 + note.truncated;
        if more > 0 {
            names.push(format!("and {more} more"));
        }
        let test = if telling.test { "TEST " } else { "" };
        Ok(Message::Log(format!("{test}{state} {}", names.join(", "))))
    }
}

fn subject(labels: &std::collections::BTreeMap<String, String>) -> String {
    let rest: Vec<String> = labels
        .iter()
        .filter(|(name, _)| *name != "alertname")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{} ({})", labels.get("alertname").map_or("", String::as_str), rest.join(" "))
}
