//! Follows the start: one line for each change, until all is ready.

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::NowView;
use reqwest::StatusCode;
use tokio::time::Instant;

use super::Ready;
use crate::client::Client;
use crate::commands::words;
use crate::output;

/// How often the server is asked.
const PERIOD: Duration = Duration::from_millis(150);

/// Longest wait for the balancer's answer.
const ANSWER: Duration = Duration::from_secs(2);

/// How it ended.
pub(crate) enum Outcome {
    /// All is ready.
    Ready(Box<NowView>),
    /// Not in time, or never; the last view, if there was one.
    NotReady(Option<Box<NowView>>),
}

/// Asks until all is ready or the time is over. Says what changes, when `tell`.
pub(crate) async fn follow_until_ready(client: &Client, patience: Duration, tell: bool) -> Outcome {
    let deadline = Instant::now() + patience;
    let (mut told, mut last) = (BTreeMap::new(), None);
    let http = reqwest::Client::new();
    loop {
        // A server that is being restarted is asked again.
        if let Ok(now) = client.get::<NowView>("/api/now").await {
            if tell {
                say_changes(&now, &mut told);
            }
            match Ready::judge(&now) {
                Ready::All if is_routed(&http, &now).await => return Outcome::Ready(Box::new(now)),
                Ready::All => last = Some(Box::new(now)),
                Ready::Never(_) => return Outcome::NotReady(Some(Box::new(now))),
                Ready::Waiting => last = Some(Box::new(now)),
            }
        }
        if Instant::now() > deadline {
            return Outcome::NotReady(last);
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// Whether the balancer, where there is one, already sends requests to somebody: it hears of ready replicas a moment
/// after the server.
async fn is_routed(http: &reqwest::Client, now: &NowView) -> bool {
    let balancer = now.services.iter().find(|it| it.name.as_str() == "balancer");
    let Some(port) = balancer.and_then(|it| it.replicas.first()?.state.port) else { return true };
    let request = http.get(format!("http://127.0.0.1:{port}/")).timeout(ANSWER);
    request.send().await.is_ok_and(|it| it.status() != StatusCode::BAD_GATEWAY)
}

/// One line for each service that looks other than before.
pub(crate) fn say_changes(now: &NowView, told: &mut BTreeMap<String, String>) {
    for service in &now.services {
        let mut words = format!(
            "{:<24} {} {}/{}",
            service.name.as_str(),
            words::status_note(service.status),
            service.ready,
            service.desired
        );
        if !service.reason.is_empty() {
            words.push_str(&format!("  {}", service.reason));
        }
        if told.get(service.name.as_str()) != Some(&words) {
            output::note(&words);
            told.insert(service.name.to_string(), words);
        }
    }
}
