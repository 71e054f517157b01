//! Metrics that programs push as OpenTelemetry does: OTLP over HTTP, in protobuf or JSON, packed with gzip or not.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use flate2::read::GzDecoder;
use ops_samples::otlp::{Converter, Encoding};
use prost::Message;

use super::caller::Writer;
use super::error::ApiError;
use crate::series::Metric;
use crate::{App, clock};

/// Longest body as it arrives.
const PACKED: usize = 8 * 1024 * 1024;
/// Longest body when it is unpacked.
const UNPACKED: u64 = 32 * 1024 * 1024;
/// Most series whose deltas are summed up.
const DELTAS: usize = 100_000;

/// What turns exports into samples; it remembers the sums of deltas.
type Shared = Arc<Mutex<Converter>>;

pub(super) fn routes() -> Router<Arc<App>> {
    let converter: Shared = Arc::new(Mutex::new(Converter::new(DELTAS)));
    let routes = Router::new().route("/v1/metrics", post(take));
    routes.layer(Extension(converter)).layer(DefaultBodyLimit::max(PACKED))
}

/// The answer to an export that was taken, but for some of its points.
#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<Partial>,
}

#[derive(Clone, PartialEq, Message)]
struct Partial {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    message: String,
}

async fn take(
    _: Writer,
    State(app): State<Arc<App>>,
    Extension(converter): Extension<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let encoding = match text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim() {
        "application/json" => Encoding::Json,
        "application/x-protobuf" => Encoding::Protobuf,
        _ => return Ok((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send protobuf or JSON\n").into_response()),
    };
    let packed = match text(header::CONTENT_ENCODING) {
        "" | "identity" => false,
        "gzip" => true,
        _ => {
            return Ok((StatusCode::UNSUPPORTED_MEDIA_TYPE, "pack with gzip or not at all\n").into_response());
        }
    };
    let work = move || {
        let body = if packed { unpack(&body)? } else { body };
        store(&app, &converter, encoding, &body)
    };
    let partial = tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from)??;
    Ok(answer(encoding, partial))
}

fn unpack(body: &[u8]) -> Result<Bytes, ApiError> {
    let mut bytes = Vec::new();
    let read = GzDecoder::new(body).take(UNPACKED + 1).read_to_end(&mut bytes);
    read.map_err(|_| ApiError::BadRequest("the body is not packed with gzip".to_owned()))?;
    if bytes.len() as u64 > UNPACKED { Err(ApiError::TooLarge) } else { Ok(bytes.into()) }
}

fn store(
    app: &App,
    converter: &Shared,
    encoding: Encoding,
    body: &[u8],
) -> Result<Option<Partial>, ApiError> {
    let now_ms = clock::now().0 / 1_000;
    let converted = {
        let mut converter = converter.lock().unwrap_or_else(PoisonError::into_inner);
        converter.read(encoding, body, now_ms)
    };
    let converted = converted.map_err(|error| ApiError::BadRequest(error.to_string()))?;
    app.series.describe(
        converted
            .metadata
            .into_iter()
            .map(|it| (it.metric, Metric { kind: it.kind.to_owned(), help: it.help, unit: it.unit })),
    );
    let appended = app.series.append_labelled(&converted.samples);
    let rejected = converted.rejected + appended.refused();
    let reason =
        || "samples were too old, at a time that has another value, or of too many series".to_owned();
    Ok((rejected > 0).then(|| Partial {
        rejected: i64::try_from(rejected).unwrap_or(i64::MAX),
        message: converted.reason.unwrap_or_else(reason),
    }))
}

fn answer(encoding: Encoding, partial: Option<Partial>) -> Response {
    match encoding {
        Encoding::Protobuf => {
            let body = Answer { partial_success: partial }.encode_to_vec();
            ([(header::CONTENT_TYPE, "application/x-protobuf")], body).into_response()
        }
        Encoding::Json => {
            let body = partial.map_or_else(
                || serde_json::json!({}),
                |it| {
                    serde_json::json!({"partialSuccess":
                    {"rejectedDataPoints": it.rejected.to_string(), "errorMessage": it.message}})
                },
            );
            ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
    }
}
