//! Silences: what is muted, until when, by whom; and a guard against one that mutes all there is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use ops_alerts::routing::{
    LivingAlert, SilenceError, SilenceState, check_silence, parse_matcher, silence_state, would_mute,
};
use ops_contract::{
    Alert, AlertState, ChangeKind, MakeSilence, Page, Silence, SilenceStanding, SilenceView, Timestamp,
};
use sqlx::AnyConnection;

use super::body::Body;
use super::caller::{Doer, Viewer};
use super::error::{ApiError, ApiResult};
use super::incidents::read_key;
use super::paging::{At, Params, Window, page};
use crate::store::inbox::{self, Input};
use crate::{App, clock, store};

/// From so many firing alerts on, muting all of them must be confirmed.
const MANY: usize = 5;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/silences", get(list).post(make)).route("/silences/{id}", get(one).delete(expire))
}

/// Why a silence is not made or changed.
pub(super) enum Refused {
    Wrong(SilenceError),
    Unknown(String),
    Store(sqlx::Error),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

/// Which silences.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those too that are over.
    #[serde(default)]
    expired: bool,
}

/// Silences; those that end last come first.
#[utoipa::path(get, path = "/api/silences", params(Window, Which), responses((status = 200, body = Page<SilenceView>)))]
pub(super) async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(which): Params<Which>,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<SilenceView>>> {
    let (now, limit) = (clock::now(), window.limit());
    let before = window.before.as_deref().map(read_key).transpose()?;
    let since = if which.expired { Timestamp(i64::MIN) } else { now };
    let firing = firing(&app).await?;
    let mut db = app.store.connection().await?;
    let found = store::silences::page(&mut db, since, before, limit + 1).await?;
    let shown = found.into_iter().map(|it| view(it, &firing, now)).collect();
    Ok(Json(page(shown, limit, |it: &SilenceView| format!("{}-{}", it.silence.ends_at.0, it.silence.id))))
}

/// One silence.
#[utoipa::path(get, path = "/api/silences/{id}", params(("id" = String, Path)),
    responses((status = 200, body = SilenceView), (status = 404)))]
pub(super) async fn one(
    _: Viewer,
    State(app): State<Arc<App>>,
    At(id): At<String>,
) -> ApiResult<Json<SilenceView>> {
    let found = store::silences::get(&mut *app.store.connection().await?, &id).await?;
    let found = found.ok_or_else(|| unknown(&id))?;
    Ok(Json(view(found, &firing(&app).await?, clock::now())))
}

/// Mutes alerts for a while. What would mute every firing alert must be confirmed.
#[utoipa::path(post, path = "/api/silences", request_body = MakeSilence,
    responses((status = 201, body = SilenceView), (status = 409), (status = 422)))]
pub(super) async fn make(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    Body(request): Body<MakeSilence>,
) -> ApiResult<(StatusCode, Json<SilenceView>)> {
    let now = clock::now();
    if request.comment.trim().is_empty() {
        return Err(ApiError::Unprocessable("say in comment why this is muted".to_owned()));
    }
    let matchers = request.matchers.iter().map(|it| parse_matcher(it)).collect::<Result<_, _>>();
    let silence = Silence {
        id: String::new(),
        matchers: matchers.map_err(|error| ApiError::Unprocessable(error.to_string()))?,
        starts_at: request.starts_at.unwrap_or(now).max(now),
        ends_at: request.ends_at,
        updated_at: now,
        created_by: operator.name,
        comment: request.comment,
        annotations: Default::default(),
    };
    check_silence(&silence, now).map_err(|error| ApiError::Unprocessable(error.to_string()))?;
    let firing = firing(&app).await?;
    // What fires on purpose counts for nothing: with the watchdog no silence would ever mute all.
    let real: Vec<Alert> =
        firing.iter().filter(|it| it.labels.get("severity").is_none_or(|it| it != "none")).cloned().collect();
    let muted = mutes(&silence, &real);
    if muted == real.len() && muted >= MANY && !request.confirm {
        return Err(ApiError::Conflict(format!(
            "this would mute all {muted} alerts that fire; name fewer, or confirm it (`confirm: true`, `--yes`)"
        )));
    }
    match put(&app, silence, now).await {
        Ok(silence) => Ok((StatusCode::CREATED, Json(view(silence, &firing, now)))),
        Err(Refused::Wrong(error)) => Err(ApiError::Unprocessable(error.to_string())),
        Err(Refused::Unknown(id)) => Err(unknown(&id)),
        Err(Refused::Store(error)) => Err(error.into()),
    }
}

/// Ends a silence now; one that is over stays as it is.
#[utoipa::path(delete, path = "/api/silences/{id}", params(("id" = String, Path)),
    responses((status = 200, body = SilenceView), (status = 404)))]
pub(super) async fn expire(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    At(id): At<String>,
) -> ApiResult<Json<SilenceView>> {
    let now = clock::now();
    let ended = end(&app, &id, &operator.name, now).await?.ok_or_else(|| unknown(&id))?;
    Ok(Json(view(ended, &firing(&app).await?, now)))
}

