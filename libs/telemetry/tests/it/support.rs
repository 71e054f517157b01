use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use tokio::net::TcpListener;

/// Serves `app` on a free port for as long as the runtime lives.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Keeps every body it is sent.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<Bytes>>>);

impl Sink {
    pub(crate) async fn start(&self) -> SocketAddr {
        async fn keep(State(sink): State<Sink>, body: Bytes) {
            sink.0.lock().expect("no panic").push(body);
        }
        serve(Router::new().fallback(keep).with_state(self.clone())).await
    }

    pub(crate) fn bodies(&self) -> Vec<Bytes> {
        self.0.lock().expect("no panic").clone()
    }
}

/// Ends telemetry without stopping the runtime that its receivers run on.
pub(crate) async fn end(guard: ops_telemetry::Guard) {
    tokio::task::spawn_blocking(move || guard.shutdown()).await.expect("no panic");
}
