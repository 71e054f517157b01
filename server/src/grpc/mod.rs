//! KEDA's external scaler over gRPC: the numbers of `/api/scaling/{service}` for a cluster that scales by HPA.
//!
//! The only place that knows tonic. It tells what was decided and never decides: a number that is not known is an error,
//! on which KEDA and the HPA keep what runs, and never a low number. See `docs/autoscaling-keda.md`.

mod caller;
mod scaler;
mod wanted;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::App;
use crate::config::Grpc;
use scaler::Scaler;
use wire::external_scaler_server::ExternalScalerServer;

/// What `proto/externalscaler.proto` says, made by `build.rs`.
#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    reason = "generated, and its client is for tests"
)]
mod wire {
    tonic::include_proto!("externalscaler");
}

/// Longest request: a reference with a few words of metadata.
const LONGEST_REQUEST: usize = 64 * 1024;
/// Longest time to an answer; streams only have to begin within it.
const DEADLINE: Duration = Duration::from_secs(5);
/// Requests and streams that one connection may have open.
const AT_ONCE: u32 = 128;
/// A connection whose other end has gone is noticed after twice this.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Listens where it was told; `None` when it shall not.
///
/// # Errors
///
/// When somebody wants it there and the address cannot be had.
pub(crate) async fn listen(grpc: Grpc) -> anyhow::Result<Option<TcpListener>> {
    let (address, needed) = match grpc {
        Grpc::Off => return Ok(None),
        Grpc::At(address) => (address, true),
        Grpc::IfFree(address) => (address, false),
    };
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if needed => Err(error).with_context(|| {
            format!(
                "could not listen on {address} for gRPC: free it, or set `grpc` in [server] of the stack file"
            )
        }),
        Err(error) => {
            tracing::warn!(%address, %error, "gRPC is off: the address cannot be had; set `grpc` in [server] to choose one");
            Ok(None)
        }
    }
}

/// Serves until the app shuts down. Faults end gRPC alone, never the server.
pub(crate) async fn serve(listener: Option<TcpListener>, app: &Arc<App>) {
    let Some(listener) = listener else { return };
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
    tracing::info!(%address, "gRPC listens for KEDA");
    let service = ExternalScalerServer::new(Scaler::new(app.clone()))
        .max_decoding_message_size(LONGEST_REQUEST)
        .max_encoding_message_size(LONGEST_REQUEST);
    let serving = Server::builder()
        .timeout(DEADLINE)
        .concurrency_limit_per_connection(AT_ONCE as usize)
        .max_concurrent_streams(AT_ONCE)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_max_header_list_size(LONGEST_REQUEST as u32)
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), app.shutdown.clone().cancelled_owned());
    if let Err(error) = serving.await {
        tracing::error!(error = format!("{:#}", anyhow::Error::new(error)), "gRPC has ended");
    }
}
