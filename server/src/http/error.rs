//! What a request can end in, and the one place that maps it to an answer.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ops_contract::Problem;

pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// Why a request was not done. The text is for who asked: what was wrong and how to mend it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("send a token as `Authorization: Bearer …`, or sign in at /login")]
    Unauthorized,
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    NotFound(String),
    #[error("this address does not take this method")]
    MethodNotAllowed,
    #[error("{0}")]
    Conflict(String),
    #[error("nobody reads this log any more")]
    Gone,
    #[error("the body is longer than is taken here")]
    TooLarge,
    #[error("send the body as application/json")]
    NotJson,
    #[error("{0}")]
    Unprocessable(String),
    #[error("too many wrong tries from this address; wait {} s", .0.as_secs() + 1)]
    TooMany(Duration),
    #[error("{0}")]
    Unavailable(String),
    #[error("the answer took too long")]
    Deadline,
    #[error("{0}")]
    NotInTime(String),
    #[error("something went wrong inside the server; its log has it under the request id")]
    Internal(#[source] anyhow::Error),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Gone => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) | Self::Deadline => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotInTime(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => {
                tracing::warn!(%error, "the store cannot be reached");
                Self::Unavailable("the store cannot be reached; try again later".to_owned())
            }
            sqlx::Error::Database(error) if error.code().is_some_and(|code| passes(&code)) => {
                tracing::warn!(%error, "the store cannot serve now");
                Self::Unavailable("the store cannot serve now; try again later".to_owned())
            }
            other => Self::Internal(other.into()),
        }
    }
}

/// Whether a store's fault is one that passes: SQLite busy, locked, full, unreadable or not to be opened (extended codes
/// carry these in their low byte); PostgreSQL short of something, shutting down or starting, or a lost connection.
fn passes(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(sqlite) if code.len() < 5 => matches!(sqlite & 0xff, 5 | 6 | 10 | 13 | 14),
        _ => ["53", "57P0", "08"].iter().any(|class| code.starts_with(class)),
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

/// The answer carries the [`Problem`] as an extension; `shell` writes it as JSON or as a page.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Internal(error) = &self {
            tracing::error!(error = format!("{error:#}"), "request failed");
        }
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            request_id: None,
        };
        let mut response = status.into_response();
        match self {
            Self::Unauthorized => {
                response.headers_mut().insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"insightdesk\""),
                );
            }
            Self::TooMany(wait) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            }
            _ => {}
        }
        response.extensions_mut().insert(problem);
        response
    }
}
