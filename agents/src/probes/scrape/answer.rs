use std::io::Read;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use ops_samples::exposition::Format;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, StatusCode, Url};

/// Longest answer, packed and unpacked.
const MAX_BYTES: usize = 64 << 20;

/// Why a target gave no answer that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// It has no such path.
    #[error("answers 404")]
    NotFound,
    #[error("answers {0}")]
    Status(StatusCode),
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("it cannot be reached")]
    Unreachable,
    #[error("the answer is longer than 64 MiB")]
    TooLong,
    #[error("the answer cannot be unpacked")]
    Packed,
    #[error("{0}")]
    Content(String),
}

/// Keeps one connection to each target; follows no redirects, for they would ask somebody else.
pub(super) fn client() -> anyhow::Result<Client> {
    Ok(Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(1)
        .user_agent(concat!("insightdesk-agent/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

/// Asks, and puts the answer into `body`. `packed` is room for it before it is unpacked.
pub(super) async fn ask(
    client: &Client,
    url: Url,
    timeout: Duration,
    body: &mut Vec<u8>,
    packed: &mut Vec<u8>,
) -> Result<Format, Failure> {
    body.clear();
    tokio::time::timeout(timeout, get(client, url, timeout, body, packed))
        .await
        .unwrap_or(Err(Failure::TimedOut(timeout)))
}

async fn get(
    client: &Client,
    url: Url,
    timeout: Duration,
    body: &mut Vec<u8>,
    packed: &mut Vec<u8>,
) -> Result<Format, Failure> {
    let request = || {
        client
            .get(url.clone())
            .header(ACCEPT, Format::ACCEPT)
            .header(ACCEPT_ENCODING, "gzip")
            .header("x-prometheus-scrape-timeout-seconds", timeout.as_secs_f64().to_string())
    };
    let mut response = match request().send().await {
        // The target may have closed the connection that was kept, at this very moment.
        Err(error) if !error.is_connect() => request().send().await,
        other => other,
    }
    .map_err(|_| Failure::Unreachable)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err(Failure::NotFound),
        other => return Err(Failure::Status(other)),
    }
    let header = |name| response.headers().get(name).and_then(|it| it.to_str().ok());
    let format = Format::of(header(CONTENT_TYPE));
    let gzip = header(CONTENT_ENCODING).is_some_and(|it| it.eq_ignore_ascii_case("gzip"));
    let room = if gzip { &mut *packed } else { &mut *body };
    room.clear();
    while let Some(chunk) = response.chunk().await.map_err(|_| Failure::Unreachable)? {
        if room.len() + chunk.len() > MAX_BYTES {
            return Err(Failure::TooLong);
        }
        room.extend_from_slice(&chunk);
    }
    if gzip {
        let mut plain = MultiGzDecoder::new(packed.as_slice()).take(MAX_BYTES as u64 + 1);
        plain.read_to_end(body).map_err(|_| Failure::Packed)?;
        if body.len() > MAX_BYTES {
            return Err(Failure::TooLong);
        }
    }
    Ok(format)
}
