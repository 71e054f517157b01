//! One pass over what is due: evaluate, store, and only then let it count.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ops_alerts::dispatch::Dispatcher;
use ops_alerts::rules::{Backend, Engine, Job, Local, Outcome, Step};
use ops_contract::{AlertState, Timestamp};
use ops_promql::Limits;
use ops_samples::{Labels, Sample};
use serde::Serialize;

use super::files;
use crate::{App, clock, paging, store};

/// Resolved alerts are shown, and told again, for this long (Prometheus: 15 min).
const RESOLVED_FOR: Duration = Duration::from_secs(900);
/// The lease of the server that decides what fires and who is told.
pub(crate) const LEASE: &str = "alerts";
/// Renewed every second; what a server does that lost it unnoticed, the store refuses.
const LEASE_FOR: Duration = Duration::from_secs(5);
/// Rule files are looked at again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Longest evaluation of one rule.
const PATIENCE: Duration = Duration::from_secs(30);
/// Rounds of one pass: a rule that reads what another records is woken by it.
const ROUNDS: usize = 10;

/// What is kept between passes; all of it can be lost.
pub(crate) struct Pass {
    app: Arc<App>,
    seen: Option<files::Seen>,
    looked: Instant,
    routing: Option<paging::Seen>,
    /// What depends on what, as the dispatcher knows it.
    edges: Vec<(String, String)>,
    looked_at_routing: Instant,
    /// What could not be stored yet.
    unsaved: Vec<Outcome>,
}

/// What a pass came to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Passed {
    pub(crate) evaluated: usize,
    pub(crate) transitions: usize,
    /// When something is due again, whatever arrives until then.
    pub(crate) due_in_ms: Option<i64>,
}

