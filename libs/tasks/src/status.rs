use serde::{Serialize, Serializer};
use tokio::time::Instant;

/// What operators see of a task or a service.
#[derive(Clone, Debug, Serialize)]
pub struct TaskStatus {
    /// How the work is driven.
    pub kind: TaskKind,
    /// Runs that have ended.
    pub runs: u64,
    /// Runs that failed since the last one that did not.
    pub failures: u64,
    /// Why it runs now; `None` while it waits.
    pub running: Option<Reason>,
    /// The run that ended last.
    pub last: Option<LastRun>,
}

/// How a piece of work is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Runs pass by pass, on a timer and on demand.
    Periodic,
    /// Runs all the time and is started again when it fails.
    Service,
}

/// A run that has ended.
#[derive(Clone, Debug, Serialize)]
pub struct LastRun {
    /// Why it started.
    pub reason: Reason,
    /// How long it took.
    pub took_ms: u64,
    /// How long ago it ended, at the moment the status is serialised.
    #[serde(rename = "ended_ago_ms", serialize_with = "elapsed_ms")]
    pub ended: Instant,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The run's own report.
    Report(serde_json::Value),
    /// The whole error chain.
    Error(String),
}

/// Why a run started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The period has passed.
    Timer,
    /// Somebody asked, see [`crate::Activator`].
    Activated,
    /// The last run asked for it, see [`crate::Task::next_due`].
    Due,
    /// A service's first start.
    Started,
    /// A service's start after a failure.
    Restarted,
}

impl TaskStatus {
    pub(crate) fn new(kind: TaskKind) -> Self {
        Self { kind, runs: 0, failures: 0, running: None, last: None }
    }

    pub(crate) fn begin(&mut self, reason: Reason) {
        self.running = Some(reason);
    }

    /// Notes the end of a run; says whether it opened or closed a streak of failures.
    pub(crate) fn end(&mut self, reason: Reason, started: Instant, outcome: Outcome) -> Turn {
        let failed = matches!(outcome, Outcome::Error(_));
        let same_error = self.last.as_ref().is_some_and(|last| last.outcome == outcome);
        let turn = match (failed, self.failures) {
            (true, _) if !same_error => Turn::Failed,
            (false, 1..) => Turn::Recovered { failures: self.failures },
            _ => Turn::None,
        };
        self.runs += 1;
        self.failures = if failed { self.failures + 1 } else { 0 };
        self.running = None;
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last = Some(LastRun { reason, took_ms, ended: Instant::now(), outcome });
        turn
    }
}

/// What is worth a log line: the same failure every second is not.
pub(crate) enum Turn {
    None,
    Failed,
    Recovered { failures: u64 },
}

fn elapsed_ms<S: Serializer>(ended: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(ended.elapsed().as_millis()).unwrap_or(u64::MAX))
}
