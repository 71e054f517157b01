use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use ops_contract::{Action, Exit, Page, ReplicaId, ServiceName, ServiceSpec, ServiceState, ServiceView};

use super::body::Body;
use super::caller::{Doer, Viewer};
use super::error::{ApiError, ApiResult};
use super::paging::{At, Params, Window, page};
use crate::store::rolling::Wish;
use crate::{App, clock, store};

/// Longest text that an operator may give as a reason.
const REASON: usize = 500;
/// Longest wait for the plan to take a wish up; it takes it up later otherwise.
const TAKEN_UP: Duration = Duration::from_secs(3);

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/services", get(list))
        .route("/services/{name}", get(one))
        .route("/services/{name}/restart", post(restart))
        .route("/services/{name}/replicas/{slot}/exits", get(exits))
}

/// Which slot to restart, and why.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Restart {
    /// One slot; absent: all, one after the other.
    slot: Option<u16>,
    /// Why, for the timeline.
    reason: Option<String>,
}

/// All services, users' first.
#[utoipa::path(get, path = "/api/services", responses((status = 200, body = Page<ServiceView>)))]
pub(super) async fn list(_: Viewer, State(app): State<Arc<App>>) -> Json<Page<ServiceView>> {
    Json(Page { items: app.now_view().services, next: None })
}

/// One service.
#[utoipa::path(get, path = "/api/services/{name}", params(("name" = String, Path)),
    responses((status = 200, body = ServiceView), (status = 404)))]
pub(super) async fn one(
    _: Viewer,
    State(app): State<Arc<App>>,
    At(name): At<ServiceName>,
) -> ApiResult<Json<ServiceView>> {
    let view = app.now_view().services.into_iter().find(|service| service.name == name);
    view.map(Json).ok_or_else(|| unknown(&app, &name))
}

/// How the generations of a replica ended, newest first, with their last lines.
#[utoipa::path(get, path = "/api/services/{name}/replicas/{slot}/exits",
    params(("name" = String, Path), ("slot" = u16, Path), Window), responses((status = 200, body = Page<Exit>)))]
pub(super) async fn exits(
    _: Viewer,
    State(app): State<Arc<App>>,
    At((name, slot)): At<(ServiceName, u16)>,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<Exit>>> {
    spec(&app, &name)?;
    let before = window.before.as_deref().map(str::parse).transpose();
    let before = before.map_err(|_| ApiError::BadRequest("`before` is not a generation".to_owned()))?;
    let replica = ReplicaId { service: name, slot };
    let mut db = app.store.connection().await?;
    // Each exit may carry 200 lines.
    let limit = window.limit().min(20);
    let items = store::exits::list(&mut db, &replica, before, limit + 1).await?;
    Ok(Json(page(items, limit, |exit| exit.generation.to_string())))
}

/// Restarts one slot, or all of them one after the other. Failures so far no longer count. Answers with what has been
/// begun.
#[utoipa::path(post, path = "/api/services/{name}/restart", params(("name" = String, Path)), request_body = Restart,
    responses((status = 202, body = Page<Action>), (status = 404), (status = 422)))]
pub(super) async fn restart(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    At(name): At<ServiceName>,
    Body(wanted): Body<Restart>,
) -> ApiResult<(axum::http::StatusCode, Json<Page<Action>>)> {
    let spec = spec(&app, &name)?;
    let reason = reason(wanted.reason)?;
    let slots = slots(&app, &name, spec, wanted.slot)?;
    let now = clock::now();
    let mut db = app.store.begin().await?;
    if store::meta::get(&mut db, store::meta::INTENT).await?.as_deref() == Some("stopped") {
        return Err(ApiError::Conflict("the stack is stopped; start it first".to_owned()));
    }
    for slot in &slots {
        store::slots::reset(&mut db, &name, *slot).await?;
        let wish = Wish {
            service: name.clone(),
            slot: *slot,
            patient: wanted.slot.is_none(),
            requested_by: operator.name.clone(),
            reason: reason.clone(),
        };
        store::rolling::insert(&mut db, &wish, now).await?;
    }
    db.commit().await?;
    replan(&app).await;
    let mut db = app.store.connection().await?;
    let mut items = store::actions::open(&mut db).await?;
    items.retain(|action| action.replica.service == name && slots.contains(&action.replica.slot));
    Ok((axum::http::StatusCode::ACCEPTED, Json(Page { items, next: None })))
}

/// Has a plan made and waits for it for a moment.
pub(super) async fn replan(app: &App) {
    let mut planned = app.planned.subscribe();
    // A plan may be under way that read the store before us; the one after it did not.
    let goal = *planned.borrow() + 1;
    app.plan.activate();
    let _ = tokio::time::timeout(TAKEN_UP, async {
        let _ = planned.wait_for(|count| *count >= goal).await;
        app.plan.activate();
        let _ = planned.wait_for(|count| *count > goal).await;
    })
    .await;
}

pub(super) fn spec<'a>(app: &'a App, name: &ServiceName) -> ApiResult<&'a ServiceSpec> {
    app.stack.services.get(name).ok_or_else(|| unknown(app, name))
}

/// The slots that hold the wanted replicas, or the one asked for if it is among them.
fn slots(app: &App, name: &ServiceName, spec: &ServiceSpec, slot: Option<u16>) -> ApiResult<Vec<u16>> {
    let desired = ops_engine::desired(name, spec, &app.desired());
    let state = app.state();
    let standing = state.services.get(name).map(|service| {
        let service = ServiceState { desired, ..service.clone() };
        ops_engine::wanted_replicas(&service).into_iter().map(|(slot, _)| slot).collect::<Vec<u16>>()
    });
    let all = standing.unwrap_or_else(|| (0..desired).collect());
    match slot {
        None => Ok(all),
        Some(slot) if all.contains(&slot) => Ok(vec![slot]),
        Some(slot) => {
            let known: Vec<String> = all.iter().map(u16::to_string).collect();
            Err(ApiError::NotFound(format!(
                "{name} has no slot {slot}: {desired} replicas are wanted, in slots {}",
                known.join(", ")
            )))
        }
    }
}

pub(super) fn unknown(app: &App, name: &ServiceName) -> ApiError {
    let known: Vec<&str> = app.stack.services.keys().map(ServiceName::as_str).collect();
    ApiError::NotFound(format!("the stack has no service {name}; it has {}", known.join(", ")))
}

pub(super) fn reason(reason: Option<String>) -> ApiResult<String> {
    let reason = reason.unwrap_or_default().trim().to_owned();
    if reason.len() > REASON {
        return Err(ApiError::Unprocessable(format!("a reason has at most {REASON} bytes")));
    }
    Ok(reason)
}
