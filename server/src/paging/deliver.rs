//! Deliveries on their way: claimed, merged with what waits behind them, sent, and noted. A slow receiver holds up nobody else:
//! each integration has its own few places, and a place is given to one lane at a time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use ops_alerts::receivers::{Answer, Integration, Message, Telling, Verdict};
use ops_contract::{
    AttemptOutcome, DeliveryAttempt, DeliveryStatus, Environment, Notification, NotificationReason, Timestamp,
};
use serde::Serialize;
use sqlx::AnyConnection;

use super::send::{MAIL_PATIENCE, NoAnswer, Sender};
use super::{acks, merge, outbox};
use crate::store::deliveries::{self, Waiting};
use crate::store::notifications;
use crate::{App, clock};

/// Messages to one integration at a time.
const PLACES: usize = 8;
/// After this time another server may try, unless the message has a longer deadline.
const LEASE: Duration = Duration::from_secs(25);
/// What belongs to an attempt beside the exchange itself.
const AROUND: Duration = Duration::from_secs(10);
/// Pauses after failures, then the last one again and again.
const PAUSES_S: [u64; 7] = [1, 2, 4, 8, 15, 30, 60];
/// After this time a receiver is given up.
const GIVE_UP: Duration = Duration::from_hours(24);

/// So long a receiver that the configuration does not have may yet come.
const UNKNOWN: Duration = Duration::from_mins(1);

/// Receiver and integration.
type Key = (String, String);

/// What is on its way from this server.
pub(crate) struct Delivering {
    app: Arc<App>,
    sender: Arc<Sender>,
    busy: BTreeMap<Key, Arc<AtomicUsize>>,
    /// Whether leases of a process that is gone were given back.
    begun: bool,
    /// When messages were sent to an integration that takes only so many.
    sent: Arc<Mutex<BTreeMap<Key, VecDeque<Instant>>>>,
}

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Delivered {
    pub(crate) begun: usize,
    pub(crate) due_in_ms: Option<i64>,
}

impl Delivering {
    pub(crate) fn new(app: Arc<App>) -> anyhow::Result<Self> {
        let sender = Arc::new(Sender::new(app.stack.environment == Environment::Production)?);
        Ok(Self { app, sender, busy: BTreeMap::new(), begun: false, sent: Arc::default() })
    }

    /// Begins what is due.
    pub(crate) async fn run(&mut self) -> anyhow::Result<Delivered> {
        let mut delivered = Delivered::default();
        if !self.app.paging.is_configured() {
            return Ok(delivered);
        }
        let mut db = self.app.store.connection().await?;
        if !self.begun && !self.app.store.shared {
            // Nobody else uses this store: who held a lease is dead.
            deliveries::release_all(&mut db).await?;
        }
        self.begun = true;
        let now = clock::now();
        for key in deliveries::due(&mut db, now).await? {
            delivered.begun += self.begin(&mut db, key, now).await?;
        }
        self.app.paging.count(deliveries::backlog(&mut db).await?);
        let next = deliveries::next_due(&mut db).await?;
        delivered.due_in_ms = next.map(|at| at.since(now).as_millis().try_into().unwrap_or(i64::MAX));
        // What is due and not begun waits for a place, which rings, or for its rate.
        delivered.due_in_ms = delivered.due_in_ms.map(|ms| ms.max(100));
        Ok(delivered)
    }

