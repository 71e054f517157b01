//! `RuleUnhealthy`: the alert that says that a rule cannot be evaluated or has lost its data.

use std::collections::BTreeMap;

use ops_contract::{Alert, AlertState, RuleHealth, Timestamp};
use ops_samples::Labels;

use super::identity::alert_id;
use super::job::fingerprint;
use super::set::Entry;

/// The alert's name.
pub(crate) const NAME: &str = "RuleUnhealthy";
/// Before the id of the rule that it speaks of.
const RULE: &str = "engine/RuleUnhealthy/";
/// A rule may fail for a minute at least.
const AT_LEAST_MS: i64 = 60_000;

/// How long a rule may be unhealthy before it is told, in milliseconds.
pub(crate) fn patience_ms(entry: &Entry, intervals: i64) -> i64 {
    entry.interval_ms.saturating_mul(intervals).max(AT_LEAST_MS)
}

/// The id of the rule that an alert of ours speaks of.
pub(crate) fn subject(alert: &Alert) -> Option<&str> {
    alert.rule.strip_prefix(RULE)
}

/// How the rule did that a stored alert speaks of.
pub(crate) fn health(alert: &Alert) -> RuleHealth {
    match alert.labels.get("reason").map(String::as_str) {
        Some("no_data") => RuleHealth::NoData,
        _ => RuleHealth::Error,
    }
}

/// The alert about a rule that has been unhealthy since `since_ms`.
pub(crate) fn alert(
    entry: &Entry,
    health: RuleHealth,
    error: Option<&str>,
    since_ms: i64,
    at_ms: i64,
) -> Alert {
    let reason = if health == RuleHealth::NoData { "no_data" } else { "error" };
    let name = &entry.rule.name;
    let pairs = [
        ("alertname", NAME),
        ("severity", "warning"),
        ("rule", name.as_str()),
        ("group", &entry.group),
        ("file", &entry.file),
        ("reason", reason),
        ("rule_id", &entry.rule.id),
    ];
    let labels: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let fingerprint = Labels::new(&labels).map(|labels| fingerprint(&labels)).unwrap_or_default();
    let (summary, description) = match health {
        RuleHealth::NoData => (
            format!("The rule {name} has no data any more"),
            format!(
                "What {name} reads was there and is gone. What it last said stands until the data is back."
            ),
        ),
        _ => (
            format!("The rule {name} cannot be evaluated"),
            format!(
                "{name} fails: {}. What it last said stands until it works.",
                error.unwrap_or("no reason told")
            ),
        ),
    };
    let annotations = [("summary", summary), ("description", description)];
    let rule = format!("{RULE}{}", entry.rule.id);
    let active_at = Timestamp(since_ms * 1_000);
    Alert {
        id: alert_id(&rule, &fingerprint, active_at.0),
        fingerprint,
        rule,
        state: AlertState::Firing,
        labels,
        annotations: annotations.map(|(name, text)| (name.to_owned(), text)).into(),
        generator_url: String::new(),
        value: 1.0,
        active_at,
        fired_at: Some(Timestamp(at_ms * 1_000)),
        keep_firing_since: None,
        no_data_since: None,
        resolved_at: None,
    }
}
