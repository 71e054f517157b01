//! The server's own metrics among the series: what changed at once, all of it now and then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ops_contract::{ServiceName, SystemState, Timestamp};
use ops_samples::exposition::{Cache, Entry, Format, Found, Parser, Series};
use ops_samples::{Labels, LabelsBuilder, NAME, STALE, Sample};
use ops_tasks::Task;
use serde::Serialize;

use crate::{App, clock};

/// The label `job` of the server's own metrics.
const JOB: &str = "insightdesk-server";
/// What does not change is told again after this time, so that it does not look old.
const ALL_EVERY: Duration = Duration::from_secs(15);

/// Puts the server's own metrics among the series.
pub(super) struct Measure {
    app: Arc<App>,
    cache: Cache<Known>,
    told_all: Option<Instant>,
    instance: String,
}

#[derive(Debug)]
struct Known {
    labels: Labels,
    value: f64,
}

/// What a pass came to.
#[derive(Serialize)]
pub(super) struct Measured {
    series: usize,
    told: usize,
}

impl Measure {
    pub(super) fn new(app: Arc<App>) -> Self {
        let instance = app.external_url.split("://").last().unwrap_or_default().to_owned();
        Self { app, cache: Cache::default(), told_all: None, instance }
    }

    fn labels(&self, series: &Series<'_>) -> anyhow::Result<Labels> {
        let mut labels = LabelsBuilder::default();
        for (name, value) in series.pairs()? {
            labels.set(name, value);
        }
        labels.set("job", JOB).set("instance", &self.instance);
        Ok(labels.build()?)
    }

    /// What is to be told of `text`.
    fn compare(&mut self, text: &str, all: bool, at: Timestamp) -> anyhow::Result<Vec<(Labels, Sample)>> {
        let at_ms = at.0.div_euclid(1_000);
        let mut news = Vec::new();
        self.cache.begin();
        let mut parser = Parser::new(text.as_bytes(), Format::OpenMetrics);
        while let Some(entry) = parser.next_expecting(self.cache.expected()) {
            let Entry::Series(series) = entry? else { continue };
            let sample = Sample { at_ms, value: series.value };
            match self.cache.find(&series) {
                Found::Known(known) => {
                    if all || known.value.to_bits() != sample.value.to_bits() {
                        known.value = sample.value;
                        news.push((known.labels.clone(), sample));
                    }
                }
                Found::Again(_) => {}
                Found::New => {
                    let labels = self.labels(&series)?;
                    news.push((labels.clone(), sample));
                    self.cache.insert(series.raw, Known { labels, value: sample.value });
                }
            }
        }
        let state = self.app.state();
        self.cache.finish(|known| {
            if has_ended(&known.labels, &state, at) {
                news.push((known.labels, Sample { at_ms, value: STALE }));
            }
        });
        Ok(news)
    }
}

/// Whether what a series speaks of is there no more. What is only unknown now is not told at all, and has not ended.
fn has_ended(labels: &Labels, state: &SystemState, now: Timestamp) -> bool {
    if let (Some(service), Some(slot)) = (labels.get("service"), labels.get("slot")) {
        let Some(service) = state.services.get(&ServiceName::from(service)) else { return true };
        return !ops_engine::wanted_replicas(service).iter().any(|(it, _)| slot == it.to_string());
    }
    if let Some(dependency) = labels.get("dependency") {
        return !state.dependencies.contains_key(dependency);
    }
    if let (Some(store), Some(_)) = (labels.get("store"), labels.get("queue")) {
        return state.queues.get(store).is_none_or(|known| ops_engine::queues_fresh(known, now));
    }
    if let Some(service) = labels.get("service") {
        return !state.services.contains_key(&ServiceName::from(service));
    }
    true
}

impl Task for Measure {
    const NAME: &'static str = "measure";
    type Report = Measured;

    async fn run(&mut self) -> anyhow::Result<Measured> {
        let now = clock::now();
        let all = self.told_all.is_none_or(|at| at.elapsed() >= ALL_EVERY);
        self.app.own.refresh(&self.app);
        let text = self.app.metrics.encode()?;
        let mut news = self.compare(&text, all, now)?;
        if all {
            self.told_all = Some(Instant::now());
            let up = Labels::new([(NAME, "up"), ("job", JOB), ("instance", &self.instance)])?;
            news.push((up, Sample { at_ms: now.0.div_euclid(1_000), value: 1.0 }));
        }
        if !news.is_empty() {
            self.app.series.append_labelled(&news);
        }
        Ok(Measured { series: self.cache.len(), told: news.len() })
    }
}
