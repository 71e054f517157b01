//! The supervisor under paused time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{anyhow, bail};
use ops_tasks::{Activator, Backoff, Outcome, Reason, Supervisor, Task, TaskKind, TaskStatus};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

struct Count(u32);

impl Task for Count {
    const NAME: &'static str = "count";
    type Report = u32;

    async fn run(&mut self) -> anyhow::Result<u32> {
        self.0 += 1;
        match self.0 {
            2 => Err(anyhow!("connection refused").context("database is away")),
            3 => panic!("bug"),
            n => Ok(n),
        }
    }
}

fn supervisor() -> Supervisor {
    Supervisor::new(CancellationToken::new())
}

fn status(supervisor: &Supervisor, name: &str) -> TaskStatus {
    supervisor.statuses()[name].clone()
}

#[tokio::test(start_paused = true)]
async fn a_task_keeps_running_after_errors_and_panics() {
    let supervisor = supervisor();
    supervisor.spawn(Count(0), Duration::from_secs(60), &Activator::default());

    sleep(Duration::from_secs(60 + 1)).await;
    let failed = status(&supervisor, "count");
    assert_eq!(failed.failures, 1);
    let outcome = failed.last.map(|run| run.outcome);
    assert_eq!(outcome, Some(Outcome::Error("database is away: connection refused".into())));

    sleep(Duration::from_secs(2 * 60)).await;
    let recovered = status(&supervisor, "count");
    assert_eq!((recovered.runs, recovered.failures), (4, 0));
    assert_eq!(recovered.last.map(|run| run.outcome), Some(Outcome::Report(4.into())));
}

#[tokio::test(start_paused = true)]
async fn activation_does_not_wait_for_the_timer() {
    let (supervisor, activator) = (supervisor(), Activator::default());
    supervisor.spawn(Count(9), Duration::from_secs(3600), &activator);
    sleep(Duration::from_secs(1)).await;
    activator.activate();
    sleep(Duration::from_secs(1)).await;

    let status = status(&supervisor, "count");
    assert_eq!(status.runs, 2);
    assert_eq!(status.last.map(|run| run.reason), Some(Reason::Activated));
}

/// Asks to be woken in ten seconds, three times.
struct Planner(u32);

impl Task for Planner {
    const NAME: &'static str = "planner";
    type Report = u32;

    async fn run(&mut self) -> anyhow::Result<u32> {
        self.0 += 1;
        Ok(self.0)
    }

    fn next_due(&self, report: &u32) -> Option<Duration> {
        (*report <= 3).then_some(Duration::from_secs(10))
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_can_ask_for_the_next_one() {
    let supervisor = supervisor();
    supervisor.spawn(Planner(0), Duration::from_secs(3600), &Activator::default());
    sleep(Duration::from_secs(15)).await;
    assert_eq!(status(&supervisor, "planner").last.map(|run| run.reason), Some(Reason::Due));
    sleep(Duration::from_secs(600)).await;
    assert_eq!(status(&supervisor, "planner").runs, 4);
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(status(&supervisor, "planner").last.map(|run| run.reason), Some(Reason::Timer));
}

#[tokio::test(start_paused = true)]
async fn a_failing_service_is_started_again_ever_later() {
    let supervisor = supervisor();
    let starts = Arc::new(AtomicU32::new(0));
    let backoff = Backoff { first: Duration::from_secs(1), max: Duration::from_secs(4) };
    let counter = Arc::clone(&starts);
    supervisor.spawn_service("lease", backoff, move |_| {
        let start = counter.fetch_add(1, Ordering::Relaxed);
        assert!(start != 1, "bug in the second start");
        async move { bail!("refused {start}") }
    });

    // Starts at 0, 1, 3, 7, 11, 15 s.
    sleep(Duration::from_millis(15_500)).await;
    assert_eq!(starts.load(Ordering::Relaxed), 6);
    let status = status(&supervisor, "lease");
    assert_eq!((status.kind, status.failures), (TaskKind::Service, 6));
    assert_eq!(status.last.map(|run| run.outcome), Some(Outcome::Error("refused 5".into())));
}

#[tokio::test(start_paused = true)]
async fn a_long_healthy_run_starts_the_back_off_anew() {
    let supervisor = supervisor();
    let starts = Arc::new(AtomicU32::new(0));
    let backoff = Backoff { first: Duration::from_secs(1), max: Duration::from_secs(4) };
    let counter = Arc::clone(&starts);
    supervisor.spawn_service("tail", backoff, move |_| {
        let start = counter.fetch_add(1, Ordering::Relaxed);
        async move {
            sleep(Duration::from_secs(if start == 3 { 100 } else { 0 })).await;
            bail!("ended")
        }
    });
    // Starts at 0, 1, 3, 7 s; the fourth lives until 107 s and is followed after one second.
    sleep(Duration::from_millis(108_500)).await;
    assert_eq!(starts.load(Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_service_leaves_and_frees_its_name() {
    let supervisor = supervisor();
    let start = |stop: CancellationToken| async move {
        stop.cancelled().await;
        Ok(())
    };
    let handle = supervisor.spawn_service("probe", Backoff::default(), start);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&supervisor, "probe").running, Some(Reason::Started));

    handle.stop();
    handle.ended().await;
    assert!(supervisor.statuses().is_empty());
    supervisor.spawn_service("probe", Backoff::default(), start);
    assert!(supervisor.shut_down(Duration::from_secs(1)).await.all_ended());
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "two tasks are named count")]
async fn two_tasks_cannot_share_a_name() {
    let supervisor = supervisor();
    supervisor.spawn(Count(9), Duration::from_secs(1), &Activator::default());
    supervisor.spawn(Count(9), Duration::from_secs(1), &Activator::default());
}

/// One pass takes `0`.
struct Slow(Duration);

impl Task for Slow {
    const NAME: &'static str = "slow";
    type Report = ();

    async fn run(&mut self) -> anyhow::Result<()> {
        sleep(self.0).await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_current_run_is_let_finish() {
    let supervisor = supervisor();
    supervisor.spawn(Slow(Duration::from_secs(3)), Duration::from_secs(1), &Activator::default());
    sleep(Duration::from_secs(1)).await;
    assert!(supervisor.shut_down(Duration::from_secs(5)).await.all_ended());
    assert_eq!(status(&supervisor, "slow").runs, 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_names_and_drops_what_does_not_end() {
    let supervisor = supervisor();
    supervisor.spawn(Slow(Duration::from_secs(900)), Duration::from_secs(1), &Activator::default());
    supervisor.spawn(Count(9), Duration::from_secs(1), &Activator::default());
    let deaf = supervisor.spawn_service("deaf", Backoff::default(), |_| std::future::pending());
    sleep(Duration::from_secs(1)).await;

    let before = Instant::now();
    let stopped = supervisor.shut_down(Duration::from_secs(5)).await;
    assert_eq!(stopped.left, ["deaf", "slow"]);
    assert!(before.elapsed() < Duration::from_secs(6));
    deaf.ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_status_is_readable_as_json() {
    let supervisor = supervisor();
    supervisor.spawn(Count(9), Duration::from_secs(60), &Activator::default());
    sleep(Duration::from_secs(2)).await;
    assert_eq!(
        serde_json::to_value(supervisor.statuses()).expect("statuses are plain data"),
        serde_json::json!({"count": {
            "kind": "periodic", "runs": 1, "failures": 0, "running": null,
            "last": {"reason": "timer", "took_ms": 0, "ended_ago_ms": 2000, "outcome": {"report": 10}},
        }})
    );
}
