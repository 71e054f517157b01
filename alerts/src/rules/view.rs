use std::collections::BTreeMap;

use ops_contract::{Alert, AlertState, RuleHealth, RuleKind, RuleView, Timestamp, Tone};
use ops_promql::template::Template;

use super::rule::RuleAction;
use super::set::Entry;
use super::state::RuleState;
use super::{RuleSet, unhealthy};

/// Most alerts of a rule that are shown.
const MOST: usize = 100;

/// Every rule, in the order of the files; `RuleUnhealthy` last, where there is or was one.
pub(crate) fn views(rules: &RuleSet, states: &[RuleState]) -> Vec<RuleView> {
    let mut views: Vec<RuleView> =
        rules.entries.iter().zip(states).map(|(entry, it)| view(entry, it)).collect();
    let is_ours = |alert: &&Alert| unhealthy::subject(alert).is_some();
    let firing = states.iter().filter_map(|it| it.unhealthy.as_ref());
    let past = states.iter().flat_map(|it| it.resolved.iter().filter(is_ours));
    let alerts: Vec<Alert> = firing.chain(past).cloned().collect();
    if !alerts.is_empty() {
        views.push(ours(alerts, rules.settings.unhealthy_intervals));
    }
    views
}

fn view(entry: &Entry, state: &RuleState) -> RuleView {
    let living = state.living.values();
    let past = state.resolved.iter().rev().filter(|it| unhealthy::subject(it).is_none());
    let mut alerts: Vec<Alert> = living.chain(past).cloned().collect();
    alerts.sort_by_key(|it| (rank(it.state), it.active_at));
    let (pending, firing) = (count(&alerts, AlertState::Pending), count(&alerts, AlertState::Firing));
    alerts.truncate(MOST);
    let health = state.health.unwrap_or(RuleHealth::Unknown);
    let annotations = match &entry.rule.action {
        RuleAction::Alert { annotations, .. } => written(annotations),
        RuleAction::Record => BTreeMap::new(),
    };
    RuleView {
        name: entry.rule.name.clone(),
        kind: if entry.rule.is_alerting() { RuleKind::Alerting } else { RuleKind::Recording },
        group: entry.group.to_string(),
        file: entry.file.to_string(),
        expr: entry.rule.query.text().to_owned(),
        interval_s: entry.interval_ms as f64 / 1e3,
        limit: u64::try_from(entry.limit).unwrap_or(u64::MAX),
        for_s: entry.rule.for_ms() as f64 / 1e3,
        keep_firing_for_s: entry.rule.keep_firing_for_ms() as f64 / 1e3,
        labels: written(&entry.rule.labels),
        annotations,
        health,
        last_error: state.error.clone(),
        last_evaluated_at: state.evaluated_ms.map(|at| Timestamp(at * 1_000)),
        evaluation_s: state.took_s,
        tone: tone(health, pending, firing, &alerts),
        alerts,
        pending,
        firing,
    }
}

fn ours(alerts: Vec<Alert>, intervals: i64) -> RuleView {
    let firing = count(&alerts, AlertState::Firing);
    RuleView {
        name: unhealthy::NAME.to_owned(),
        kind: RuleKind::Alerting,
        group: "engine".to_owned(),
        file: "of the engine itself".to_owned(),
        expr: format!("a rule failed or had no data for {intervals} of its intervals"),
        interval_s: 0.0,
        limit: 0,
        for_s: 0.0,
        keep_firing_for_s: 0.0,
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        health: RuleHealth::Ok,
        last_error: None,
        last_evaluated_at: None,
        evaluation_s: 0.0,
        tone: tone(RuleHealth::Ok, 0, firing, &alerts),
        alerts: alerts.into_iter().take(MOST).collect(),
        pending: 0,
        firing,
    }
}

fn tone(health: RuleHealth, pending: u64, firing: u64, alerts: &[Alert]) -> Tone {
    let critical = |it: &Alert| {
        it.state == AlertState::Firing && it.labels.get("severity").is_some_and(|it| it == "critical")
    };
    match health {
        _ if firing > 0 && alerts.iter().any(critical) => Tone::Down,
        _ if firing > 0 => Tone::Degraded,
        RuleHealth::Unknown | RuleHealth::NoData | RuleHealth::Error => Tone::Unknown,
        RuleHealth::Ok if pending > 0 => Tone::Starting,
        RuleHealth::Ok => Tone::Serving,
    }
}

fn rank(state: AlertState) -> u8 {
    match state {
        AlertState::Firing => 0,
        AlertState::Pending => 1,
        AlertState::Resolved => 2,
    }
}

fn count(alerts: &[Alert], state: AlertState) -> u64 {
    alerts.iter().filter(|it| it.state == state).count().try_into().unwrap_or(u64::MAX)
}

fn written(templates: &BTreeMap<String, (String, Template)>) -> BTreeMap<String, String> {
    templates.iter().map(|(name, (text, _))| (name.clone(), text.clone())).collect()
}
