use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ops_contract::{Alert, AlertState, RuleHealth, RuleKind, RuleView, Timestamp};

use super::error::Fault;
use super::json;
use super::labels::answer;
use super::params::Params;
use crate::App;
use crate::http::caller::Reader;

/// One group of a rule file.
#[derive(Clone, Debug)]
pub(crate) struct RuleGroup {
    pub(crate) name: String,
    pub(crate) file: String,
    /// Pause between two evaluations, in seconds.
    pub(crate) interval_s: f64,
    /// Most alerts or series that a rule may make; 0: no limit.
    pub(crate) limit: u64,
    /// How long the last evaluation took, in seconds.
    pub(crate) evaluation_s: f64,
    pub(crate) last_evaluated_at: Option<Timestamp>,
    /// In the order of the file.
    pub(crate) rules: Vec<RuleView>,
}

/// Every group, by file and place.
fn prometheus_rules(app: &App) -> Vec<RuleGroup> {
    let mut groups: Vec<RuleGroup> = Vec::new();
    for rule in app.alerting.rules() {
        match groups.last_mut() {
            Some(group) if group.name == rule.group && group.file == rule.file => {
                group.evaluation_s += rule.evaluation_s;
                group.last_evaluated_at = group.last_evaluated_at.max(rule.last_evaluated_at);
                group.rules.push(rule);
            }
            _ => groups.push(RuleGroup {
                name: rule.group.clone(),
                file: rule.file.clone(),
                interval_s: rule.interval_s,
                limit: rule.limit,
                evaluation_s: rule.evaluation_s,
                last_evaluated_at: rule.last_evaluated_at,
                rules: vec![rule],
            }),
        }
    }
    groups
}

/// What the rules are and how they stand.
pub(super) async fn rules(_: Reader, State(app): State<Arc<App>>, params: Params) -> Result<Response, Fault> {
    let kind = match params.get("type") {
        None => None,
        Some("alert") => Some(RuleKind::Alerting),
        Some("record") => Some(RuleKind::Recording),
        Some(other) => return Err(Fault::parameter("type", format!("not supported value {other:?}"))),
    };
    let without_alerts = match params.get("exclude_alerts") {
        None => false,
        Some(text) => text.parse().map_err(|_| Fault::parameter("exclude_alerts", "not true or false"))?,
    };
    let named =
        |name: &str, value: &str| params.all(name).next().is_none() || params.all(name).any(|it| it == value);
    let mut groups = prometheus_rules(&app);
    groups.retain(|it| named("rule_group[]", &it.name) && named("file[]", &it.file));
    for group in &mut groups {
        group.rules.retain(|it| kind.is_none_or(|kind| it.kind == kind) && named("rule_name[]", &it.name));
    }
    groups.retain(|it| !it.rules.is_empty());
    let mut out = json::begin(4_096);
    out.push_str("{\"groups\":");
    json::list(&mut out, &groups, |out, it| group(out, it, without_alerts));
    out.push('}');
    Ok(answer(json::finish(out, &[], &[])))
}

/// Pending and firing alerts.
pub(super) async fn alerts(_: Reader, State(app): State<Arc<App>>) -> Response {
    let groups = prometheus_rules(&app);
    let mut out = json::begin(4_096);
    out.push_str("{\"alerts\":");
    let alerts = groups.iter().flat_map(|it| &it.rules).flat_map(|it| &it.alerts).filter(|it| active(it));
    json::list(&mut out, alerts, alert);
    out.push('}');
    answer(json::finish(out, &[], &[]))
}

fn active(alert: &Alert) -> bool {
    alert.state != AlertState::Resolved
}

fn group(out: &mut String, group: &RuleGroup, without_alerts: bool) {
    out.push('{');
    field(out, "name", &group.name);
    field(out, "file", &group.file);
    out.push_str("\"rules\":");
    json::list(out, &group.rules, |out, it| rule(out, it, without_alerts));
    out.push(',');
    number(out, "interval", group.interval_s);
    number(out, "limit", group.limit as f64);
    number(out, "evaluationTime", group.evaluation_s);
    field(out, "lastEvaluation", &rfc3339(group.last_evaluated_at));
    end(out);
}