    async fn begin(&mut self, db: &mut AnyConnection, key: Key, now: Timestamp) -> anyhow::Result<usize> {
        let integration = outbox::integrations(&self.app.paging.config().routing, &key.0)
            .into_iter()
            .find(|it| it.key == key.1)
            .map(|it| it.integration);
        let busy = self.busy.entry(key.clone()).or_default().clone();
        let free =
            PLACES.saturating_sub(busy.load(Ordering::Acquire)).min(self.tokens(&key, integration.as_ref()));
        if free == 0 {
            return Ok(0);
        }
        let claimed =
            deliveries::claim(db, (&key.0, &key.1), &self.app.holder, (now, now + LEASE), free).await?;
        for it in &claimed {
            busy.fetch_add(1, Ordering::AcqRel);
            let trip = Trip {
                app: self.app.clone(),
                sender: self.sender.clone(),
                integration: integration.clone(),
                waiting: it.clone(),
                lease_until: now + LEASE,
            };
            let place = Place { busy: busy.clone(), app: self.app.clone() };
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = trip.make().await {
                    // The lease ends by itself, and it is tried again.
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "what became of a delivery could not be stored"
                    );
                }
            });
        }
        Ok(claimed.len())
    }

    /// How many messages an integration takes now. What is counted is taken: few are claimed and not sent.
    fn tokens(&self, key: &Key, integration: Option<&Integration>) -> usize {
        let Some(rate) = integration.and_then(Integration::rate_limit) else { return PLACES };
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let times = sent.entry(key.clone()).or_default();
        while times.front().is_some_and(|at| at.elapsed() >= rate.per) {
            times.pop_front();
        }
        // One at a time: what waits meanwhile is merged.
        if times.len() >= rate.count as usize {
            return 0;
        }
        times.push_back(Instant::now());
        1
    }
}

/// A place at an integration; given back when the trip is over, however it ends.
struct Place {
    busy: Arc<AtomicUsize>,
    app: Arc<App>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.busy.fetch_sub(1, Ordering::AcqRel);
        self.app.paging.deliver.activate();
    }
}

/// One attempt.
struct Trip {
    app: Arc<App>,
    sender: Arc<Sender>,
    integration: Option<Integration>,
    waiting: Waiting,
    lease_until: Timestamp,
}

impl Trip {
    async fn make(mut self) -> anyhow::Result<()> {
        // No connection is held while another is asked for: there are few.
        let note = {
            let mut db = self.app.store.connection().await?;
            notifications::get(&mut db, &self.waiting.notification).await?
        };
        let mut note = note.context("its notification is gone")?;
        if let Some(integration) = &self.integration
            && !self.waiting.uncertain
            && let Some((merged, delivery)) =
                merge::with_later(&self.app, integration, &self.waiting, &note, self.lease_until).await?
        {
            (note, self.waiting) = (merged, delivery);
        }
        let at = clock::now();
        let began = Instant::now();
        let (verdict, uncertain) = self.attempt(&note, at).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut db = self.app.store.begin().await?;
        self.note(&mut db, &note, verdict, uncertain, (at, took_ms)).await?;
        db.commit().await?;
        Ok(())
    }

    async fn attempt(&self, note: &Notification, now: Timestamp) -> (Verdict, bool) {
        let Some(integration) = &self.integration else {
            let detail = "the configuration no longer has this way to tell the receiver".to_owned();
            // Another server may have a newer file.
            let verdict = match now.since(self.waiting.created_at) < UNKNOWN {
                true => Verdict::Failed { detail, wait: None },
                false => Verdict::Refused { detail },
            };
            return (verdict, false);
        };
        let config = self.app.paging.config();
        let ack_url = acks::url(&self.app, note, now).await;
        let telling = Telling {
            templates: &config.templates,
            external_url: &self.app.external_url,
            now,
            version: env!("CARGO_PKG_VERSION"),
            ack_url: ack_url.as_deref(),
            test: note.reason == NotificationReason::Test,
        };
        let told = content(note, integration, self.waiting.alert.as_deref());
        let message = match integration.message(&told, &telling) {
            Ok(message) => message,
            Err(detail) => return (Verdict::Refused { detail }, false),
        };
        if let Err(why) = self.extend(&message, now).await {
            return (
                Verdict::Failed { detail: format!("the store does not answer: {why}"), wait: None },
                false,
            );
        }
        match self.sender.send(message).await {
            Ok(said) => {
                let answer = Answer { status: said.status, retry_after: said.retry_after, body: &said.body };
                let verdict = integration.judge(&answer);
                // Whoever fails inside may have done what was asked.
                let uncertain = matches!(verdict, Verdict::Failed { .. }) && said.status >= 500;
                (verdict, uncertain)
            }
            Err(NoAnswer { why, for_good: true, .. }) => (Verdict::Refused { detail: why }, false),
            Err(NoAnswer { why, uncertain, .. }) => (Verdict::Failed { detail: why, wait: None }, uncertain),
        }
    }