/// Makes a silence, or changes the one with its id. One whose meaning changes is ended, and a new one made.
pub(super) async fn put(app: &App, mut silence: Silence, now: Timestamp) -> Result<Silence, Refused> {
    check_silence(&silence, now).map_err(Refused::Wrong)?;
    let mut db = app.store.begin().await?;
    let known = store::silences::get(&mut db, &silence.id).await?;
    if known.is_none() && !silence.id.is_empty() {
        return Err(Refused::Unknown(silence.id));
    }
    if let Some(known) = known.filter(|it| !may_change(it, &silence, now)) {
        if silence_state(&known, now) != SilenceState::Expired {
            store(&mut db, &ended(known, now)).await?;
        }
        silence.id = String::new();
    }
    if silence.id.is_empty() {
        silence.id = uuid::Uuid::new_v4().to_string();
        silence.starts_at = silence.starts_at.max(now);
    }
    store(&mut db, &silence).await?;
    let what = if silence.starts_at > now { "will be silenced" } else { "is silenced" };
    let comment: String = silence.comment.chars().take(200).collect();
    let summary = format!("{} {what} until {}: {comment}", silence.words(), minute(silence.ends_at));
    note(app, db, &silence, &silence.created_by, summary).await?;
    Ok(silence)
}

/// Ends a silence; `None`: there is none with this id.
pub(super) async fn end(
    app: &App,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<Option<Silence>, sqlx::Error> {
    let mut db = app.store.begin().await?;
    let Some(known) = store::silences::get(&mut db, id).await? else { return Ok(None) };
    if silence_state(&known, now) == SilenceState::Expired {
        return Ok(Some(known));
    }
    let known = ended(known, now);
    store(&mut db, &known).await?;
    note(app, db, &known, by, format!("the silence of {} was ended", known.words())).await?;
    Ok(Some(known))
}

/// A moment as people read it.
fn minute(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Commits it with what people read of it among the changes.
async fn note(
    app: &App,
    mut db: sqlx::Transaction<'static, sqlx::Any>,
    silence: &Silence,
    by: &str,
    summary: String,
) -> Result<(), sqlx::Error> {
    let change = store::changes::new(ChangeKind::Response, &silence.id, by, summary, clock::now());
    store::changes::insert(&mut db, &change).await?;
    db.commit().await?;
    app.remember(&[change]);
    app.alerting.wake.activate();
    Ok(())
}

async fn store(db: &mut AnyConnection, silence: &Silence) -> Result<(), sqlx::Error> {
    store::silences::upsert(db, silence).await?;
    inbox::put(db, &Input::Silence { id: silence.id.clone() }).await
}

/// A silence that ends now; one that has not begun never does.
fn ended(silence: Silence, now: Timestamp) -> Silence {
    Silence { starts_at: silence.starts_at.min(now), ends_at: now, updated_at: now, ..silence }
}

/// Whether a silence stays the same one, as Alertmanager judges it.
fn may_change(known: &Silence, new: &Silence, now: Timestamp) -> bool {
    let second = |at: Timestamp| at.0.div_euclid(1_000_000);
    known.matchers == new.matchers
        && match silence_state(known, now) {
            SilenceState::Active => second(known.starts_at) == second(new.starts_at),
            SilenceState::Pending => new.starts_at >= now,
            SilenceState::Expired => false,
        }
}

async fn firing(app: &App) -> Result<Vec<Alert>, sqlx::Error> {
    let known =
        app.paging.dispatcher.lock().await.as_ref().map(|it| it.alerts().cloned().collect::<Vec<_>>());
    let mut alerts = match known {
        Some(alerts) => alerts,
        None => store::alerts::told_or_firing(&mut *app.store.connection().await?).await?,
    };
    alerts.retain(|it| it.state == AlertState::Firing);
    Ok(alerts)
}

/// How many of the firing alerts it mutes.
fn mutes(silence: &Silence, firing: &[Alert]) -> usize {
    let living: Vec<LivingAlert<'_>> = firing
        .iter()
        .map(|it| LivingAlert { id: &it.id, labels: &it.labels, firing: true, active_at: it.active_at })
        .collect();
    would_mute(silence, &living).unwrap_or_default()
}

fn view(silence: Silence, firing: &[Alert], now: Timestamp) -> SilenceView {
    let (state, mutes_now) = match silence_state(&silence, now) {
        SilenceState::Pending => (SilenceStanding::Pending, 0),
        SilenceState::Active => (SilenceStanding::Active, mutes(&silence, firing)),
        SilenceState::Expired => (SilenceStanding::Expired, 0),
    };
    SilenceView { silence, state, mutes_now: u64::try_from(mutes_now).unwrap_or(u64::MAX) }
}

fn unknown(id: &str) -> ApiError {
    let id: String = id.chars().take(60).collect();
    ApiError::NotFound(format!("there is no silence {id}"))
}
