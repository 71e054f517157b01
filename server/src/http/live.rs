use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::get;
use futures::stream::{Stream, unfold};
use ops_contract::NowView;

use super::caller::Viewer;
use crate::App;

/// No reader is told more often.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/live", get(live))
}

/// What is known, as it changes: events `now` with a `NowView`, at most ten a second, the first at once.
#[utoipa::path(get, path = "/api/live", responses((status = 200, content_type = "text/event-stream", body = NowView)))]
pub(super) async fn live(
    _: Viewer,
    State(app): State<Arc<App>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = app.watch_state();
    changes.mark_changed();
    let events = unfold((app, changes, 0_u64), |(app, mut changes, sequence)| async move {
        let shutdown = app.shutdown.clone();
        let next = async {
            if sequence > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            changes.changed().await.ok()?;
            changes.mark_unchanged();
            Some(())
        };
        shutdown.run_until_cancelled(next).await??;
        let event = Event::default().event("now").id(sequence.to_string()).json_data(app.now_view()).ok()?;
        Some((Ok(event), (app, changes, sequence + 1)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
