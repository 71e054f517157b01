//! Who is told, when, and whether it arrived: the dispatcher of `ops-alerts` with its memory in the store, and the deliveries.
//!
//! What is to be told is stored with the change of the alert that it tells; deliveries are sent by whoever holds their lease.

mod acks;
mod calendars;
mod config;
mod deliver;
mod desk;
mod hear;
mod incidents;
mod intake;
mod merge;
mod outbox;
mod quiet;
mod send;
mod trial;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Duration;

use ops_alerts::dispatch::{Dispatcher, Settings, Stored};
use ops_alerts::oncall::OnCall;
use ops_alerts::routing::Routing;
use ops_alerts::templates::Templates;
use ops_contract::{Alert, Timestamp};
use ops_series::Matcher;
use ops_tasks::Activator;
use sqlx::AnyConnection;

use crate::store::{alert_groups, alerts, inbox, incidents as incident_rows, silences};
use crate::{App, clock};

pub(crate) use acks::{Link, read as read_link};
pub(crate) use calendars::Fetching;
pub(crate) use config::{Seen, load, look};
pub(crate) use deliver::{Delivered, Delivering};
pub(crate) use desk::{
    Refused, acknowledge, acknowledge_in, incident_view, incidents_view, notifications_view,
};
pub(crate) use hear::hear;
pub(crate) use outbox::absolute;
pub(crate) use trial::begin as begin_trial;

/// What tasks and requests share.
pub(crate) struct Paging {
    /// Groups and what was told of them; `None` until the store was read, and on servers that do not decide. Held for short:
    /// never while something is sent.
    pub(crate) dispatcher: tokio::sync::Mutex<Option<Dispatcher>>,
    /// Has deliveries sent now.
    pub(crate) deliver: Activator,
    config: Mutex<Arc<Config>>,
    /// Whether the configuration was read; before, nobody knows how to tell a receiver.
    configured: AtomicBool,
    started_at: Timestamp,
    /// What signs links that acknowledge.
    ack_key: std::sync::OnceLock<String>,
    calendars: calendars::Calendars,
    /// When each job reported in last.
    heartbeats: Mutex<BTreeMap<String, Timestamp>>,
    /// Until when it was said which silences ran out.
    said_until: AtomicI64,
    /// Deliveries that wait and since when the oldest does, as last counted.
    backlog: Mutex<(u64, Option<Timestamp>)>,
}

/// What the Alertmanager file says, as it last was without a fault.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) routing: Arc<Routing>,
    pub(crate) templates: Arc<Templates>,
    /// Who is on call, and who is told when nobody answers.
    pub(crate) on_call: Arc<OnCall>,
    /// What is wrong with the file as it is now, in words.
    pub(crate) faults: Vec<String>,
    /// What of it is not used, in words.
    pub(crate) remarks: Vec<String>,
}

impl Paging {
    pub(crate) fn new() -> Self {
        Self {
            dispatcher: tokio::sync::Mutex::default(),
            deliver: Activator::default(),
            config: Mutex::new(Arc::new(Config::default())),
            configured: AtomicBool::new(false),
            started_at: clock::now(),
            ack_key: std::sync::OnceLock::new(),
            calendars: Default::default(),
            heartbeats: Mutex::default(),
            said_until: AtomicI64::new(clock::now().0),
            backlog: Mutex::default(),
        }
    }

