//! Talks to the server's JSON API, and turns its refusals into words that say what to do.

use std::time::Duration;

use futures::{Stream, StreamExt};
use ops_contract::{LogChunk, Problem};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Globals;
use crate::failure::{Failure, Result};
use crate::place::Place;

/// A server that does not answer for so long is not reached.
const TIMEOUT: Duration = Duration::from_secs(15);
/// A file that is brought may take longer.
const UPLOAD: Duration = Duration::from_secs(120);

/// Longest event of a stream that is read.
const EVENT_BYTES: usize = 8 << 20;

/// `client.json`.
#[derive(Deserialize)]
struct Known {
    url: String,
    token: SecretString,
}

/// The server, and who we are to it.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<SecretString>,
}

impl Client {
    /// The server that the command line names, else the one of this state folder.
    pub(crate) fn find(globals: &Globals) -> Result<Self> {
        let (mut url, mut token) = (globals.url.clone(), globals.token.clone().map(SecretString::from));
        if url.is_none() || token.is_none() {
            let file = Place::find(globals)?.client_file();
            let known = std::fs::read(&file).ok().and_then(|it| serde_json::from_slice::<Known>(&it).ok());
            if let Some(known) = known {
                // The local token is for the local server only.
                if url.as_ref().is_none_or(|it| *it == known.url) {
                    token = token.or(Some(known.token));
                }
                url = url.or(Some(known.url));
            }
            if url.is_none() {
                return Err(Failure::unreachable(format!(
                    "no control plane is known here ({} is missing): start one with `insightdesk up`, or name one with --url and --token",
                    file.display()
                )));
            }
        }
        Self::new(&url.unwrap_or_default(), token)
    }

