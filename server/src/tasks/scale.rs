//! Decides how many replicas each service should have, whenever its queues have been looked at.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ops_contract::{
    Change, ChangeKind, ManualScale, ScalingDecision, ScalingPoint, ScalingSignal, ServiceName, ServiceSpec,
    Timestamp,
};
use ops_engine::Intent;
use ops_engine::scale::{Recording, ScaleMemory, ScaleOutcome, ScaleWorld, StartTimes, scale, scale_input};
use ops_tasks::Task;
use serde::Serialize;
use uuid::Uuid;

use super::plan::LEASE;
use crate::{App, clock, store};

/// A decision is made on new data at once, and without any after this time.
const AT_LEAST_EVERY: Duration = Duration::from_secs(2);
/// For how long others may rely on a decision.
const VALID_FOR: Duration = Duration::from_secs(15);
/// A recording covers this time, unless a number changes before: then it is written with the change.
const RECORD_FOR: Duration = Duration::from_secs(60);
/// Between two points of a service's history, and how many are kept: an hour.
const POINT_EVERY: Duration = Duration::from_secs(10);
const POINTS: usize = 360;
/// Between two decisions that are written down although they changed nothing.
const SAID_EVERY: Duration = Duration::from_secs(30);
/// The name under which the autoscaler acts.
const ACTOR: &str = "autoscaler";

/// Scales the services that follow something.
pub(super) struct Scale {
    app: Arc<App>,
    services: BTreeMap<ServiceName, Kept>,
}

/// What is kept of a service between passes. All of it can be lost but for the recording, which is written in time.
#[derive(Default)]
struct Kept {
    memory: ScaleMemory,
    recording: Recording,
    recorded_at: Timestamp,
    starts: StartTimes,
    decided_at: Timestamp,
    /// The times of the looks that the last decision rested on, and the number it was told.
    basis: String,
    outcome: Option<ScaleOutcome>,
    /// What was last written down, without figures.
    said: String,
    said_at: Timestamp,
    history: VecDeque<ScalingPoint>,
}

/// What a pass came to.
#[derive(Serialize)]
pub(super) struct Scaled {
    decisions: usize,
    changes: usize,
}

impl Scale {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, services: BTreeMap::new() }
    }

    /// One service; whether it was decided, and whether its number changed.
    async fn pass(
        &mut self,
        name: &ServiceName,
        spec: &ServiceSpec,
        stored: &Stored,
        now: Timestamp,
    ) -> anyhow::Result<Scaled> {
        let app = self.app.clone();
        if !self.services.contains_key(name) {
            let kept = Kept::take_up(&app, name, now).await?;
            self.services.insert(name.clone(), kept);
        }
        let Some(kept) = self.services.get_mut(name) else { return Ok(Scaled { decisions: 0, changes: 0 }) };
        let desired = ops_engine::desired(name, spec, &stored.desired);
        let manual = stored.manual.get(name).filter(|it| it.until.is_none_or(|until| until > now)).cloned();
        let state = app.state();
        let frozen = stored.exchanging(name);
        let world = ScaleWorld { name, spec, state: &state, desired, manual, frozen };
        let Some(mut input) = scale_input(&world, now) else {
            return Ok(Scaled { decisions: 0, changes: 0 });
        };
        let basis = format!(
            "{:?} {desired} {:?}",
            input.queues.values().map(|it| it.look.at_s).collect::<Vec<_>>(),
            input.manual
        );
        if basis == kept.basis && now.since(kept.decided_at) < AT_LEAST_EVERY {
            return Ok(Scaled { decisions: 0, changes: 0 });
        }
        input.start_delays_s = kept.starts.notice(name, &state);
        let outcome = scale(&input, &mut kept.memory);
        kept.basis = basis;
        kept.decided_at = now;
        let signal = signal(name, spec, &outcome, &input.fleet, input.manual.clone(), now);
        kept.point(&signal, &input, now);
        kept.recording.decisions.push((input, outcome.clone()));
        let decision = kept.worth_saying(name, &outcome, desired, now);
        let changed = outcome.desired != desired;
        if changed || decision.is_some() || now.since(kept.recorded_at) >= RECORD_FOR {
            write(&app, name, kept, decision.as_ref(), changed, now).await?;
        }
        if let Some(decision) = &decision {
            kept.said = gist(&outcome);
            kept.said_at = now;
            tracing::debug!(service.name = %name, from = decision.from, to = decision.to, "{}", decision.reason);
        }
        kept.outcome = Some(outcome);
        let history: Vec<ScalingPoint> = kept.history.iter().copied().collect();
        app.keep_scaling_history(name, history);
        app.scaling.send_if_modified(|all| {
            let all = Arc::make_mut(all);
            let before = all.insert(name.clone(), signal.clone());
            before.is_none_or(|before| before.desired != signal.desired || before.state != signal.state)
        });
        Ok(Scaled { decisions: 1, changes: usize::from(changed) })
    }
}

