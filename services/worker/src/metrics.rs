//! What the worker counts: how long jobs take, and how many stand where.

use std::sync::Arc;
use std::time::Duration;

use ops_bullmq::Queue;
use ops_program::jobs;
use ops_tasks::Task;
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;
use ops_telemetry::prometheus_client::metrics::histogram::Histogram;
use serde::Serialize;

use crate::app::App;

type Labels = [(&'static str, String); 2];

/// Kinds of jobs that get a label of their own. Names come with the jobs, from whoever adds them: the rest is `other`.
const KINDS: [&str; 8] = [
    jobs::NOTIFICATION,
    jobs::SLA_CHECK,
    jobs::SLA_BREACHED,
    "ticket",
    "sla-breached",
    "count",
    "auto-close",
    "sla-sweep",
];

/// How long jobs take.
#[derive(Clone)]
pub(crate) struct Durations(Family<Labels, Histogram, fn() -> Histogram>);

impl Durations {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        fn histogram() -> Histogram {
            Histogram::new([0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
        }
        let family = Family::new_with_constructor(histogram as fn() -> Histogram);
        let text = "How long one attempt at a job took";
        metrics
            .with(|registry| registry.register("insightdesk_job_processing_seconds", text, family.clone()));
        Self(family)
    }

    pub(crate) fn record(&self, queue: &'static str, name: &str, took: Duration) {
        let kind = KINDS.iter().find(|kind| **kind == name).copied().unwrap_or("other");
        self.0
            .get_or_create(&[("queue", queue.to_owned()), ("job_type", kind.to_owned())])
            .observe(took.as_secs_f64());
    }
}

/// How many jobs stand where.
pub(crate) struct QueueSizes {
    queues: Vec<Queue>,
    sizes: Family<Labels, Gauge>,
}

#[derive(Serialize)]
pub(crate) struct Waiting {
    waiting: u64,
}

impl QueueSizes {
    pub(crate) fn new(app: &Arc<App>, metrics: &Metrics) -> anyhow::Result<Self> {
        let sizes = Family::<Labels, Gauge>::default();
        metrics.with(|registry| {
            registry.register("insightdesk_job_queue_size", "Jobs in each state", sizes.clone())
        });
        let queues =
            jobs::QUEUES.into_iter().map(|name| app.queue(name).cloned()).collect::<anyhow::Result<_>>()?;
        Ok(Self { queues, sizes })
    }
}

impl Task for QueueSizes {
    const NAME: &'static str = "queue_sizes";
    type Report = Waiting;

    async fn run(&mut self) -> anyhow::Result<Waiting> {
        let mut waiting = 0;
        for queue in &self.queues {
            let counts = queue.counts().await?;
            let in_line = counts.waiting + counts.prioritized + counts.paused;
            waiting += in_line;
            let states = [
                ("waiting", in_line),
                ("active", counts.active),
                ("delayed", counts.delayed),
                ("completed", counts.completed),
                ("failed", counts.failed),
            ];
            for (state, count) in states {
                let labels = [("queue", queue.name().to_owned()), ("status", state.to_owned())];
                self.sizes.get_or_create(&labels).set(i64::try_from(count)?);
            }
        }
        Ok(Waiting { waiting })
    }
}