    /// A server by its address.
    pub(crate) fn new(url: &str, token: Option<SecretString>) -> Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        if url::Url::parse(&url).is_err() {
            return Err(Failure::usage(format!(
                "`{url}` is no address: write it like http://127.0.0.1:7700"
            )));
        }
        // Refused when it is in place already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(1)
            .build()
            .map_err(|error| Failure::problems(format!("could not make an HTTP client: {error}")))?;
        Ok(Self { http, url, token })
    }

    /// The server's address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Reads JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let response = self.send(self.request(Method::GET, path).timeout(TIMEOUT)).await?;
        response.json().await.map_err(|error| self.misunderstood(path, &error))
    }

    /// Posts JSON; gives what came back, null when nothing did.
    pub(crate) async fn post<T: Serialize + ?Sized>(&self, path: &str, body: &T) -> Result<Value> {
        let response = self.send(self.request(Method::POST, path).timeout(TIMEOUT).json(body)).await?;
        let text = response.text().await.map_err(|error| self.misunderstood(path, &error))?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Posts a file as it is.
    pub(crate) async fn upload<T: DeserializeOwned>(&self, path: &str, bytes: Vec<u8>) -> Result<T> {
        let request = self.request(Method::POST, path).timeout(UPLOAD).body(bytes);
        let response = self.send(request).await?;
        response.json().await.map_err(|error| self.misunderstood(path, &error))
    }

    /// Puts JSON; gives what came back, null when nothing did.
    pub(crate) async fn put<T: Serialize + ?Sized>(&self, path: &str, body: &T) -> Result<Value> {
        let response = self.send(self.request(Method::PUT, path).timeout(TIMEOUT).json(body)).await?;
        let text = response.text().await.map_err(|error| self.misunderstood(path, &error))?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Has something ended or removed; gives what is left of it.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let response = self.send(self.request(Method::DELETE, path).timeout(TIMEOUT)).await?;
        response.json().await.map_err(|error| self.misunderstood(path, &error))
    }

    /// Whether the server is alive.
    pub(crate) async fn is_alive(&self) -> bool {
        let request = self.request(Method::GET, "/healthz").timeout(Duration::from_secs(2));
        request.send().await.is_ok_and(|it| it.status().is_success())
    }

    /// Follows a log by server-sent events.
    pub(crate) async fn follow(&self, path: &str) -> Result<impl Stream<Item = Result<LogChunk>> + use<>> {
        let request = self.request(Method::GET, path).header("accept", "text/event-stream");
        let bytes = self.send(request).await?.bytes_stream();
        let events = futures::stream::unfold((bytes, Vec::new()), |(mut bytes, mut held)| async move {
            loop {
                if let Some(event) = take_event(&mut held) {
                    let chunk = serde_json::from_str(&event).map_err(|error| {
                        Failure::problems(format!("could not read the log stream: {error}"))
                    });
                    return Some((chunk, (bytes, held)));
                }
                match bytes.next().await? {
                    Ok(more) if held.len() + more.len() <= EVENT_BYTES => held.extend_from_slice(&more),
                    Ok(_) => {
                        return Some((
                            Err(Failure::problems("an event of the log stream is too long")),
                            (bytes, held),
                        ));
                    }
                    Err(error) => {
                        let failure = Failure::unreachable(format!("the log stream broke off: {error}"));
                        return Some((Err(failure), (bytes, held)));
                    }
                }
            }
        });
        Ok(events)
    }

    /// Reads a long answer piece by piece.
    pub(crate) async fn download(&self, path: &str) -> Result<impl Stream<Item = Result<Vec<u8>>> + use<>> {
        let pieces = self.send(self.request(Method::GET, path)).await?.bytes_stream();
        Ok(pieces.map(|piece| {
            let broken = |error| Failure::unreachable(format!("the answer broke off: {error}"));
            piece.map(|it| it.to_vec()).map_err(broken)
        }))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| {
            let why = if error.is_timeout() { "it does not answer" } else { "nobody answers there" };
            Failure::unreachable(format!(
                "could not reach the control plane at {}: {why}. Start it with `insightdesk up`, or name another with --url",
                self.url
            ))
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let detail = refusal(&text).unwrap_or_else(|| status.to_string());
        Err(match status {
            StatusCode::UNAUTHORIZED => Failure::problems(format!(
                "the control plane does not know this token: {detail}. Pass a good one with --token or INSIGHTDESK_TOKEN"
            )),
            StatusCode::FORBIDDEN => {
                Failure::problems(format!("not allowed: {detail}. Ask an admin for a token with the role"))
            }
            _ => Failure::problems(detail),
        })
    }

    fn misunderstood(&self, path: &str, error: &reqwest::Error) -> Failure {
        Failure::problems(format!(
            "{}{path} answered something else than expected: {error}. Do CLI and server have the same version?",
            self.url
        ))
    }
}

/// Why a request was refused: in a problem's own words, or as Prometheus' API writes it.
fn refusal(text: &str) -> Option<String> {
    if let Ok(problem) = serde_json::from_str::<Problem>(text) {
        return Some(problem.detail);
    }
    let answer: Value = serde_json::from_str(text).ok()?;
    answer.get("error")?.as_str().map(str::to_owned)
}

/// Takes the data of the first whole event that has any.
fn take_event(held: &mut Vec<u8>) -> Option<String> {
    loop {
        let end = held.windows(2).position(|it| it == b"\n\n")?;
        let event: Vec<u8> = held.drain(..end + 2).collect();
        let text = String::from_utf8_lossy(&event);
        let data: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|it| it.strip_prefix(' ').unwrap_or(it))
            .collect();
        if !data.is_empty() {
            return Some(data.join("\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_whole_and_comments_are_skipped() {
        let mut held = b": hello\n\nevent: log\ndata: {\"a\":\ndata: 1}\n\ndata: half".to_vec();
        assert_eq!(take_event(&mut held).as_deref(), Some("{\"a\":\n1}"));
        assert_eq!(take_event(&mut held), None);
        assert_eq!(held, b"data: half");
    }

    #[test]
    fn refusals_of_both_apis_are_understood() {
        let problem = r#"{"type":"about:blank","title":"t","status":404,"detail":"no such service"}"#;
        assert_eq!(refusal(problem).as_deref(), Some("no such service"));
        let prometheus = r#"{"status":"error","errorType":"bad_data","error":"unexpected end"}"#;
        assert_eq!(refusal(prometheus).as_deref(), Some("unexpected end"));
        assert_eq!(refusal("<html>"), None);
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_exit_code_3_and_says_what_to_do() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let client = Client::new(&format!("http://127.0.0.1:{port}"), None).ok().unwrap();
        let failure = client.get::<Value>("/api/now").await.unwrap_err();
        assert_eq!(failure.kind as u8, 3);
        assert!(failure.message.contains("insightdesk up"));
    }
}
