//! Puts what operators do into the audit log: every request that may change something, whether it was let through or not.
//!
//! By route and not by handler, so that a new route cannot be forgotten. Agents and programs that bring samples, alerts and
//! heartbeats are left out: they act by themselves and all the time. Reads of secrets and of the log itself are recorded
//! where they are decided, before anything is shown.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use ops_audit::entry::Outcome;
use ops_contract::Operator;

use super::caller;
use crate::{App, audit};

/// What begins so is done by people. Longest first where one contains another.
const PEOPLE: [&str; 6] =
    ["/api/", "/alertmanager/api/v2/silence", "/incidents/", "/ack/", "/secrets/", "/logout"];
/// What programs do there, and what has its own record.
const NOT: [&str; 4] =
    ["/api/heartbeats/", "/api/secrets/{name}/read", "/api/audit", "/api/receivers/{name}/events"];

/// Filled in by whoever finds out who asks.
#[derive(Clone, Default)]
pub(super) struct Witness(Arc<OnceLock<Operator>>);

impl Witness {
    pub(super) fn saw(&self, operator: &Operator) {
        let _ = self.0.set(operator.clone());
    }
}

pub(super) async fn record(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|it| it.as_str().to_owned());
    let Some(route) = route.filter(|route| is_recorded(request.method(), route)) else {
        return next.run(request).await;
    };
    let witness = Witness::default();
    request.extensions_mut().insert(witness.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let address = caller::address(&parts);
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Some(entry) = entry(&witness, address, &method, &route, &path, response.status())
        && let Err(error) = app.audit.append(vec![entry.draft()]).await
    {
        tracing::error!(%error, path, "what an operator did is not in the audit log");
    }
    response
}

fn is_recorded(method: &Method, route: &str) -> bool {
    !method.is_safe()
        && PEOPLE.iter().any(|it| route.starts_with(it))
        && !NOT.iter().any(|it| route.starts_with(it))
}

fn entry(
    witness: &Witness,
    address: IpAddr,
    method: &Method,
    route: &str,
    path: &str,
    status: StatusCode,
) -> Option<audit::Entry> {
    let action = action(method, route);
    let outcome = match status {
        _ if status.is_success() || status.is_redirection() => Outcome::Allowed,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Outcome::Denied,
        _ => Outcome::Failed,
    };
    // A link that acknowledges says by itself who may use it; its path is a secret until then.
    let subject = if route.starts_with("/ack/") { "/ack" } else { path };
    let entry = match witness.0.get() {
        Some(operator) => audit::of_operator(operator, address, &action, subject),
        None if route.starts_with("/ack/") && outcome == Outcome::Allowed => {
            audit::stranger(address, &action, subject)
        }
        // Who is nobody has done nothing: the door counts wrong tries.
        None => return None,
    };
    Some(entry.outcome(outcome).detail("status", status.as_str()))
}

/// `POST /api/services/{name}/restart` is `services.restart.post`.
fn action(method: &Method, route: &str) -> String {
    let words = route
        .trim_start_matches("/api/")
        .split('/')
        .filter(|word| !word.is_empty() && !word.starts_with('{'))
        .map(|word| word.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    let mut action: Vec<String> = words.collect();
    action.push(method.as_str().to_ascii_lowercase());
    action.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_named_after_their_routes() {
        let name = |route| action(&Method::POST, route);
        assert_eq!(name("/api/services/{name}/restart"), "services.restart.post");
        assert_eq!(name("/api/queues/{store}/{queue}/retry-failed"), "queues.retry_failed.post");
        assert_eq!(name("/alertmanager/api/v2/silences"), "alertmanager.api.v2.silences.post");
        assert_eq!(name("/ack/{link}"), "ack.post");
    }

    #[test]
    fn what_people_do_is_recorded_and_what_programs_do_is_not() {
        for route in ["/api/services/{name}/scale", "/api/operators", "/incidents/{id}/ack", "/logout"] {
            assert!(is_recorded(&Method::POST, route), "{route}");
        }
        for route in
            ["/agent/signals", "/api/heartbeats/{name}", "/v1/metrics", "/alertmanager/api/v2/alerts"]
        {
            assert!(!is_recorded(&Method::POST, route), "{route}");
        }
        assert!(!is_recorded(&Method::GET, "/api/services"));
    }
}