impl Pass {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self {
            app,
            seen: None,
            looked: Instant::now(),
            routing: None,
            edges: Vec::new(),
            looked_at_routing: Instant::now(),
            unsaved: Vec::new(),
        }
    }

    /// Does what is due.
    pub(crate) async fn run(&mut self) -> anyhow::Result<Passed> {
        // Every server sends, so every server must know the receivers.
        self.take_up_routing().await?;
        if !self.leads().await? {
            self.stand_back().await;
            return Ok(Passed::default());
        }
        self.take_up_rules().await?;
        let mut passed = Passed::default();
        for _ in 0..ROUNDS {
            let jobs = self.app.alerting.engine().as_mut().map(|it| it.due(now_ms())).unwrap_or_default();
            if jobs.is_empty() && self.unsaved.is_empty() {
                break;
            }
            passed.evaluated += jobs.len();
            let app = self.app.clone();
            let mut outcomes = std::mem::take(&mut self.unsaved);
            for newer in tokio::task::spawn_blocking(move || evaluate(&app, jobs)).await? {
                // Two of the same rule in one plan would begin the same alert twice; the newer one knows more.
                outcomes.retain(|older| older.rule() != newer.rule());
                outcomes.push(newer);
            }
            passed.transitions += self.save(outcomes).await?;
        }
        if paging::is_due(&self.app, clock::now()).await? {
            self.store(&[]).await?;
        }
        let next = self.app.alerting.engine().as_ref().and_then(Engine::next_due_ms);
        let told = self.app.paging.dispatcher.lock().await.as_ref().and_then(Dispatcher::next_due).map(ms);
        passed.due_in_ms = next.into_iter().chain(told).min().map(|at| (at - now_ms()).max(0));
        Ok(passed)
    }

    /// Another server decides: what this one remembers is old when its turn comes again.
    async fn stand_back(&self) {
        *self.app.alerting.engine() = None;
        *self.app.paging.dispatcher.lock().await = None;
    }

    /// Loads the Alertmanager file at first, and again when it is another than before.
    async fn take_up_routing(&mut self) -> anyhow::Result<()> {
        if self.routing.is_some() && self.looked_at_routing.elapsed() < LOOK_AGAIN {
            return Ok(());
        }
        self.looked_at_routing = Instant::now();
        let edges = paging::edges(&self.app);
        if self.edges != edges {
            self.edges = edges;
            // It is read again with the new graph.
            *self.app.paging.dispatcher.lock().await = None;
        }
        let seen = paging::look(&self.app);
        if self.routing.as_ref() == Some(&seen) {
            return Ok(());
        }
        let config = paging::load(&self.app).await?;
        for remark in &config.remarks {
            tracing::warn!(remark, "of the Alertmanager file something has no effect");
        }
        self.app.paging.set_config(config);
        self.app.paging.deliver.activate();
        // It is read again with the new routes.
        *self.app.paging.dispatcher.lock().await = None;
        // The file may name other templates than before.
        self.routing = Some(paging::look(&self.app));
        Ok(())
    }

    /// Of several servers with one store one decides: the one to which the agents talk, or any while they talk to none.
    async fn leads(&self) -> anyhow::Result<bool> {
        let app = &self.app;
        if !app.store.shared {
            return Ok(true);
        }
        let now = clock::now();
        let mut db = app.store.connection().await?;
        if store::leases::is_of_another(&mut db, crate::tasks::LEASE, &app.holder, now).await? {
            store::leases::release(&mut db, LEASE, &app.holder).await?;
            return Ok(false);
        }
        Ok(store::leases::take(&mut db, LEASE, &app.holder, now, now + LEASE_FOR).await?)
    }

    /// Loads the rules at first, and again when a file is another than before.
    async fn take_up_rules(&mut self) -> anyhow::Result<()> {
        let known = self.app.alerting.engine().is_some();
        if known && self.looked.elapsed() < LOOK_AGAIN {
            return Ok(());
        }
        self.looked = Instant::now();
        let app = self.app.clone();
        let seen = tokio::task::spawn_blocking(move || files::look(&app.stack)).await?;
        if self.seen.as_ref() == Some(&seen) {
            return Ok(());
        }
        let before = store::rule_files::all(&mut *self.app.store.connection().await?).await?;
        let app = self.app.clone();
        let there = seen.clone();
        let load = move || files::load(&app.stack, &there, &app.alerting.settings, &before);
        let loaded = tokio::task::spawn_blocking(load).await?;
        for fault in &loaded.faults {
            tracing::error!(fault, "a rule file cannot be used");
        }
        *self.app.alerting.faults() = loaded.faults;
        let ended = {
            let mut engine = self.app.alerting.engine();
            engine.as_mut().map(|it| it.replace(loaded.rules.clone(), now_ms()))
        };
        match ended {
            Some(ended) => {
                if let Err(error) = self.commit(ended).await {
                    // What ended is not stored: the next pass begins anew from what is.
                    *self.app.alerting.engine() = None;
                    return Err(error);
                }
            }
            None => {
                let mut db = self.app.store.connection().await?;
                let stored = store::alerts::living(&mut db, clock::now() - RESOLVED_FOR).await?;
                *self.app.alerting.engine() = Some(Engine::new(loaded.rules, stored, now_ms()));
            }
        }
        let mut db = self.app.store.begin().await?;
        store::rule_files::replace(&mut db, &loaded.good).await?;
        db.commit().await?;
        self.seen = Some(seen);
        Ok(())
    }

    /// Stores what the outcomes change; what cannot be stored is kept for the next pass.
    async fn save(&mut self, outcomes: Vec<Outcome>) -> anyhow::Result<usize> {
        let steps: Vec<Step> = match self.app.alerting.engine().as_ref() {
            Some(engine) => outcomes.iter().map(|it| engine.plan(it)).collect(),
            None => return Ok(0),
        };
        let transitions = steps.iter().map(|it| it.transitions.len()).sum();
        if let Err(error) = self.commit(steps).await {
            self.unsaved = outcomes;
            return Err(error);
        }
        Ok(transitions)
    }

    /// Of several servers, only the one that has the lease writes: it keeps the others from taking it until it has.
    async fn fence(&self, db: &mut sqlx::AnyConnection, now: Timestamp) -> anyhow::Result<()> {
        let app = &self.app;
        if app.store.shared && !store::leases::keep(db, LEASE, &app.holder, now).await? {
            anyhow::bail!("another server decides now");
        }
        Ok(())
    }

    /// Stores what steps change, and with it what is to be told of it.
    async fn store(&self, steps: &[Step]) -> anyhow::Result<()> {
        let app = &self.app;
        let now = clock::now();
        // Whatever fails below: what is known is read again from the store.
        let mut memory = app.paging.dispatcher.lock().await;
        let known = memory.take();
        let mut db = app.store.begin().await?;
        self.fence(&mut db, now).await?;
        let mut changed = Vec::new();
        for step in steps.iter().filter(|step| step.changed) {
            for alert in &step.ended {
                if alert.state == AlertState::Resolved {
                    store::alerts::upsert(&mut db, alert).await?;
                    changed.push(alert.clone());
                } else {
                    store::alerts::delete(&mut db, &alert.id).await?;
                }
            }
            for alert in &step.upserts {
                store::alerts::upsert(&mut db, alert).await?;
                changed.push(alert.clone());
            }
        }
        let mut dispatcher = match known {
            Some(known) => known,
            None => paging::open(&mut db, app, now).await?,
        };
        let told = paging::advance(&mut db, app, &mut dispatcher, &changed, now).await?;
        db.commit().await?;
        *memory = Some(dispatcher);
        drop(memory);
        if told {
            app.paging.deliver.activate();
        }
        Ok(())
    }

    /// Stores steps, then lets them count, then writes their series.
    async fn commit(&self, steps: Vec<Step>) -> anyhow::Result<()> {
        if steps.iter().any(|step| step.changed) {
            self.store(&steps).await?;
        }
        for transition in steps.iter().flat_map(|step| &step.transitions) {
            tell(transition);
        }
        let mut samples = Vec::new();
        {
            let mut engine = self.app.alerting.engine();
            for mut step in steps {
                samples.append(&mut step.samples);
                if let Some(engine) = engine.as_mut() {
                    engine.apply(step);
                }
            }
        }
        append(&self.app, &samples);
        Ok(())
    }
}

