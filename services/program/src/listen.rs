//! Serves HTTP/1 on one address and drains without losing a request.
//!
//! On shutdown: what the kernel has already accepted is taken, the listening socket is closed, every further answer says
//! `connection: close`, idle connections are closed after a moment, and requests in flight get the rest of the grace.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{debug, warn};

/// How long a client may take to send a request's head, and how long a connection may stay idle. Longer than nginx keeps one.
const IDLE: Duration = Duration::from_secs(75);

/// How long clients of idle connections have to notice that we are closing before we close them.
const LINGER: Duration = Duration::from_millis(300);

/// Listens on `address`. A port in use is an error at once, before anything else has begun.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Lets a restarted program listen while old connections are still in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// Serves until `shutdown`, then drains for at most `grace`. Tells whether every connection ended.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    grace: Duration,
) -> bool {
    let server = Server { router, closing: shutdown.clone(), close_idle: CancellationToken::new() };
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => drop(connections.spawn(server.clone().connection(stream, peer))),
            Err(error) => {
                // Out of file descriptors, or a client that was gone already: neither is cured by giving up.
                warn!(error = &error as &dyn std::error::Error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        connections.spawn(server.clone().connection(stream, peer));
    }
    drop(listener);
    connections.close();
    let _ = tokio::time::timeout(LINGER, connections.wait()).await;
    server.close_idle.cancel();
    tokio::time::timeout(grace, connections.wait()).await.is_ok()
}

#[derive(Clone)]
struct Server {
    router: Router,
    closing: CancellationToken,
    close_idle: CancellationToken,
}

impl Server {
    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        // Answers are small; waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| self.answer(request, peer));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.close_idle.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            debug!(error = &error as &dyn std::error::Error, "a connection ended early");
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Body>, Infallible> {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut response = self.router.clone().oneshot(request).await?;
        if self.closing.is_cancelled() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}
