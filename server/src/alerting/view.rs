//! What `/alerts`, `/api/alerts` and the command line show.

use ops_contract::{AlertsView, RuleHealth, RuleView};

use crate::{App, clock};

/// All rules and alerts, from memory alone.
pub(crate) fn view(app: &App) -> AlertsView {
    let alerting = &app.alerting;
    let mut rules = alerting.rules();
    // Stable: within a rank they stay in the order of their files.
    rules.sort_by_key(rank);
    AlertsView {
        firing: rules.iter().map(|it| it.firing).sum(),
        pending: rules.iter().map(|it| it.pending).sum(),
        unhealthy: rules.iter().map(|it| u64::from(is_unhealthy(it))).sum(),
        rules,
        load_faults: alerting.faults().clone(),
        query_url: app.stack.alerts.query_url.clone(),
        at: clock::now(),
    }
}

fn rank(rule: &RuleView) -> u8 {
    match rule {
        _ if rule.firing > 0 => 0,
        _ if is_unhealthy(rule) => 1,
        _ if rule.pending > 0 => 2,
        _ => 3,
    }
}

fn is_unhealthy(rule: &RuleView) -> bool {
    matches!(rule.health, RuleHealth::NoData | RuleHealth::Error)
}
