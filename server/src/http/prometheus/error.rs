use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ops_promql::EvalError;

use super::json;

/// What a question can end in, in Prometheus' terms. The text is for who asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    BadData(String),
    Execution(String),
    Timeout(String),
    Internal(String),
}

impl Fault {
    /// A parameter that cannot be taken.
    pub(super) fn parameter(name: &str, reason: impl std::fmt::Display) -> Self {
        Self::BadData(format!("invalid parameter \"{name}\": {reason}"))
    }

    fn parts(&self) -> (StatusCode, &'static str, &str) {
        match self {
            Self::BadData(text) => (StatusCode::BAD_REQUEST, "bad_data", text),
            Self::Execution(text) => (StatusCode::UNPROCESSABLE_ENTITY, "execution", text),
            Self::Timeout(text) => (StatusCode::SERVICE_UNAVAILABLE, "timeout", text),
            Self::Internal(text) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", text),
        }
    }
}

impl From<EvalError> for Fault {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::Execution(reason) | EvalError::Limit(reason) => Self::Execution(reason),
            EvalError::Timeout => Self::Timeout("query timed out in expression evaluation".to_owned()),
            EvalError::Select(ops_series::SelectError::Io { file, source }) => {
                tracing::error!(file, error = %source, "series cannot be read");
                Self::Internal("the samples cannot be read; the server's log says why".to_owned())
            }
            EvalError::Select(error) => Self::Execution(error.to_string()),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, kind, text) = self.parts();
        let mut out = String::with_capacity(64 + text.len());
        out.push_str("{\"status\":\"error\",\"errorType\":\"");
        out.push_str(kind);
        out.push_str("\",\"error\":");
        json::text(&mut out, text);
        out.push('}');
        let json = HeaderValue::from_static("application/json");
        (status, [(header::CONTENT_TYPE, json)], out).into_response()
    }
}