    /// Keeps the lease for as long as the message may take.
    async fn extend(&self, message: &Message, now: Timestamp) -> sqlx::Result<()> {
        let timeout = match message {
            Message::Http(message) => message.timeout,
            Message::Mail(_) => MAIL_PATIENCE,
            Message::Log(_) => Duration::ZERO,
        };
        if now + timeout + AROUND <= self.lease_until {
            return Ok(());
        }
        let mut db = self.app.store.connection().await?;
        deliveries::hold(&mut db, &self.waiting.id, &self.app.holder, now + timeout + AROUND).await
    }

    async fn note(
        &self,
        db: &mut AnyConnection,
        note: &Notification,
        verdict: Verdict,
        uncertain: bool,
        (at, took_ms): (Timestamp, u64),
    ) -> anyhow::Result<()> {
        let id = &self.waiting.id;
        let (outcome, detail, wait) = match verdict {
            Verdict::Delivered { detail } => (AttemptOutcome::Delivered, detail, None),
            Verdict::Failed { detail, wait } => (AttemptOutcome::Failed, detail, wait),
            Verdict::Refused { detail } => (AttemptOutcome::Refused, detail, None),
        };
        let now = clock::now();
        let detail: String = detail.chars().filter(|it| *it != '\0').take(500).collect();
        self.app.own.paging.count(&self.waiting, outcome);
        deliveries::attempted(db, id, &DeliveryAttempt { at, took_ms, outcome, detail: detail.clone() })
            .await?;
        let over = now.since(self.waiting.created_at) >= GIVE_UP;
        match outcome {
            AttemptOutcome::Delivered => deliveries::end(db, id, DeliveryStatus::Delivered, now).await?,
            AttemptOutcome::Failed if !over => {
                let pause = pause(self.waiting.attempts, &self.waiting.id).max(wait.unwrap_or_default());
                deliveries::again(db, id, now + pause, uncertain).await?;
            }
            AttemptOutcome::Failed | AttemptOutcome::Refused => {
                tracing::error!(receiver = self.waiting.receiver, id, detail, "a page was not taken");
                deliveries::end(db, id, DeliveryStatus::Dead, now).await?;
                self.fall_back(db, note, now).await?;
            }
        }
        Ok(())
    }

    /// Tells somebody else what a receiver does not take.
    async fn fall_back(
        &self,
        db: &mut AnyConnection,
        note: &Notification,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if matches!(note.reason, NotificationReason::Fallback | NotificationReason::Test) {
            return Ok(());
        }
        let receiver = outbox::fallback(&self.app);
        // Nobody left to tell but who reads the log.
        let receiver = if receiver == self.waiting.receiver { "log".to_owned() } else { receiver };
        let mut told = content_of(note, self.waiting.alert.as_deref());
        told.id = format!("{}-fallback", self.waiting.id);
        told.reason = NotificationReason::Fallback;
        told.receiver = receiver;
        told.created_at = now;
        outbox::post(db, &self.app, &told, None).await
    }
}

/// What an integration is told of a notification: one alert where it takes one at a time, and no ends where it wants none.
fn content(note: &Notification, integration: &Integration, alert: Option<&str>) -> Notification {
    let mut told = content_of(note, alert);
    if !integration.send_resolved() {
        let fires = |it: &ops_contract::NotifiedAlert| it.status == ops_contract::NotificationStatus::Firing;
        if told.alerts.iter().any(fires) {
            told.alerts.retain(fires);
        }
    }
    told
}

fn content_of(note: &Notification, alert: Option<&str>) -> Notification {
    let mut told = note.clone();
    if let Some(id) = alert {
        told.alerts.retain(|it| it.id == id);
        told.truncated = 0;
        if let Some(one) = told.alerts.first() {
            told.status = one.status;
        }
    }
    told
}

/// Pause after a failure, up to a fifth longer or shorter, so that many do not come back at one moment.
fn pause(attempts: u32, id: &str) -> Duration {
    let at = usize::try_from(attempts).unwrap_or(usize::MAX).min(PAUSES_S.len() - 1);
    let ms = PAUSES_S.get(at).copied().unwrap_or(60) * 1_000;
    let noise =
        id.bytes().fold(u64::from(attempts), |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Duration::from_millis(ms * (800 + noise % 401) / 1_000)
}
