use std::sync::Arc;
use std::time::Duration;

use ops_samples::exposition::Format;
use ops_samples::{Labels, NAME};
use reqwest::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::Want;
use super::answer::{self, Failure};
use super::known::{Counts, Known};
use super::plan::{Plan, compile};
use crate::agent::Agent;
use crate::clock;
use crate::samples::Own;

/// Answers that are longer are read beside the other work, not within it.
const LARGE: usize = 256 << 10;

/// What Prometheus says of each scrape.
const REPORTS: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// One target, asked at its interval.
pub(super) struct Target {
    agent: Arc<Agent>,
    client: Client,
    plan: Arc<Plan>,
    known: Option<Known>,
    own: Own,
    reports: Vec<Labels>,
    body: Vec<u8>,
    packed: Vec<u8>,
    /// How the last scrape failed, so that the same is said once.
    failure: Option<String>,
}

impl Target {
    pub(super) fn new(agent: &Arc<Agent>, client: &Client, plan: Plan) -> Self {
        let report = |name: &&str| plan.labels.to_builder().set(NAME, *name).build().unwrap_or_default();
        Self {
            agent: Arc::clone(agent),
            client: client.clone(),
            reports: REPORTS.iter().map(report).collect(),
            known: compile(&plan.metric_relabel).ok().map(Known::new),
            plan: Arc::new(plan),
            own: Own::default(),
            body: Vec::new(),
            packed: Vec::new(),
            failure: None,
        }
    }

    /// Asks until the target is gone.
    pub(super) async fn run(mut self, mut want: watch::Receiver<Want>) {
        let interval = self.plan.interval;
        // Targets of the stack are not asked all at once; what was found comes one by one anyway.
        let offset = if self.plan.found { Duration::ZERO } else { interval.mul_f64(rand::random::<f64>()) };
        let mut due = Instant::now() + offset;
        loop {
            tokio::select! {
                biased;
                changed = want.changed() => if changed.is_err() { return },
                () = sleep_until(due) => {}
            }
            let now = *want.borrow_and_update();
            due = Instant::now() + interval;
            match now {
                Want::Gone => return self.gone(),
                Want::Down(_) => self.failed(Duration::ZERO, "it does not run"),
                Want::Ask(_, port) => {
                    let (began, at_ms) = (Instant::now(), now_ms());
                    let answer = tokio::select! {
                        biased;
                        _ = want.changed() => None,
                        answer = self.ask(port) => Some(answer),
                    };
                    match answer {
                        Some(answer) => self.note(answer, began, at_ms).await,
                        // What was asked has changed: so has the answer.
                        None => {
                            want.mark_changed();
                        }
                    }
                }
            }
        }
    }

    async fn ask(&mut self, port: Option<u16>) -> Result<Format, Failure> {
        let plan = Arc::clone(&self.plan);
        let mut url = plan.url.clone().ok_or(Failure::Unreachable)?;
        if port.is_some() {
            url.set_port(port).map_err(|()| Failure::Unreachable)?;
        }
        answer::ask(&self.client, url, plan.timeout, &mut self.body, &mut self.packed).await
    }

    async fn note(&mut self, answer: Result<Format, Failure>, began: Instant, at_ms: i64) {
        let written = match answer {
            Ok(format) => self.write(format, at_ms).await,
            // It answers: it is up, and has no metrics.
            Err(Failure::NotFound) if self.plan.found => {
                self.end(at_ms);
                Ok(Counts::default())
            }
            Err(failure) => Err(failure),
        };
        match written {
            Ok(counts) => {
                self.failure = None;
                self.report(at_ms, 1.0, began.elapsed(), counts);
            }
            Err(failure) => self.failed(began.elapsed(), &failure.to_string()),
        }
    }

    async fn write(&mut self, format: Format, at_ms: i64) -> Result<Counts, Failure> {
        let Some(mut known) = self.known.take() else {
            return Err(Failure::Content("its series cannot be read any more".to_owned()));
        };
        if self.body.len() < LARGE {
            let written = known.write(&self.agent.samples, &self.plan, &self.body, format, at_ms);
            self.known = Some(known);
            return written;
        }
        let (agent, plan, body) =
            (Arc::clone(&self.agent), Arc::clone(&self.plan), std::mem::take(&mut self.body));
        let work = tokio::task::spawn_blocking(move || {
            let written = known.write(&agent.samples, &plan, &body, format, at_ms);
            (known, body, written)
        });
        let Ok((known, body, written)) = work.await else {
            return Err(Failure::Content("reading it broke off".to_owned()));
        };
        (self.known, self.body) = (Some(known), body);
        written
    }

    /// Says that it is not up, and that all its series have ended.
    fn failed(&mut self, took: Duration, reason: &str) {
        let at_ms = now_ms();
        if self.failure.as_deref() != Some(reason) {
            debug!(target = %self.plan.labels, "scrape failed: {reason}");
            self.failure = Some(reason.to_owned());
        }
        self.end(at_ms);
        self.report(at_ms, 0.0, took, Counts::default());
    }

    /// Says that everything has ended, `up` too.
    fn gone(&mut self) {
        let at_ms = now_ms();
        self.end(at_ms);
        self.own.write(&self.agent.samples, at_ms, []);
    }

    fn end(&mut self, at_ms: i64) {
        if let Some(known) = &mut self.known {
            known.end(&self.agent.samples, at_ms);
        }
    }

    fn report(&mut self, at_ms: i64, up: f64, took: Duration, counts: Counts) {
        let values = [up, took.as_secs_f64(), counts.scraped as f64, counts.kept as f64, counts.added as f64];
        self.own.write(&self.agent.samples, at_ms, self.reports.iter().cloned().zip(values));
    }
}

fn now_ms() -> i64 {
    clock::now().0.div_euclid(1000)
}
