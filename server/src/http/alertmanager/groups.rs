use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ops_contract::Alert;
use serde_json::{Value, json};

use super::asked::Asked;
use super::fault::Fault;
use super::shapes::Firing;
use crate::App;
use crate::http::caller::Reader;

/// The labels of a group, and its alerts.
type Together<'a> = (&'a BTreeMap<String, String>, Vec<&'a Alert>);

/// What fires, as it is told together.
pub(super) async fn list(
    _: Reader,
    State(app): State<Arc<App>>,
    asked: Asked,
) -> Result<Json<Vec<Value>>, Fault> {
    let firing = Firing::read(&app).await?;
    let mut groups: BTreeMap<(&str, String), Together<'_>> = BTreeMap::new();
    let routed: Vec<_> = firing.alerts.iter().map(|it| (it, firing.routing.routes(&it.labels))).collect();
    for (alert, routes) in &routed {
        for to in routes.iter().filter(|to| asked.wants_receiver(to.receiver, &firing.routing)) {
            let key = (to.receiver, to.group_key.clone());
            groups.entry(key).or_insert_with(|| (&to.group_labels, Vec::new())).1.push(alert);
        }
    }
    let mut shown = Vec::new();
    for ((receiver, _), (labels, alerts)) in groups {
        let muted = |it: &&Alert| {
            let (silenced, inhibited, muted) = firing.suppressed_by(it);
            !silenced.is_empty() || !inhibited.is_empty() || !muted.is_empty()
        };
        if !asked.wants("muted") && alerts.iter().all(muted) {
            continue;
        }
        let wanted = alerts.iter().filter(|it| asked.filter.matches(&it.labels));
        let alerts: Vec<Value> = wanted.filter_map(|it| firing.show(it, |flag| asked.wants(flag))).collect();
        if !alerts.is_empty() {
            shown.push(json!({
                "labels": labels, "routeLabels": {}, "receiver": {"name": receiver}, "alerts": alerts,
            }));
        }
    }
    Ok(Json(shown))
}
