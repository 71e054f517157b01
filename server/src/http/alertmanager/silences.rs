use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use ops_contract::{Matcher, Silence, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::Asked;
use super::fault::{Fault, body};
use super::shapes::{self, optional_time, order, state};
use crate::http::caller::{Reader, Sender};
use crate::http::paging::At;
use crate::http::silences as own;
use crate::{App, clock, store};

/// For so long silences are shown after their end, as in Alertmanager.
const KEPT: Duration = Duration::from_hours(120);
/// Most silences that are shown.
const MOST: u32 = 10_000;

/// A silence as it is sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    #[serde(default)]
    id: Option<String>,
    matchers: Vec<Matcher>,
    #[serde(default, deserialize_with = "optional_time")]
    starts_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_time")]
    ends_at: Option<Timestamp>,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

pub(super) async fn list(
    _: Reader,
    State(app): State<Arc<App>>,
    asked: Asked,
) -> Result<Json<Vec<Value>>, Fault> {
    let now = clock::now();
    let mut db = app.store.connection().await?;
    let mut found = store::silences::ending_after(&mut db, now - KEPT, MOST).await?;
    found.retain(|it| {
        let named = it.matchers.iter().map(|it| (it.name.clone(), it.value.clone())).collect();
        asked.wants(state(ops_alerts::routing::silence_state(it, now))) && asked.filter.matches(&named)
    });
    found.sort_by_key(|it| order(it, now));
    Ok(Json(found.iter().map(|it| shapes::silence(it, now)).collect()))
}

pub(super) async fn one(
    _: Reader,
    State(app): State<Arc<App>>,
    At(id): At<String>,
) -> Result<Json<Value>, Fault> {
    let mut db = app.store.connection().await?;
    let found = store::silences::get(&mut db, &id).await?.ok_or_else(|| unknown(&id))?;
    Ok(Json(shapes::silence(&found, clock::now())))
}

/// Makes one, or changes the one with its id.
pub(super) async fn post(
    Sender(operator): Sender,
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Fault> {
    let posted: Posted = body(request).await?;
    let now = clock::now();
    let by = if posted.created_by.trim().is_empty() { operator.name } else { posted.created_by };
    let silence = Silence {
        id: posted.id.unwrap_or_default(),
        matchers: posted.matchers,
        starts_at: posted.starts_at.unwrap_or(now),
        ends_at: posted.ends_at.ok_or_else(|| Fault::Bad("endsAt is missing".to_owned()))?,
        updated_at: now,
        created_by: by,
        comment: posted.comment,
        annotations: posted.annotations.unwrap_or_default(),
    };
    match own::put(&app, silence, now).await {
        Ok(silence) => Ok(Json(json!({"silenceID": silence.id}))),
        Err(own::Refused::Wrong(error)) => Err(Fault::Bad(error.to_string())),
        Err(own::Refused::Unknown(id)) => Err(unknown(&id)),
        Err(own::Refused::Store(error)) => Err(error.into()),
    }
}

pub(super) async fn expire(
    Sender(operator): Sender,
    State(app): State<Arc<App>>,
    At(id): At<String>,
) -> Result<StatusCode, Fault> {
    own::end(&app, &id, &operator.name, clock::now()).await?.ok_or_else(|| unknown(&id))?;
    Ok(StatusCode::OK)
}

fn unknown(id: &str) -> Fault {
    let id: String = id.chars().take(60).collect();
    Fault::Unknown(format!("there is no silence {id}"))
}
