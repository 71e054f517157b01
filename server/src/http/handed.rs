//! An answer with values of secrets, which says when it was given to the connection whole.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::error::{ApiError, ApiResult};
use crate::secrets::Handed;

/// Bytes of one piece: what a connection cannot take stays with us, so that nobody counts it as sent.
const PIECE: usize = 16 * 1024;

/// The values as JSON, in pieces; without a length, so that the connection asks for what comes after the last one.
pub(super) fn answer(handed: Handed) -> ApiResult<Response> {
    let bytes = serde_json::to_vec(&handed.values).map_err(|error| ApiError::Internal(error.into()))?;
    let pieces = stream::unfold(Some((Bytes::from(bytes), handed.ticket)), |rest| async {
        let (mut bytes, ticket) = rest?;
        if bytes.is_empty() {
            ticket.sent();
            return None;
        }
        let piece = bytes.split_to(bytes.len().min(PIECE));
        Some((Ok::<_, Infallible>(piece), Some((bytes, ticket))))
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
