//! Alerts and explored series for tests and pictures.

use std::collections::BTreeMap;

use ops_contract::*;

use super::{NOW, ago};

const HOSTILE: &str = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'";

fn words(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn rule(name: &str, group: &str) -> RuleView {
    RuleView {
        name: name.into(),
        kind: RuleKind::Alerting,
        group: group.into(),
        file: "insightdesk.yml (built in)".into(),
        expr: "rate(errors_total[5m]) > 0.1 and up == 1".into(),
        for_s: 300.0,
        interval_s: 15.0,
        limit: 0,
        keep_firing_for_s: 0.0,
        labels: words(&[("severity", "critical")]),
        annotations: BTreeMap::new(),
        health: RuleHealth::Ok,
        last_error: None,
        last_evaluated_at: Some(ago(2)),
        evaluation_s: 0.000_42,
        tone: Tone::Serving,
        alerts: vec![],
        pending: 0,
        firing: 0,
    }
}

pub(crate) fn alert(name: &str, state: AlertState, seconds_ago: u64) -> Alert {
    Alert {
        id: format!("{name}-1"),
        fingerprint: "0123456789abcdef".into(),
        rule: format!("services/{name}#0"),
        state,
        labels: words(&[("alertname", name), ("instance", "api-0:8080"), ("severity", "critical")]),
        annotations: words(&[("summary", "many requests fail"), ("description", "12 % of them")]),
        generator_url: String::new(),
        value: 0.12,
        active_at: ago(seconds_ago),
        fired_at: (state == AlertState::Firing).then(|| ago(seconds_ago - 60)),
        keep_firing_since: None,
        no_data_since: None,
        resolved_at: None,
    }
}

fn view(rules: Vec<RuleView>) -> AlertsView {
    AlertsView {
        firing: rules.iter().map(|it| it.firing).sum(),
        pending: rules.iter().map(|it| it.pending).sum(),
        unhealthy: rules
            .iter()
            .filter(|it| matches!(it.health, RuleHealth::Error | RuleHealth::NoData))
            .count() as u64,
        rules,
        load_faults: vec![],
        query_url: None,
        at: NOW,
    }
}

/// 63 rules, the watchdog among them, as it should be.
pub(crate) fn calm() -> AlertsView {
    let watchdog = RuleView {
        labels: words(&[("severity", "none")]),
        expr: "vector(1)".into(),
        for_s: 0.0,
        alerts: vec![alert("Watchdog", AlertState::Firing, 9_000)],
        firing: 1,
        ..rule("Watchdog", "itself")
    };
    let recording =
        RuleView { kind: RuleKind::Recording, for_s: 0.0, ..rule("job:errors:rate5m", "records") };
    let rules = (0..61).map(|index| rule(&format!("Rule{index}"), "services"));
    view([watchdog, recording].into_iter().chain(rules).collect())
}

/// Two fire, one of them without data; one rule fails, one has lost its data; one is pending; a file is broken.
pub(crate) fn incident() -> AlertsView {
    let blind = Alert { no_data_since: Some(ago(180)), ..alert("ReplicaDown", AlertState::Firing, 420) };
    let kept = Alert { keep_firing_since: Some(ago(30)), ..alert("ErrorRate", AlertState::Firing, 260) };
    let down =
        RuleView { alerts: vec![blind], firing: 1, tone: Tone::Down, ..rule("ReplicaDown", "services") };
    let errors =
        RuleView { alerts: vec![kept], firing: 1, tone: Tone::Degraded, ..rule("ErrorRate", "services") };
    let failing = RuleView {
        health: RuleHealth::Error,
        last_error: Some(
            "many-to-many matching not allowed: matching labels must be unique on one side".into(),
        ),
        tone: Tone::Degraded,
        ..rule("PoolSaturated", "postgres")
    };
    let silent =
        RuleView { health: RuleHealth::NoData, tone: Tone::Unknown, ..rule("BackupOld", "postgres") };
    let soon = RuleView {
        alerts: vec![alert("DiskFull", AlertState::Pending, 120)],
        pending: 1,
        tone: Tone::Starting,
        keep_firing_for_s: 600.0,
        ..rule("DiskFull", "host")
    };
    AlertsView {
        load_faults: vec!["alerts/own.yml: line 4: unknown field `exprr`".into()],
        query_url: Some("https://metrics.example.com/prometheus".into()),
        ..view(vec![down, errors, failing, silent, soon, rule("Fine", "host")])
    }
}

/// No rule fires, but some do not work.
pub(crate) fn unhealthy() -> AlertsView {
    let mut rules = incident().rules;
    rules.retain(|it| it.firing == 0 && it.pending == 0);
    view(rules)
}

/// The last evaluation was six minutes ago.
pub(crate) fn stale() -> AlertsView {
    let mut view = calm();
    view.rules.retain(|it| it.firing == 0);
    for rule in &mut view.rules {
        rule.last_evaluated_at = Some(ago(360));
    }
    view
}

/// Rules right after the start.
pub(crate) fn unevaluated() -> AlertsView {
    let new = |name: &str| RuleView {
        health: RuleHealth::Unknown,
        last_evaluated_at: None,
        tone: Tone::Unknown,
        ..rule(name, "services")
    };
    view(vec![new("A"), new("B")])
}

/// One rule with more alerts than are listed, and many rules.
pub(crate) fn many() -> AlertsView {
    let alerts = (0..100).map(|_| alert("Flood", AlertState::Firing, 300)).collect();
    let flood = RuleView { alerts, firing: 5_000, tone: Tone::Down, ..rule("Flood", "services") };
    let rules = (0..1_000).map(|index| rule(&format!("Rule{index}"), &format!("group-{}", index / 50)));
    view([flood].into_iter().chain(rules).collect())
}

pub(crate) fn hostile() -> AlertsView {
    let text = || HOSTILE.to_owned();
    let both = || {
        BTreeMap::from([(text(), text()), ("summary".to_owned(), text()), ("severity".to_owned(), text())])
    };
    let alert = |state| Alert {
        id: text(),
        fingerprint: text(),
        rule: text(),
        labels: both(),
        annotations: both(),
        generator_url: String::new(),
        value: f64::NAN,
        active_at: Timestamp(i64::MIN),
        fired_at: Some(Timestamp(i64::MAX)),
        keep_firing_since: Some(Timestamp(i64::MAX)),
        no_data_since: Some(Timestamp(i64::MIN)),
        ..alert("x", state, 100)
    };
    let rule = |health, state| RuleView {
        group: text(),
        file: text(),
        expr: text(),
        for_s: f64::INFINITY,
        keep_firing_for_s: f64::NAN,
        labels: both(),
        annotations: both(),
        health,
        last_error: Some(text()),
        last_evaluated_at: Some(Timestamp(i64::MAX)),
        evaluation_s: f64::NEG_INFINITY,
        alerts: vec![alert(state)],
        pending: u64::from(state == AlertState::Pending),
        firing: u64::from(state == AlertState::Firing),
        ..rule(HOSTILE, HOSTILE)
    };
    AlertsView {
        load_faults: vec![text()],
        query_url: Some(text()),
        ..view(vec![
            rule(RuleHealth::Ok, AlertState::Firing),
            rule(RuleHealth::Error, AlertState::Pending),
            rule(RuleHealth::NoData, AlertState::Resolved),
        ])
    }
}

pub(crate) fn pictures() -> [(&'static str, AlertsView); 7] {
    [
        ("alerts", incident()),
        ("alerts-calm", calm()),
        ("alerts-unhealthy", unhealthy()),
        ("alerts-stale", stale()),
        ("alerts-empty", view(vec![])),
        ("alerts-many", many()),
        ("alerts-hostile", hostile()),
    ]
}

fn series(index: usize) -> ExploreRow {
    let end = NOW.as_seconds();
    // A hole in the middle: nothing is to be drawn over it.
    let steps = (0..=240).rev().filter(|step| !(100..120).contains(step));
    let points: Vec<_> = steps
        .map(|step| {
            (end - f64::from(step) * 15.0, (f64::from(step) / 9.0 + index as f64).sin() * 2.0 + index as f64)
        })
        .collect();
    let value = (index != 2).then(|| "1.5".to_owned());
    ExploreRow { series: format!("queue_depth{{queue=\"q{index}\"}}"), value, points }
}

/// An answer of `count` series, three of which are never left out.
pub(crate) fn answer(count: usize) -> ExploreView {
    ExploreView {
        expr: "queue_depth > 0".into(),
        range_s: 3_600,
        rows: (0..count.min(200)).map(series).collect(),
        total: count as u64,
        took_ms: 1.234_5,
        metrics: vec!["queue_depth".into(), "up".into()],
        at: NOW,
        ..ExploreView::default()
    }
}

pub(crate) fn failed() -> ExploreView {
    ExploreView {
        expr: "rate(up)".into(),
        error: Some("rate needs a range, such as up[5m]".into()),
        warnings: vec!["metric might not be a counter: queue_depth".into()],
        rows: vec![],
        ..answer(0)
    }
}

pub(crate) fn unasked() -> ExploreView {
    ExploreView { expr: String::new(), range_s: 0, ..answer(0) }
}

pub(crate) fn hostile_answer() -> ExploreView {
    let points =
        vec![(f64::NAN, 1.0), (NOW.as_seconds(), f64::MAX), (f64::INFINITY, f64::MIN), (-1e300, f64::NAN)];
    let row = ExploreRow { series: HOSTILE.into(), value: Some(HOSTILE.into()), points };
    ExploreView {
        expr: HOSTILE.into(),
        range_s: u64::MAX,
        error: None,
        warnings: vec![HOSTILE.into()],
        rows: vec![row.clone(), row],
        total: u64::MAX,
        took_ms: f64::NAN,
        metrics: vec![HOSTILE.into()],
        at: NOW,
    }
}

pub(crate) fn explorations() -> [(&'static str, ExploreView); 6] {
    [
        ("explore", answer(4)),
        ("explore-many", answer(450)),
        ("explore-failed", failed()),
        ("explore-unasked", unasked()),
        ("explore-nothing", ExploreView { warnings: vec![], ..answer(0) }),
        ("explore-hostile", hostile_answer()),
    ]
}