fn rule(out: &mut String, rule: &RuleView, without_alerts: bool) {
    out.push('{');
    if rule.kind == RuleKind::Alerting {
        let state = match (rule.firing, rule.pending) {
            (0, 0) => "inactive",
            (0, _) => "pending",
            _ => "firing",
        };
        field(out, "state", state);
        number(out, "duration", rule.for_s);
        number(out, "keepFiringFor", rule.keep_firing_for_s);
        out.push_str("\"annotations\":");
        json::pairs(out, rule.annotations.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        out.push_str(",\"alerts\":");
        let alerts = rule.alerts.iter().filter(|it| active(it) && !without_alerts);
        json::list(out, alerts, alert);
        out.push(',');
    }
    field(out, "name", &rule.name);
    field(out, "query", &rule.expr);
    out.push_str("\"labels\":");
    json::pairs(out, rule.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    out.push(',');
    field(
        out,
        "health",
        match rule.health {
            RuleHealth::Unknown => "unknown",
            RuleHealth::Ok | RuleHealth::NoData => "ok",
            RuleHealth::Error => "err",
        },
    );
    if let Some(error) = &rule.last_error {
        field(out, "lastError", error);
    }
    number(out, "evaluationTime", rule.evaluation_s);
    field(out, "lastEvaluation", &rfc3339(rule.last_evaluated_at));
    field(out, "type", if rule.kind == RuleKind::Alerting { "alerting" } else { "recording" });
    end(out);
}

fn alert(out: &mut String, alert: &Alert) {
    out.push_str("{\"labels\":");
    json::pairs(out, alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    out.push_str(",\"annotations\":");
    json::pairs(out, alert.annotations.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    out.push(',');
    field(out, "state", if alert.state == AlertState::Firing { "firing" } else { "pending" });
    field(out, "activeAt", &rfc3339(Some(alert.active_at)));
    if alert.keep_firing_since.is_some() {
        field(out, "keepFiringSince", &rfc3339(alert.keep_firing_since));
    }
    let mut value = String::new();
    json::number(&mut value, alert.value);
    field(out, "value", &value);
    end(out);
}

fn field(out: &mut String, name: &str, value: &str) {
    json::text(out, name);
    out.push(':');
    json::text(out, value);
    out.push(',');
}

fn number(out: &mut String, name: &str, value: f64) {
    json::text(out, name);
    out.push(':');
    json::number(out, if value.is_finite() { value } else { 0.0 });
    out.push(',');
}

/// The comma after the last field becomes the end.
fn end(out: &mut String) {
    out.pop();
    out.push('}');
}

/// A time as Go writes it; its zero when there is none.
fn rfc3339(at: Option<Timestamp>) -> String {
    at.and_then(|at| jiff::Timestamp::from_microsecond(at.0).ok())
        .map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use ops_contract::Tone;

    use super::*;

    fn firing() -> RuleGroup {
        let alert = Alert {
            id: "1".to_owned(),
            fingerprint: "0".repeat(16),
            rule: "g/Down#0".to_owned(),
            state: AlertState::Firing,
            labels: BTreeMap::from([("alertname".to_owned(), "Down".to_owned())]),
            annotations: BTreeMap::from([("summary".to_owned(), "a \"b\"".to_owned())]),
            generator_url: String::new(),
            value: f64::INFINITY,
            active_at: Timestamp(1_500_000),
            fired_at: None,
            keep_firing_since: None,
            no_data_since: None,
            resolved_at: None,
        };
        let over = Alert { state: AlertState::Resolved, ..alert.clone() };
        let rule = RuleView {
            name: "Down".to_owned(),
            kind: RuleKind::Alerting,
            group: "g".to_owned(),
            file: "f.yml".to_owned(),
            expr: "up == 0".to_owned(),
            interval_s: 15.0,
            limit: 0,
            for_s: 60.0,
            keep_firing_for_s: 0.0,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            health: RuleHealth::NoData,
            last_error: None,
            last_evaluated_at: None,
            evaluation_s: f64::NAN,
            tone: Tone::Down,
            alerts: vec![alert, over],
            pending: 0,
            firing: 1,
        };
        let (name, file) = ("g".to_owned(), "f.yml".to_owned());
        RuleGroup {
            name,
            file,
            interval_s: 15.0,
            limit: 0,
            evaluation_s: 0.001,
            last_evaluated_at: None,
            rules: vec![rule],
        }
    }

    #[test]
    fn a_group_is_what_prometheus_says_of_it() {
        let mut out = String::new();
        group(&mut out, &firing(), false);
        let read: serde_json::Value = serde_json::from_str(&out).unwrap();
        let rule = &read["rules"][0];
        assert_eq!(
            (&rule["state"], &rule["type"], &rule["health"]),
            (&"firing".into(), &"alerting".into(), &"ok".into())
        );
        assert_eq!(rule["alerts"].as_array().unwrap().len(), 1);
        assert_eq!(rule["alerts"][0]["value"], "+Inf");
        assert_eq!(rule["alerts"][0]["activeAt"], "1970-01-01T00:00:01.5Z");
        assert_eq!((&read["interval"], &rule["duration"]), (&15.into(), &60.into()));
    }
}
