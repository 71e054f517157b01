use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use ops_contract::{ChangeKind, ManualScale, ServiceName, ServiceSpec, ServiceView, Timestamp};

use super::body::Body;
use super::caller::Doer;
use super::error::{ApiError, ApiResult};
use super::paging::At;
use super::services::{reason, replan, spec, unknown};
use crate::{App, clock, store};

/// An operator's number counts for an hour where the service would decide otherwise, and for 30 days at most.
const MANUAL_FOR_S: f64 = 3_600.0;
const MANUAL_MOST_S: f64 = 30.0 * 86_400.0;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/services/{name}/scale", post(scale))
}

/// How many replicas are wanted, and why.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Scale {
    /// How many, within the service's bounds; absent with `auto`.
    replicas: Option<u16>,
    /// For a service that scales by itself: for how many seconds the number counts (an hour if absent, 30 days at most).
    for_s: Option<f64>,
    /// For a service that scales by itself: withdraws the number, so that it decides again.
    #[serde(default)]
    auto: bool,
    /// Why, for the timeline.
    reason: Option<String>,
}

/// Sets how many replicas are wanted. For a service that scales by itself the number counts for a while, and `auto`
/// withdraws it.
#[utoipa::path(post, path = "/api/services/{name}/scale", params(("name" = String, Path)), request_body = Scale,
    responses((status = 202, body = ServiceView), (status = 404), (status = 422)))]
pub(super) async fn scale(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    At(name): At<ServiceName>,
    Body(wanted): Body<Scale>,
) -> ApiResult<(axum::http::StatusCode, Json<ServiceView>)> {
    let spec = spec(&app, &name)?;
    let reason = reason(wanted.reason.clone())?;
    let now = clock::now();
    let wish = wish(&wanted, &name, spec, &operator.name, &reason, now)?;
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let summary = match &wish {
        Scaling::Number(replicas) => format!("{replicas} replicas of {name} are wanted{because}"),
        Scaling::Manual(manual) => {
            let until = manual.until.map_or(0.0, |until| until.since(now).as_secs_f64());
            format!("{} replicas of {name} are wanted for {:.0} min{because}", manual.replicas, until / 60.0)
        }
        Scaling::Auto => format!("the autoscaler decides on {name} again{because}"),
    };
    let change =
        store::changes::new(ChangeKind::Scale, name.to_string(), operator.name.clone(), summary, now);
    let mut db = app.store.begin().await?;
    match &wish {
        Scaling::Number(replicas) => {
            store::services::set_desired(&mut db, &name, *replicas, &operator.name, now).await?;
            store::rolling::remove_from(&mut db, &name, *replicas).await?;
        }
        Scaling::Manual(manual) => {
            store::scaling::set_manual(&mut db, &name, manual).await?;
            store::services::set_desired(&mut db, &name, manual.replicas, &operator.name, now).await?;
        }
        Scaling::Auto => {
            store::scaling::remove_manual(&mut db, &name).await?;
        }
    }
    store::changes::insert(&mut db, &change).await?;
    db.commit().await?;
    app.remember(&[change]);
    app.scale.activate();
    replan(&app).await;
    let view = app.now_view().services.into_iter().find(|service| service.name == name);
    let view = view.ok_or_else(|| unknown(&app, &name))?;
    Ok((axum::http::StatusCode::ACCEPTED, Json(view)))
}

/// What an operator wants of a service's number of replicas.
enum Scaling {
    Number(u16),
    Manual(ManualScale),
    Auto,
}

fn wish(
    wanted: &Scale,
    name: &ServiceName,
    spec: &ServiceSpec,
    by: &str,
    reason: &str,
    now: Timestamp,
) -> ApiResult<Scaling> {
    let refuse = |words: String| Err(ApiError::Unprocessable(words));
    let follows = spec.scale.is_some();
    if !follows && (wanted.auto || wanted.for_s.is_some()) {
        return refuse(format!("{name} does not scale by itself: `for_s` and `auto` mean nothing for it"));
    }
    let replicas = match (wanted.auto, wanted.replicas) {
        (true, None) => return Ok(Scaling::Auto),
        (true, Some(_)) => return refuse("give `replicas` or `auto`, not both".to_owned()),
        (false, None) => return refuse("`replicas` is missing".to_owned()),
        (false, Some(replicas)) => replicas,
    };
    let bounds = spec.replicas;
    if !(bounds.min..=bounds.max).contains(&replicas) {
        return refuse(format!(
            "{name} may have {} to {} replicas, not {replicas}; the stack file sets the bounds",
            bounds.min, bounds.max
        ));
    }
    if !follows {
        return Ok(Scaling::Number(replicas));
    }
    let for_s = wanted.for_s.unwrap_or(MANUAL_FOR_S);
    if !(1.0..=MANUAL_MOST_S).contains(&for_s) {
        return refuse(format!("`for_s` is from 1 to {MANUAL_MOST_S} seconds, not {for_s}"));
    }
    let until = Some(now + Duration::from_secs_f64(for_s));
    Ok(Scaling::Manual(ManualScale { replicas, until, by: by.to_owned(), reason: reason.to_owned() }))
}
