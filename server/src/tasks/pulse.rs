use std::sync::Arc;
use std::time::{Duration, Instant};

use ops_contract::ChangeKind;
use ops_tasks::Task;
use reqwest::Client;
use serde::Serialize;

use crate::{App, clock, store};

/// Under this name the store keeps when a server was last alive.
const ALIVE: &str = "alive_at";
/// How often that is noted.
const NOTE: Duration = Duration::from_secs(10);
/// A shorter absence is not worth a word.
const ABSENCE: Duration = Duration::from_secs(60);
/// Deliveries that wait longer mean that nobody is told: then the outside must notice.
const STALLED: Duration = Duration::from_mins(10);

/// Watches the watcher: says after a start how long nobody looked, reads who has reported in, and calls the address outside
/// that pages when it hears nothing.
pub(super) struct Pulse {
    app: Arc<App>,
    client: Client,
    noted: Option<Instant>,
    called: Option<Instant>,
}

#[derive(Default, Serialize)]
pub(super) struct Beat {
    /// Why the address outside was not called.
    silent_because: Option<String>,
}

impl Pulse {
    pub(super) fn new(app: Arc<App>) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { app, client, noted: None, called: None })
    }

    /// Notes that a server is there; the first time, how long none was.
    async fn note(&mut self) -> anyhow::Result<()> {
        if self.noted.is_some_and(|at| at.elapsed() < NOTE) {
            return Ok(());
        }
        let now = clock::now();
        let mut db = self.app.store.begin().await?;
        if self.noted.is_none() {
            for name in self.app.stack.alerts.heartbeats.keys() {
                store::heartbeats::expect(&mut db, name, now).await?;
            }
            let last = store::meta::get(&mut db, ALIVE).await?.and_then(|it| it.parse().ok());
            let absence = last.map(|it| now.since(ops_contract::Timestamp(it))).unwrap_or_default();
            if absence >= ABSENCE {
                let summary = format!(
                    "nobody watched for {} min {} s before this start: what fired and ended in that time was missed",
                    absence.as_secs() / 60,
                    absence.as_secs() % 60
                );
                tracing::warn!("{summary}");
                let change = store::changes::new(ChangeKind::Stack, "server", "engine", summary, now);
                store::changes::insert(&mut db, &change).await?;
                self.app.remember(&[change]);
            }
        }
        store::meta::set(&mut db, ALIVE, &now.0.to_string()).await?;
        db.commit().await?;
        self.noted = Some(Instant::now());
        let mut db = self.app.store.connection().await?;
        for (name, at) in store::heartbeats::all(&mut db).await? {
            self.app.paging.heard(&name, at);
        }
        Ok(())
    }

    /// Calls the address outside, while rules are evaluated here and pages arrive.
    async fn call(&mut self) -> Option<String> {
        let url = self.app.stack.alerts.heartbeat_url.as_ref()?;
        if self.called.is_some_and(|at| at.elapsed() < self.app.stack.alerts.heartbeat_interval) {
            return None;
        }
        let (_, since) = self.app.paging.backlog();
        if since.is_some_and(|at| clock::now().since(at) >= STALLED) {
            return Some("pages do not arrive".to_owned());
        }
        let rules = self.app.alerting.rules();
        if rules.is_empty() {
            // Another server decides, and calls.
            return None;
        }
        let newest = rules.iter().filter_map(|it| it.last_evaluated_at).max();
        let often = rules.iter().map(|it| it.interval_s).fold(f64::INFINITY, f64::min);
        let longest = STALLED.as_secs_f64().max(3.0 * often);
        if newest.is_some_and(|at| clock::now().since(at).as_secs_f64() >= longest) {
            return Some("no rule is evaluated any more".to_owned());
        }
        self.called = Some(Instant::now());
        match self.client.post(url).send().await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the heartbeat address answered {}", answer.status())),
            // The address may hold a token.
            Err(error) => Some(format!("the heartbeat address cannot be called: {}", error.without_url())),
        }
    }
}

impl Task for Pulse {
    const NAME: &'static str = "pulse";
    type Report = Beat;

    async fn run(&mut self) -> anyhow::Result<Beat> {
        self.note().await?;
        let silent_because = self.call().await;
        if let Some(why) = &silent_because {
            tracing::warn!(why, "the address outside is not called");
        }
        Ok(Beat { silent_because })
    }
}
