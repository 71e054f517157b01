use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use ops_contract::Timestamp;
use serde_json::{Value, json};

use super::asked::Asked;
use super::shapes::time;
use crate::http::caller::Reader;
use crate::http::error::{ApiError, ApiResult};
use crate::{App, clock};

/// The version of Alertmanager whose interface this is.
const VERSION: &str = "0.34.0";

/// Since when these addresses are served.
pub(super) static STARTED: LazyLock<Timestamp> = LazyLock::new(clock::now);

pub(super) async fn status(_: Reader, State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {"version": VERSION, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""},
        "config": {"original": app.paging.config().routing.public.to_string()},
        "uptime": time(*STARTED),
    }))
}

pub(super) async fn receivers(_: Reader, State(app): State<Arc<App>>, asked: Asked) -> Json<Vec<Value>> {
    let config = app.paging.config();
    let wanted = config.routing.receivers.iter().filter(|it| asked.wants_receiver(&it.name, &config.routing));
    Json(wanted.map(|it| json!({"name": it.name, "labels": it.labels})).collect())
}

pub(super) async fn healthy() -> &'static str {
    "OK"
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> ApiResult<&'static str> {
    match app.store_fault() {
        None => Ok("OK"),
        Some(_) => Err(ApiError::Unavailable("the store cannot be used".to_owned())),
    }
}
