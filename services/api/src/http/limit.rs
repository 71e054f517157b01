//! Requests per address: a fixed window in Valkey, shared by every replica. When Valkey is away everybody is admitted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use redis::aio::ConnectionManager;
use tracing::warn;

use crate::RateLimit;

/// How long a request waits for the count. Being exact is not worth being slow.
const DEADLINE: Duration = Duration::from_millis(100);

/// Counts requests per address.
pub(crate) struct Limit {
    valkey: ConnectionManager,
    rate: RateLimit,
}

impl Limit {
    pub(crate) fn new(valkey: ConnectionManager, rate: RateLimit) -> Self {
        Self { valkey, rate }
    }

    /// Lets the request pass, or tells when to come again.
    pub(crate) async fn admit(&self, address: IpAddr) -> Result<(), Duration> {
        let window_ms = self.rate.window.as_millis().max(1);
        let now_ms = jiff::Timestamp::now().as_millisecond().unsigned_abs();
        let window = u128::from(now_ms) / window_ms;
        let key = format!("insightdesk:rate:{address}:{window}");
        let mut count = redis::pipe();
        // The key outlives its window a little; nobody reads it then.
        count
            .incr(&key, 1)
            .cmd("PEXPIRE")
            .arg(&key)
            .arg(u64::try_from(window_ms).unwrap_or(u64::MAX / 4))
            .ignore();
        let mut valkey = self.valkey.clone();
        let counted = match tokio::time::timeout(DEADLINE, count.query_async::<(u64,)>(&mut valkey)).await {
            Ok(Ok((counted,))) => counted,
            Ok(Err(error)) => {
                warn!(error = &error as &dyn std::error::Error, "requests are not limited: valkey is away");
                return Ok(());
            }
            Err(_) => {
                warn!("requests are not limited: valkey did not answer in time");
                return Ok(());
            }
        };
        if counted <= u64::from(self.rate.max_requests) {
            return Ok(());
        }
        let left = window_ms - u128::from(now_ms) % window_ms;
        Err(Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX)))
    }
}

/// Who calls. A proxy on this machine says for whom it does; nobody else is believed.
pub(crate) fn address(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let told = header("x-real-ip").or_else(|| header("x-forwarded-for")?.rsplit(',').next());
    match told.and_then(|text| text.trim().parse().ok()) {
        Some(told) if peer.is_loopback() => told,
        _ => peer,
    }
}
