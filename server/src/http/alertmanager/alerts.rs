use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::asked::Asked;
use super::fault::Fault;
use super::shapes::Firing;
use crate::App;
use crate::http::caller::Reader;

/// What fires, by fingerprint.
pub(super) async fn list(
    _: Reader,
    State(app): State<Arc<App>>,
    asked: Asked,
) -> Result<Json<Vec<Value>>, Fault> {
    let firing = Firing::read(&app).await?;
    let wanted = firing.alerts.iter().filter(|it| {
        asked.filter.matches(&it.labels)
            && firing
                .routing
                .routes(&it.labels)
                .iter()
                .any(|to| asked.wants_receiver(to.receiver, &firing.routing))
    });
    Ok(Json(wanted.filter_map(|it| firing.show(it, |flag| asked.wants(flag))).collect()))
}
