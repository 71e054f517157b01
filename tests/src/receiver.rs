//! A receiver of pages that answers as it is told and remembers what it was sent.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How the receiver behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers with a status.
    Status(u16),
    /// Answers 429 and asks for a pause of so many seconds.
    Busy(u64),
    /// Takes the message and never answers.
    Hang,
    /// Takes the message and closes the connection.
    Break,
    /// Answers 200 after a while.
    Slow(Duration),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it had arrived.
    pub at: Instant,
    /// Its path.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body as JSON; text where it is none.
    pub body: Value,
    /// How it was answered.
    pub answer: Behaviour,
}

impl Request {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The alerts of Alertmanager's body as `name status`.
    #[must_use]
    pub fn alerts(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let alerts = self.body["alerts"].as_array().cloned().unwrap_or_default();
        alerts.iter().map(|it| (text(&it["labels"]["alertname"]), text(&it["status"]))).collect()
    }
}

#[derive(Debug, Default)]
struct State {
    /// What the next requests are answered with; then `usual`.
    script: VecDeque<Behaviour>,
    usual: Option<Behaviour>,
    requests: Vec<Request>,
}

/// A server on a free port of this machine.
#[derive(Debug)]
pub struct Receiver {
    /// Its address, without a slash at its end.
    pub url: String,
    state: Arc<Mutex<State>>,
    serving: Option<JoinHandle<Infallible>>,
}

impl Receiver {
    /// Starts one that takes everything.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for a receiver")?;
        let url = format!("http://{}", listener.local_addr()?);
        let state: Arc<Mutex<State>> = Arc::default();
        let serving = tokio::spawn(serve(listener, state.clone()));
        Ok(Self { url, state, serving: Some(serving) })
    }

    /// What is answered from now on.
    pub fn usually(&self, behaviour: Behaviour) {
        self.lock().usual = Some(behaviour);
    }

    /// What the next requests are answered with, before the usual.
    pub fn then(&self, script: impl IntoIterator<Item = Behaviour>) {
        self.lock().script.extend(script);
    }

    /// Forgets what the next requests were to be answered with.
    pub fn forget_script(&self) {
        self.lock().script.clear();
    }

    /// Refuses connections from now on.
    pub fn away(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }

    /// Listens again.
    ///
    /// # Errors
    ///
    /// When somebody else has the port meanwhile.
    pub async fn back(&mut self) -> anyhow::Result<()> {
        if self.serving.is_none() {
            let address = self.url.trim_start_matches("http://").to_owned();
            let bound =
                crate::eventually(Duration::from_secs(10), async || TcpListener::bind(&address).await.ok());
            let listener = bound.await.context("the receiver's port is taken")?;
            self.serving = Some(tokio::spawn(serve(listener, self.state.clone())));
        }
        Ok(())
    }

    /// What was sent so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// Waits for a request that fits.
    ///
    /// # Errors
    ///
    /// When none comes in time.
    pub async fn wait_for(
        &self,
        limit: Duration,
        fits: impl Fn(&Request) -> bool,
    ) -> anyhow::Result<Request> {
        let look = async || self.requests().into_iter().find(|it| fits(it));
        let found = crate::eventually(limit, look).await;
        found.with_context(|| format!("not in time; there were {:#?}", self.requests()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.away();
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) -> Infallible {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, state.clone()));
        }
    }
}

/// One connection, with as many requests as come over it.
async fn talk(mut stream: TcpStream, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let Some((path, headers, body)) = read(&mut stream, &mut bytes).await? else { return Ok(()) };
        let answer = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let usual = state.usual.clone().unwrap_or(Behaviour::Status(200));
            let answer = state.script.pop_front().unwrap_or(usual);
            let text = String::from_utf8_lossy(&body).into_owned();
            let body = serde_json::from_slice(&body).unwrap_or(Value::String(text));
            state.requests.push(Request { at: Instant::now(), path, headers, body, answer: answer.clone() });
            answer
        };
        let head = match answer {
            Behaviour::Status(status) => format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n"),
            Behaviour::Busy(s) => {
                format!("HTTP/1.1 429 X\r\nretry-after: {s}\r\ncontent-length: 0\r\n\r\n")
            }
            Behaviour::Slow(pause) => {
                tokio::time::sleep(pause).await;
                "HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
            Behaviour::Break => return Ok(()),
            Behaviour::Hang => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                return Ok(());
            }
        };
        stream.write_all(head.as_bytes()).await?;
    }
}

type Read = (String, Vec<(String, String)>, Vec<u8>);

async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<Option<Read>> {
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    bytes.drain(..end + 4);
    while bytes.len() < length {
        if stream.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    }
    let body = bytes.drain(..length).collect();
    Ok(Some((path, headers, body)))
}
