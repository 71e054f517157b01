//! Who asks: the holder of the access token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use ops_program::tokens::{Claims, Role};
use uuid::Uuid;

use super::READ_AFTER;
use super::problem::Problem;
use crate::app::App;
use crate::store::reads::Position;
use crate::store::tickets::Scope;

/// Who asks, and what they have seen already.
pub(crate) struct Caller {
    pub(crate) user: Uuid,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
    /// The position that the client hands on.
    pub(crate) after: Option<Position>,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let header =
            parts.headers.get(header::AUTHORIZATION).ok_or_else(|| Problem::unauthorized("sign in first"))?;
        let token = header.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let claims = token.and_then(|token| app.access.verify(token.trim()).ok());
        let Claims { sub, org, role, .. } =
            claims.ok_or_else(|| Problem::unauthorized("the token is not valid, or not any more"))?;
        let requester = (role == Role::Customer).then_some(sub);
        let after = parts.headers.get(READ_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Self { user: sub, role, scope: Scope { organisation: org, requester }, after })
    }
}
