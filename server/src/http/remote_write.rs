//! Samples that other programs push: Prometheus remote write 1.0 and 2.0.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ops_samples::remote_write::{self, DecodeError, Request, Version};

use super::caller::Writer;
use super::error::ApiError;
use crate::App;
use crate::series::{Appended, Metric};

/// Longest body as it arrives.
const PACKED: usize = 8 * 1024 * 1024;
/// Longest body when it is unpacked.
const UNPACKED: usize = 32 * 1024 * 1024;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/prometheus/api/v1/write", post(write).layer(DefaultBodyLimit::max(PACKED)))
}

/// Takes a request; what is wrong with single samples is told and does not keep the others out.
async fn write(
    _: Writer,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    let kind = text(header::CONTENT_TYPE).unwrap_or(remote_write::CONTENT_TYPE_V1);
    let Some(version) = Version::of(kind) else {
        return Ok(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this content type is not taken here"));
    };
    if text(header::CONTENT_ENCODING).is_some_and(|it| !it.eq_ignore_ascii_case("snappy")) {
        return Ok(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "pack the body as a snappy block"));
    }
    let taken = tokio::task::spawn_blocking(move || take(&app, version, &body));
    match taken.await.map_err(anyhow::Error::from)? {
        Ok(outcome) => Ok(outcome.answer(version)),
        Err(error @ DecodeError::Long { .. }) => {
            Ok(refused(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string()))
        }
        Err(error) => Ok(refused(StatusCode::BAD_REQUEST, &error.to_string())),
    }
}

fn refused(status: StatusCode, text: &str) -> Response {
    (status, format!("{text}\n")).into_response()
}

/// What became of a request.
struct Outcome {
    appended: Appended,
    /// Samples whose series has no label set.
    nameless: usize,
    histograms: usize,
    fault: Option<String>,
}

fn take(app: &App, version: Version, body: &[u8]) -> Result<Outcome, DecodeError> {
    let Request { samples, metadata, histograms, refused, fault, .. } =
        remote_write::decode(version, body, UNPACKED)?;
    app.series.describe(
        metadata
            .into_iter()
            .map(|it| (it.metric, Metric { kind: it.kind.to_owned(), help: it.help, unit: it.unit })),
    );
    let appended = app.series.append_labelled(&samples);
    Ok(Outcome { appended, nameless: refused, histograms, fault })
}

impl Outcome {
    /// 204, or 400 with the reasons. Neither has the sender try again: what could be taken is taken.
    fn answer(&self, version: Version) -> Response {
        let reasons = self.reasons();
        let status = if reasons.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST };
        let mut response = if reasons.is_empty() {
            status.into_response()
        } else {
            let text =
                format!("partial write: {} samples were taken; {}", self.written(), reasons.join("; "));
            refused(status, &text)
        };
        if version == Version::V2 {
            let headers = response.headers_mut();
            headers.insert("x-prometheus-remote-write-samples-written", self.written().into());
            headers.insert("x-prometheus-remote-write-histograms-written", 0.into());
            headers.insert("x-prometheus-remote-write-exemplars-written", 0.into());
        }
        response
    }

    /// What is there now; a sample that was there before counts, for its sender may have tried before.
    fn written(&self) -> usize {
        self.appended.accepted + self.appended.repeated
    }

    fn reasons(&self) -> Vec<String> {
        let fault = self.fault.as_deref().unwrap_or("its labels are no label set");
        [
            (self.appended.too_old, "out of bounds or out of order: older than is taken"),
            (self.appended.duplicate, "duplicate sample for timestamp: another value is there"),
            (self.appended.too_many, "there are as many series as there may be"),
            (self.appended.unknown.len(), "their series was forgotten meanwhile"),
            (self.nameless, fault),
            (self.histograms, "native histograms are not kept"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{count} refused ({reason})"))
        .collect()
    }
}
