use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use ops_contract::Page;
use serde::de::DeserializeOwned;

use super::error::ApiError;

const USUAL: u32 = 50;
const MOST: u32 = 200;

/// Query parameters; what does not fit is told.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(params) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
        Ok(Self(params))
    }
}

/// A path whose parts fit; what does not is nowhere to be found.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let axum::extract::Path(path) = axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| ApiError::NotFound(rejection.body_text()))?;
        Ok(Self(path))
    }
}

/// Which part of a list.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Window {
    /// The `next` of the page before.
    pub(super) before: Option<String>,
    /// How many at most; 50 unless told, 200 at most.
    pub(super) limit: Option<u32>,
}

impl Window {
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }
}

/// A page of `items`, of which one more than `limit` was read to see whether more follow.
pub(super) fn page<T>(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> String) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(key);
    Page { items, next }
}