    /// Who is told of what, now.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.lock().clone()
    }

    pub(crate) fn set_config(&self, config: Config) {
        *self.lock() = Arc::new(config);
        self.configured.store(true, Ordering::Release);
    }

    /// Whether it is known how receivers are told.
    pub(crate) fn is_configured(&self) -> bool {
        self.configured.load(Ordering::Acquire)
    }

    /// Deliveries that wait and since when the oldest does, as last counted.
    pub(crate) fn backlog(&self) -> (u64, Option<Timestamp>) {
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job has reported in.
    pub(crate) fn heard(&self, name: &str, at: Timestamp) {
        let mut heartbeats = self.heartbeats.lock().unwrap_or_else(PoisonError::into_inner);
        let last = heartbeats.entry(name.to_owned()).or_insert(at);
        *last = (*last).max(at);
    }

    /// When each job reported in last.
    pub(crate) fn heartbeats(&self) -> BTreeMap<String, Timestamp> {
        self.heartbeats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn said(&self) -> Timestamp {
        Timestamp(self.said_until.load(Ordering::Acquire))
    }

    fn set_said(&self, until: Timestamp) {
        self.said_until.store(until.0, Ordering::Release);
    }

    fn count(&self, backlog: (u64, Option<Timestamp>)) {
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) = backlog;
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Config>> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            routing: Arc::new(Routing::default_for("log")),
            templates: Arc::default(),
            on_call: Arc::default(),
            faults: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

/// So far back alerts that ended count for what flaps.
const RECENT: Duration = Duration::from_mins(20);

/// The dispatcher as the store knows it. What its routes say now is stored with the next change.
pub(crate) async fn open(db: &mut AnyConnection, app: &App, now: Timestamp) -> anyhow::Result<Dispatcher> {
    quiet::begin(db, app, now).await?;
    let mut acked = BTreeMap::new();
    let groups = incident_rows::all_groups(db).await?;
    for incident in incident_rows::living(db, 10_000).await? {
        // One that has run out counts too: what was not told since is told again.
        if let Some(ack) = &incident.acknowledgement {
            let its = groups.iter().filter(|(_, id)| *id == incident.id);
            acked.extend(its.map(|(group, _)| (group.clone(), ack.until)));
        }
    }
    let stored = Stored {
        alerts: alerts::told_or_firing(db).await?,
        recent: alerts::resolved_since(db, now - RECENT).await?,
        groups: alert_groups::all(db).await?,
        members: alert_groups::members(db).await?,
        silences: silences::ending_after(db, now, 100_000).await?,
        acked,
    };
    let settings = Settings { routing: app.paging.config().routing.clone(), edges: edges(app) };
    let (dispatcher, mut writes) = Dispatcher::new(settings, stored, now);
    outbox::store(db, app, &mut writes, now).await?;
    Ok(dispatcher)
}

/// So far back a machine counts as one that there is.
const HOSTS: Duration = Duration::from_hours(24);

/// Services and what they need; with one agent also that agent, and its machine by the name that its series have.
pub(crate) fn edges(app: &App) -> Vec<(String, String)> {
    let of = |(name, spec): (&ops_contract::ServiceName, &ops_contract::ServiceSpec)| {
        let name = name.to_string();
        spec.depends_on.iter().map(move |it| (name.clone(), it.clone())).collect::<Vec<_>>()
    };
    let mut edges: Vec<(String, String)> = app.stack.services.iter().flat_map(of).collect();
    let state = app.state();
    // Of several nobody knows which replica stands where.
    let mut agents = state.agents.keys();
    if let (Some(agent), None) = (agents.next(), agents.next()) {
        let agent = agent.to_string();
        edges.extend(app.stack.services.keys().map(|name| (name.to_string(), agent.clone())));
        let now_ms = clock::now().0 / 1_000;
        let since = now_ms - i64::try_from(HOSTS.as_millis()).unwrap_or_default();
        let machines = [vec![Matcher::equal(ops_samples::NAME, "node_time_seconds")]];
        let hosts = app.series.store.label_values("instance", &machines, since, now_ms).unwrap_or_default();
        if let [host] = &hosts.into_iter().collect::<Vec<_>>()[..] {
            edges.push((agent, host.to_string()));
        }
    }
    edges
}

/// Whether anything waits to be taken in, or its time has come.
pub(crate) async fn is_due(app: &App, now: Timestamp) -> anyhow::Result<bool> {
    let told = match app.paging.dispatcher.lock().await.as_ref() {
        Some(dispatcher) => dispatcher.next_due().is_some_and(|at| at <= now),
        None => true,
    };
    // Never a connection while somebody waits for the dispatcher: there are few.
    let mut db = app.store.connection().await?;
    Ok(told
        || inbox::count(&mut db).await? > 0
        || quiet::is_due(&mut db, app, now).await?
        || incident_rows::next_due(&mut db).await?.is_some_and(|at| at <= now)
        || (now.since(app.paging.started_at) >= intake::GRACE
            && !alerts::expired(&mut db, now).await?.is_empty()))
}

/// Takes in what changed and what waits, and stores what is to be told; true when something is to be sent.
pub(crate) async fn advance(
    db: &mut AnyConnection,
    app: &App,
    dispatcher: &mut Dispatcher,
    changed: &[Alert],
    now: Timestamp,
) -> anyhow::Result<bool> {
    let mut all = changed.to_vec();
    all.extend(intake::take(db, dispatcher, now).await?);
    all.extend(intake::expire(db, app.paging.started_at, now).await?);
    quiet::say(db, app, now).await?;
    let (reopened, escalated) = incidents::advance(db, app, now).await?;
    for group in reopened {
        dispatcher.acknowledge(&group, Some(now));
    }
    let mut writes = dispatcher.advance(&all, now);
    let told = outbox::store(db, app, &mut writes, now).await?;
    Ok(told || escalated)
}
