use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ops_samples::remote_write::{CONTENT_TYPE_V1, CONTENT_TYPE_V2, Version, encode_v1, encode_v2};
use ops_samples::{Labels, Sample};
use ops_tasks::Task;
use reqwest::{Client, Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::App;
use crate::series::Outlet;

/// Most samples of one request.
const MOST: usize = 2_000;
/// Most requests to one receiver in one run.
const REQUESTS: usize = 100;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A receiver may ask for a longer pause, but not for any.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
const WRITTEN: &str = "x-prometheus-remote-write-samples-written";

/// Sends what arrived on to other receivers.
pub(super) struct RemoteWrite {
    app: Arc<App>,
    client: Client,
    receivers: Vec<Receiver>,
}

/// How it goes with one receiver.
struct Receiver {
    outlet: Arc<Outlet>,
    token: Option<SecretString>,
    version: Version,
    failures: u32,
    again_at: Option<Instant>,
}

/// What a run did.
#[derive(Serialize)]
pub(super) struct Sent {
    requests: usize,
    waiting_bytes: u64,
    faults: Vec<String>,
}

/// What became of one request.
enum Outcome {
    Taken,
    /// Another version is to be tried.
    Older,
    /// It would be refused again.
    Refused(String),
    Later(Option<Duration>, String),
}

impl RemoteWrite {
    pub(super) fn new(app: Arc<App>) -> anyhow::Result<Self> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .build()?;
        let receivers = app.stack.telemetry.remote_write.iter().zip(app.series.outlets());
        let receivers = receivers.map(|(spec, outlet)| Receiver {
            outlet: outlet.clone(),
            token: spec.token_secret.as_ref().and_then(|name| app.secrets.get(name)).cloned(),
            version: Version::V2,
            failures: 0,
            again_at: None,
        });
        let receivers = receivers.collect();
        Ok(Self { app, client, receivers })
    }
}

impl Task for RemoteWrite {
    const NAME: &'static str = "remote_write";
    type Report = Sent;

    async fn run(&mut self) -> anyhow::Result<Sent> {
        let external = Labels::new(&self.app.stack.alerts.external_labels)?;
        let (client, external) = (&self.client, &external);
        let work = self.receivers.iter_mut().map(|it| it.drain(client, external));
        let mut sent = Sent { requests: 0, waiting_bytes: 0, faults: Vec::new() };
        for (requests, fault) in futures::future::join_all(work).await {
            sent.requests += requests;
            sent.faults.extend(fault);
        }
        sent.waiting_bytes = self.receivers.iter().map(|it| it.outlet.queue.bytes().0).sum();
        Ok(sent)
    }
}

impl Receiver {
    /// Sends until nothing waits, or the receiver asks for a pause.
    async fn drain(&mut self, client: &Client, external: &Labels) -> (usize, Option<String>) {
        if self.again_at.is_some_and(|at| Instant::now() < at) {
            return (0, None);
        }
        for requests in 0..REQUESTS {
            let outlet = self.outlet.clone();
            let next = tokio::task::spawn_blocking(move || outlet.queue.next(MOST)).await;
            let batch = match next {
                Ok(Ok(Some(batch))) => batch,
                Ok(Ok(None)) => return (requests, None),
                Ok(Err(error)) => return (requests, Some(format!("the queue cannot be read: {error}"))),
                Err(error) => return (requests, Some(format!("the queue was not read: {error}"))),
            };
            let samples = with_external(&batch.samples, external);
            // A record may hold more than a request may.
            for part in samples.chunks(MOST) {
                if let Err(fault) = self.deliver(client, part).await {
                    return (requests, Some(fault));
                }
            }
            if let Err(error) = self.outlet.queue.acknowledge(&batch) {
                return (requests, Some(format!("the queue cannot be written: {error}")));
            }
        }
        (REQUESTS, None)
    }

