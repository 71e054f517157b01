//! Signing in, and staying signed in.

use std::sync::Arc;

use anyhow::Context;
use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ops_program::tokens::Role;
use serde::Serialize;
use uuid::Uuid;

use super::body::Body;
use super::problem::Problem;
use crate::app::{App, PASSWORD_QUEUE};
use crate::store::users::{self, User};

/// Verified when there is no such user, so that an answer takes as long as for one who exists.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9fVnN1a5J1yX9b2mYp1R9wq0o4rYc1o4i0y2m2pYb0A";

/// Two tokens and who holds them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    access_token: String,
    refresh_token: String,
    /// Seconds until the access token expires.
    expires_in: u64,
    user: Person,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    id: Uuid,
    organisation_id: Uuid,
    name: String,
    role: Role,
}

/// `POST /v1/auth/sign-in`
pub(crate) async fn sign_in(State(app): State<Arc<App>>, mut body: Body) -> Result<Json<Session>, Problem> {
    let (email, password) = (body.line("email", 320), body.text("password", 1024));
    body.check()?;
    let user = users::by_email(&app.primary, email.trim()).await?;
    let hash = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
    let verified = verify(&app, hash, password).await?;
    match user.filter(|_| verified) {
        Some(user) => session(&app, user),
        None => Err(Problem::unauthorized("the address or the password is wrong")),
    }
}

/// `POST /v1/auth/refresh`
pub(crate) async fn refresh(State(app): State<Arc<App>>, mut body: Body) -> Result<Json<Session>, Problem> {
    let token = body.text("refreshToken", 4096);
    body.check()?;
    let wrong = || Problem::unauthorized("the token is not valid, or not any more");
    let claims = app.refresh.verify(&token).map_err(|_| wrong())?;
    // The role may have changed, and the user may be gone.
    let user = users::by_id(&app.primary, claims.sub).await?.ok_or_else(wrong)?;
    session(&app, user)
}

async fn verify(app: &App, hash: String, password: String) -> Result<bool, Problem> {
    let turn = tokio::time::timeout(PASSWORD_QUEUE, app.password_checks.clone().acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many people sign in at once"));
    };
    let check = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    });
    Ok(check.await.context("the password check failed")?)
}

fn session(app: &App, user: User) -> Result<Json<Session>, Problem> {
    let role = match user.role.as_str() {
        "admin" => Role::Admin,
        "agent" => Role::Agent,
        _ => Role::Customer,
    };
    let session = Session {
        access_token: app.access.issue(user.id, user.organisation_id, role)?,
        refresh_token: app.refresh.issue(user.id, user.organisation_id, role)?,
        expires_in: app.access.lifetime().as_secs(),
        user: Person { id: user.id, organisation_id: user.organisation_id, name: user.name, role },
    };
    Ok(Json(session))
}
