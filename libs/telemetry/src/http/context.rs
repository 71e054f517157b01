use std::sync::Arc;

use http::HeaderMap;
use sentry::Hub;
use sentry::protocol::Request;

/// Headers that say something about a request and nothing about a person.
const SHOWN: [&str; 7] =
    ["accept", "content-length", "content-type", "host", "traceparent", "user-agent", "x-request-id"];

/// A hub of its own for each request, so that error reports name the request they belong to.
///
/// `None` when errors are not reported.
pub(super) fn hub(method: &str, route: &str, request_id: &str, headers: &HeaderMap) -> Option<Arc<Hub>> {
    let current = Hub::current();
    current.client().filter(|client| client.is_enabled())?;
    let shown = SHOWN.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.chars().take(200).collect()))
    });
    let request = Request { method: Some(method.to_owned()), headers: shown.collect(), ..Request::default() };
    let (transaction, request_id) = (format!("{method} {route}"), request_id.to_owned());

    let hub = Arc::new(Hub::new_from_top(current));
    hub.configure_scope(|scope| {
        scope.set_transaction(Some(&transaction));
        scope.set_tag("request_id", &request_id);
        scope.add_event_processor(move |mut event| {
            event.request.get_or_insert_with(|| request.clone());
            Some(event)
        });
    });
    Some(hub)
}