    /// Brings samples to an end: taken, or refused for good. An error: they are to be sent again later.
    async fn deliver(&mut self, client: &Client, samples: &[(Labels, Sample)]) -> Result<(), String> {
        let count = samples.len() as u64;
        loop {
            match self.send(client, samples).await {
                Outcome::Taken => {
                    (self.failures, self.again_at) = (0, None);
                    self.outlet.sent.fetch_add(count, Ordering::Relaxed);
                    return Ok(());
                }
                Outcome::Older => self.version = Version::V1,
                Outcome::Refused(fault) => {
                    (self.failures, self.again_at) = (0, None);
                    self.outlet.refused.fetch_add(count, Ordering::Relaxed);
                    tracing::warn!(
                        receiver = self.outlet.name,
                        fault,
                        "samples were refused and are dropped"
                    );
                    return Ok(());
                }
                Outcome::Later(asked, fault) => {
                    let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
                    let pause = asked.map_or(pause, |asked| asked.min(LONGEST_ASKED));
                    if self.failures == 0 {
                        tracing::warn!(
                            receiver = self.outlet.name,
                            fault,
                            "samples wait: they are sent later"
                        );
                    }
                    self.failures = self.failures.saturating_add(1);
                    self.again_at = Some(Instant::now() + pause);
                    self.outlet.failures.fetch_add(1, Ordering::Relaxed);
                    return Err(format!("{}: {fault}", self.outlet.name));
                }
            }
        }
    }

    async fn send(&self, client: &Client, samples: &[(Labels, Sample)]) -> Outcome {
        let (kind, version, body) = match self.version {
            Version::V1 => (CONTENT_TYPE_V1, "0.1.0", encode_v1(samples)),
            Version::V2 => (CONTENT_TYPE_V2, "2.0.0", encode_v2(samples)),
        };
        let mut request = client
            .post(&self.outlet.url)
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONTENT_ENCODING, "snappy")
            .header(header::USER_AGENT, concat!("insightdesk/", env!("CARGO_PKG_VERSION")))
            .header("x-prometheus-remote-write-version", version)
            .body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        match request.send().await {
            Ok(answer) => self.judge(&answer),
            Err(error) => Outcome::Later(None, error.without_url().to_string()),
        }
    }

    fn judge(&self, answer: &Response) -> Outcome {
        let status = answer.status();
        let newer = self.version == Version::V2;
        // Who knows 1.0 only may find nothing in a request 2.0 and say that all is well; 2.0 says how much it wrote.
        if newer && (status == StatusCode::UNSUPPORTED_MEDIA_TYPE || status.is_success() && !said(answer)) {
            return Outcome::Older;
        }
        if status.is_success() {
            return Outcome::Taken;
        }
        let fault = format!("it answered {status}");
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            let asked = answer.headers().get(header::RETRY_AFTER).and_then(|it| it.to_str().ok());
            return Outcome::Later(asked.and_then(|it| it.parse().ok()).map(Duration::from_secs), fault);
        }
        Outcome::Refused(fault)
    }
}

fn said(answer: &Response) -> bool {
    answer.headers().contains_key(WRITTEN)
}

/// The samples with the labels of whatever leaves this system, unless the series has them.
fn with_external(samples: &[(Labels, Sample)], external: &Labels) -> Vec<(Labels, Sample)> {
    let mut last: Option<(&Labels, Labels)> = None;
    let mut all = Vec::with_capacity(samples.len());
    for pair in samples {
        let known = match &last {
            Some((same, known)) if *same == &pair.0 => known.clone(),
            _ => add(&pair.0, external),
        };
        last = Some((&pair.0, known.clone()));
        all.push((known, pair.1));
    }
    all
}

fn add(labels: &Labels, external: &Labels) -> Labels {
    if external.is_empty() {
        return labels.clone();
    }
    let mut builder = labels.to_builder();
    for (name, value) in external {
        if labels.get(name).is_none() {
            builder.set(name, value);
        }
    }
    builder.build().unwrap_or_else(|_| labels.clone())
}