impl Task for Scale {
    const NAME: &'static str = "scale";
    type Report = Scaled;

    async fn run(&mut self) -> anyhow::Result<Scaled> {
        let app = self.app.clone();
        let now = clock::now();
        let mut all = Scaled { decisions: 0, changes: 0 };
        let follows = app.stack.services.values().any(|spec| spec.scale.is_some());
        // Nobody is heard, or not all is told yet: what was said runs out and is unknown.
        if !follows || !app.inventory_known() {
            return Ok(all);
        }
        let stored = Stored::read(&app, now).await?;
        if stored.intent == Intent::Stopped || !stored.leads {
            return Ok(all);
        }
        for (name, spec) in app.stack.services.iter().filter(|(_, spec)| spec.scale.is_some()) {
            let done = self.pass(name, spec, &stored, now).await?;
            all.decisions += done.decisions;
            all.changes += done.changes;
        }
        if all.changes > 0 {
            app.plan.activate();
        }
        Ok(all)
    }
}

/// What the store says, read afresh for each pass.
struct Stored {
    intent: Intent,
    leads: bool,
    desired: BTreeMap<ServiceName, u16>,
    manual: BTreeMap<ServiceName, ManualScale>,
    rolling: Vec<store::rolling::Wish>,
}

impl Stored {
    async fn read(app: &App, now: Timestamp) -> store::Result<Self> {
        let mut db = app.store.connection().await?;
        let intent = store::meta::get(&mut db, store::meta::INTENT).await?;
        let stored = Self {
            intent: if intent.as_deref() == Some("stopped") { Intent::Stopped } else { Intent::Running },
            leads: !app.store.shared || store::leases::holds(&mut db, LEASE, &app.holder, now).await?,
            desired: store::services::desired(&mut db).await?,
            manual: store::scaling::manual(&mut db).await?,
            rolling: store::rolling::list(&mut db).await?,
        };
        drop(db);
        for (service, manual) in &stored.manual {
            if let Some(until) = manual.until.filter(|until| *until <= now) {
                stored.end_manual(app, service, manual, until, now).await?;
            }
        }
        Ok(stored)
    }

    /// An operator's number is over: the autoscaler's counts again.
    async fn end_manual(
        &self,
        app: &App,
        service: &ServiceName,
        manual: &ManualScale,
        until: Timestamp,
        now: Timestamp,
    ) -> store::Result<()> {
        if !self.leads {
            return Ok(());
        }
        let summary = format!(
            "{}'s {} replicas of {service} are over; the autoscaler decides again",
            manual.by, manual.replicas
        );
        tracing::info!(service.name = %service, until = until.0, "{summary}");
        let change = store::changes::new(ChangeKind::Scale, service.to_string(), ACTOR, summary, now);
        let mut db = app.store.begin().await?;
        if store::scaling::remove_manual(&mut db, service).await? {
            store::changes::insert(&mut db, &change).await?;
        }
        db.commit().await?;
        app.remember(&[change]);
        Ok(())
    }

    /// Why no replica may be taken away now.
    fn exchanging(&self, name: &ServiceName) -> Option<String> {
        let exchanging = self.rolling.iter().any(|wish| wish.service == *name);
        exchanging.then(|| "replicas are being exchanged".to_owned())
    }
}