/// Evaluates, in order. What records a series counts at once, because the next rule of its group may read it.
fn evaluate(app: &App, jobs: Vec<Job>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for job in jobs {
        let limits = Limits { deadline: Some(Instant::now() + PATIENCE), ..Limits::default() };
        let local;
        let backend: &dyn Backend = match &app.alerting.remote {
            Some(remote) => remote,
            None => {
                local = Local::new(&app.series.store, limits);
                &local
            }
        };
        let outcome = job.run(backend, now_ms());
        let Some(mut step) = app.alerting.engine().as_ref().map(|it| it.plan(&outcome)) else { continue };
        if step.changed {
            outcomes.push(outcome);
            continue;
        }
        // Not with the engine in hand: what is appended wakes rules, which asks for it.
        append(app, &std::mem::take(&mut step.samples));
        if let Some(engine) = app.alerting.engine().as_mut() {
            engine.apply(step);
        }
    }
    outcomes
}

/// Puts series of rules among the others, which wakes the rules that read them.
fn append(app: &App, samples: &[(Labels, Sample)]) {
    if !samples.is_empty() {
        app.series.append_labelled(samples);
    }
}

fn tell(transition: &ops_alerts::rules::Transition) {
    let alert = &transition.alert;
    let name = alert.labels.get("alertname").map_or("", String::as_str);
    let to = match alert.state {
        AlertState::Pending => "is pending",
        AlertState::Firing => "fires",
        AlertState::Resolved => "is resolved",
    };
    tracing::info!(alert.id, alert.rule, "{name} {to}");
}

fn now_ms() -> i64 {
    ms(clock::now())
}

fn ms(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}
