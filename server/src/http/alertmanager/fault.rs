use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::BODY;
use crate::http::error::ApiError;

/// What a request can end in, as Alertmanager says it: a status and a JSON text.
pub(super) enum Fault {
    Bad(String),
    Unknown(String),
    Long,
    /// As everywhere else: the store cannot be reached, and the like.
    Other(ApiError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Self::Unknown(text) => (StatusCode::NOT_FOUND, text),
            Self::Long => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is longer than {} MiB; send fewer at a time", BODY >> 20),
            ),
            Self::Other(error) => return error.into_response(),
        };
        (status, Json(text)).into_response()
    }
}

/// The JSON body of a request.
pub(super) async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Fault> {
    let bytes = Bytes::from_request(request, &()).await.map_err(|rejection| {
        match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Fault::Long,
            _ => Fault::Bad("the body could not be read to its end".to_owned()),
        }
    })?;
    serde_json::from_slice(&bytes).map_err(|error| Fault::Bad(format!("the body does not fit: {error}")))
}