impl Kept {
    /// Goes on where the last recording ended, so that a restart of the server forgets at most a minute.
    async fn take_up(app: &App, name: &ServiceName, now: Timestamp) -> anyhow::Result<Self> {
        let mut db = app.store.connection().await?;
        let last = store::scaling::last_recording(&mut db, name).await;
        let memory = match last {
            Ok(Some(recording)) => recording.replay().unwrap_or_else(|mismatch| {
                tracing::warn!(service.name = %name, ?mismatch, "decisions come out otherwise in this version; what was learnt is dropped");
                ScaleMemory::default()
            }),
            Ok(None) => ScaleMemory::default(),
            Err(error) => {
                tracing::warn!(service.name = %name, %error, "the last recording cannot be read; what was learnt is dropped");
                ScaleMemory::default()
            }
        };
        let recording = Recording { memory: memory.clone(), decisions: Vec::new() };
        Ok(Self { memory, recording, recorded_at: now, ..Self::default() })
    }

    fn point(&mut self, signal: &ScalingSignal, input: &ops_engine::scale::ScaleInput, now: Timestamp) {
        if self
            .history
            .back()
            .is_some_and(|last| now.since(last.at) < POINT_EVERY && last.desired == signal.desired)
        {
            return;
        }
        let known = !input.queues.is_empty() && input.queues.values().all(|it| it.fault.is_none());
        let waiting: f64 = input.queues.values().map(|it| it.look.waiting).sum();
        let oldest = input.queues.values().map(|it| it.look.oldest_s).fold(0.0, f64::max);
        self.history.push_back(ScalingPoint {
            at: now,
            desired: signal.desired,
            ready: input.fleet.ready,
            backlog: known.then_some(waiting as u64),
            oldest_age_s: known.then_some(oldest),
        });
        while self.history.len() > POINTS {
            self.history.pop_front();
        }
    }

    /// A decision that operators will look for: a changed number, or a number held for another reason than before.
    fn worth_saying(
        &self,
        name: &ServiceName,
        outcome: &ScaleOutcome,
        desired: u16,
        now: Timestamp,
    ) -> Option<ScalingDecision> {
        let changed = outcome.desired != desired;
        let otherwise = self.said != gist(outcome) && now.since(self.said_at) >= SAID_EVERY;
        (changed || otherwise).then(|| ScalingDecision {
            id: Uuid::now_v7().to_string(),
            service: name.clone(),
            at: now,
            from: desired,
            to: outcome.desired,
            reason: outcome.reason.clone(),
            held: outcome.held.clone(),
            inputs: outcome.inputs.clone(),
        })
    }
}

/// Writes a number, why, and all that led to it, in one transaction.
async fn write(
    app: &App,
    name: &ServiceName,
    kept: &mut Kept,
    decision: Option<&ScalingDecision>,
    changed: bool,
    now: Timestamp,
) -> anyhow::Result<()> {
    let mut changes: Vec<Change> = Vec::new();
    let mut db = app.store.begin().await?;
    store::scaling::insert_recording(&mut db, name, &kept.recording, now).await?;
    if let Some(decision) = decision {
        store::scaling::insert_decision(&mut db, decision).await?;
        if changed {
            let summary = format!("{name} from {} to {}: {}", decision.from, decision.to, decision.reason);
            let change = store::changes::new(ChangeKind::Scale, name.to_string(), ACTOR, summary, now);
            store::services::set_desired(&mut db, name, decision.to, ACTOR, now).await?;
            store::changes::insert(&mut db, &change).await?;
            changes.push(change);
        }
    }
    db.commit().await?;
    kept.recording = Recording { memory: kept.memory.clone(), decisions: Vec::new() };
    kept.recorded_at = now;
    app.remember(&changes);
    Ok(())
}

fn signal(
    name: &ServiceName,
    spec: &ServiceSpec,
    outcome: &ScaleOutcome,
    fleet: &ops_engine::scale::Fleet,
    manual: Option<ManualScale>,
    now: Timestamp,
) -> ScalingSignal {
    let starting = u16::try_from(fleet.starting_s.len()).unwrap_or(u16::MAX);
    ScalingSignal {
        service: name.clone(),
        desired: outcome.desired,
        current: fleet.ready.saturating_add(starting),
        bounds: spec.replicas,
        state: outcome.state,
        reason: outcome.reason.clone(),
        held: outcome.held.clone(),
        inputs: outcome.inputs.clone(),
        manual,
        decided_at: now,
        valid_until: now + VALID_FOR,
    }
}

/// What an outcome says, without its figures.
fn gist(outcome: &ScaleOutcome) -> String {
    let held = outcome.held.join("; ");
    let words: String = held.chars().filter(|it| !it.is_ascii_digit() && *it != '.').collect();
    format!("{} {:?} {words}", outcome.desired, outcome.state)
}
