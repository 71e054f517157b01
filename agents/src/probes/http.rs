use std::sync::Arc;
use std::time::Duration;

use ops_contract::{Health, ReplicaPhase, ReplicaReport, ServiceSpec};
use reqwest::{Response, StatusCode};
use tokio::time::Instant;

use crate::agent::Agent;
use crate::clock;
use crate::fleet::Running;

/// Pause between two questions to a replica that has not answered yet.
const STARTUP_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two questions to a replica that is not ready: it may be any moment.
const UNREADY_PAUSE: Duration = Duration::from_secs(2);
/// How much of a bad answer is shown.
const SHOWN_CHARS: usize = 200;
/// Most of an answer that is read.
const MAX_BYTES: usize = 4096;

/// What came of one question.
#[derive(Debug)]
pub(super) enum Answer {
    /// The status was good; the rest is not read yet.
    Good(Response),
    /// It answered, but not well; with the start of what it said.
    Bad(StatusCode, Vec<u8>),
    /// It did not answer.
    Silent(String),
}

impl Answer {
    fn is_good(&self) -> bool {
        matches!(self, Self::Good(_))
    }
}

/// Asks a replica how it does, for as long as it runs.
pub(crate) async fn watch(agent: &Arc<Agent>, running: &Arc<Running>) {
    let mut stack = agent.stack.subscribe();
    let mut watcher = Watcher { running, ever_good: false, failures: 0, counted_at: None };
    loop {
        stack.mark_unchanged();
        let spec = agent.spec(&running.replica.service);
        let pause = match spec.map(|spec| (works_on_queues(&spec), spec.health)) {
            // Not known yet how to ask: nothing is said about it.
            None => None,
            Some((_, None)) => {
                watcher.report(agent, ReplicaPhase::Ready, None, false);
                None
            }
            Some((counts_jobs, Some(health))) => Some(watcher.look(agent, &health, counts_jobs).await),
        };
        let changed = stack.changed();
        match pause {
            Some(pause) => drop(tokio::time::timeout(pause, changed).await),
            None if changed.await.is_err() => return,
            None => {}
        }
    }
}

/// What earlier answers add up to.
struct Watcher<'a> {
    running: &'a Running,
    ever_good: bool,
    /// Silences in a row that count against liveness.
    failures: u16,
    counted_at: Option<Instant>,
}

impl Watcher<'_> {
    /// Asks once, reports, and returns the pause until the next question.
    async fn look(&mut self, agent: &Agent, health: &Health, counts_jobs: bool) -> Duration {
        let answer = ask(agent, self.running.record.port, &health.path, health.timeout).await;
        let alive = match &health.live_path {
            Some(path) => ask(agent, self.running.record.port, path, health.timeout).await.is_good(),
            None => !matches!(answer, Answer::Silent(_)),
        };
        let age = clock::now().since(self.running.record.started_at);
        match answer {
            Answer::Good(response) => {
                self.ever_good = true;
                if counts_jobs {
                    self.note_jobs(agent, &start_of(response).await);
                }
                self.count(alive, health, age);
                let detail = (!alive).then(|| "ready, but its liveness path does not answer".to_owned());
                self.report(agent, ReplicaPhase::Ready, detail, self.failures >= health.retries);
                jittered(health.interval)
            }
            bad => {
                // One that drains says that it is not ready, and how many jobs keep it.
                if let (Answer::Bad(_, body), true) = (&bad, counts_jobs) {
                    self.note_jobs(agent, body);
                }
                let detail = in_words(&bad);
                if !self.ever_good && age < health.start_timeout {
                    self.report(agent, ReplicaPhase::Starting, Some(detail), false);
                    return STARTUP_PAUSE;
                }
                if !self.ever_good && !self.running.adopted {
                    let detail =
                        format!("no good answer within {:?} of its start: {detail}", health.start_timeout);
                    self.report(agent, ReplicaPhase::Starting, Some(detail), true);
                    return jittered(health.interval.min(UNREADY_PAUSE));
                }
                self.count(alive, health, age);
                self.report(agent, ReplicaPhase::NotReady, Some(detail), self.failures >= health.retries);
                jittered(health.interval.min(UNREADY_PAUSE))
            }
        }
    }

    /// Counts silences at the pace of the interval, however often is asked: a short stall is no hang.
    fn count(&mut self, alive: bool, health: &Health, age: Duration) {
        if alive {
            self.failures = 0;
            self.counted_at = None;
            return;
        }
        let due = self.counted_at.is_none_or(|at| at.elapsed() >= health.interval.mul_f64(0.8));
        if due && age >= health.start_period {
            self.failures = self.failures.saturating_add(1);
            self.counted_at = Some(Instant::now());
        }
    }

    fn note_jobs(&self, agent: &Agent, body: &[u8]) {
        agent.fleet.set_active_jobs(&self.running.replica, self.running.record.generation, active_jobs(body));
    }

    fn report(&self, agent: &Agent, phase: ReplicaPhase, detail: Option<String>, unresponsive: bool) {
        let record = &self.running.record;
        agent.fleet.update(&self.running.replica, record.generation, |report: &mut ReplicaReport| {
            // On its way out it is asked no more of.
            if report.phase != ReplicaPhase::Draining && report.phase.may_be_alive() {
                report.phase = phase;
                report.detail = detail;
                report.unresponsive = unresponsive;
            }
        });
    }
}

/// Asks one path once.
pub(super) async fn ask(agent: &Agent, port: Option<u16>, path: &str, timeout: Duration) -> Answer {
    let Some(port) = port else { return Answer::Silent("it has no port".to_owned()) };
    let request = agent.http.get(format!("http://127.0.0.1:{port}{path}")).timeout(timeout);
    match request.send().await {
        Ok(response) if response.status().is_success() => Answer::Good(response),
        Ok(response) => Answer::Bad(response.status(), start_of(response).await),
        Err(error) if error.is_timeout() => Answer::Silent(format!("no answer within {timeout:?}")),
        Err(error) if error.is_connect() => Answer::Silent("connection refused".to_owned()),
        Err(_) => Answer::Silent("the connection broke, or the answer was not HTTP".to_owned()),
    }
}

/// An answer for people.
pub(super) fn in_words(answer: &Answer) -> String {
    match answer {
        Answer::Good(_) => "answers".to_owned(),
        Answer::Bad(status, body) if body.is_empty() => format!("answers {}", status.as_u16()),
        Answer::Bad(status, body) => format!("answers {}: {}", status.as_u16(), shown(body)),
        Answer::Silent(reason) => reason.clone(),
    }
}

/// The start of the body, on one line.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS).collect()
}

/// The jobs that the answer says are worked on, if it is JSON and says so.
fn active_jobs(body: &[u8]) -> Option<u32> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    u32::try_from(body.get("active_jobs")?.as_u64()?).ok()
}

async fn start_of(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_BYTES {
            break;
        }
    }
    body.truncate(MAX_BYTES);
    body
}

/// Only of those is the rest of the answer read.
fn works_on_queues(spec: &ServiceSpec) -> bool {
    spec.scale.as_ref().is_some_and(|scale| !scale.queues.is_empty())
}

/// Up to a tenth off, so that replicas are not asked all at once.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.1 * rand::random::<f64>())
}
