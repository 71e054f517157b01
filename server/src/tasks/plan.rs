use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ops_contract::{
    ActionStatus, AgentName, Change, ChangeKind, Decision, DecisionKind, ReplicaId, SystemState, Timestamp,
};
use ops_engine::{Facts, Plan, Transition};
use ops_tasks::Task;
use serde::Serialize;

use super::act::{Draft, act};
use super::gather::{Stored, gather};
use crate::store::rolling::grouped;
use crate::{App, clock, store};

/// Which server plans, where several share a store.
pub(crate) const LEASE: &str = "plan";
const LEASE_FOR: Duration = Duration::from_secs(10);
/// Which server writes the timeline while no agent talks to any. Not the lease above: whoever has that keeps others from
/// deciding, and one that dies with it for ten seconds.
const TIMELINE: &str = "timeline";
const TIMELINE_FOR: Duration = Duration::from_secs(3);
/// Decisions read to know what was said before this process started.
const REREAD: u32 = 300;

/// Compares what is with what should be, and writes down what is to be done.
pub(crate) struct PlanTask {
    app: Arc<App>,
    /// What was last decided on each replica: waiting is not written down each second.
    said: Option<BTreeMap<String, Said>>,
    /// Transitions that the store has not got yet.
    unwritten: Vec<Change>,
}

/// A decision as it is compared with the one before.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Acted,
    Waits(DecisionKind),
}

/// What a pass came to.
#[derive(Serialize)]
pub(crate) struct Planned {
    decisions: usize,
    actions: usize,
    #[serde(skip)]
    wake_in: Option<Duration>,
}

impl PlanTask {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, said: None, unwritten: Vec::new() }
    }

    async fn pass(&mut self) -> anyhow::Result<Planned> {
        let app = self.app.clone();
        let now = clock::now();
        // Silence is judged even when the store is away.
        self.note(app.judge(), now);
        // The state is taken before the store is read: exits are kept before they are folded, so each exit that this
        // state shows is among those that are read. The other way round a failure could go uncounted.
        let state = app.state();
        let stored = match gather(&app.store, now).await {
            Ok(stored) => stored,
            Err(error) => {
                app.note_store(Some(format!("the store cannot be read: {error}")));
                return Err(error.into());
            }
        };
        app.note_store(None);
        app.remember_wishes(stored.desired.clone(), stored.intent);
        self.note(app.judge(), now);

        let wishes = grouped(&stored.wishes);
        let facts = Facts {
            now,
            stack: &app.stack,
            state: &state,
            inventory_known: app.inventory_known(),
            intent: stored.intent,
            desired: &stored.desired,
            open_actions: &stored.unsettled(&state, now),
            exits: &stored.exits,
            rolling: &wishes,
        };
        let plan = ops_engine::plan(&facts);
        let agent = app.agent();
        if let Some(agent) = &agent {
            app.show(&plan, agent);
            self.note(app.judge(), now);
        }
        if app.store.shared && !self.leads(&app, agent.is_some(), now).await? {
            // Another server decides, and writes the timeline.
            self.unwritten.clear();
            return Ok(Planned::nothing());
        }
        let Some(agent) = agent else {
            self.write_transitions(&app).await?;
            return Ok(Planned::nothing());
        };
        let actions = self.write(&app, &plan, &stored, &state, &agent, now).await?;
        self.write_transitions(&app).await?;
        let wake_in = plan.wake_at.map(|at| at.since(clock::now()));
        Ok(Planned { decisions: plan.decisions.len(), actions, wake_in })
    }

    /// Whether this server may write.
    async fn leads(&self, app: &App, has_agent: bool, now: Timestamp) -> anyhow::Result<bool> {
        let mut db = app.store.connection().await?;
        let latest = store::changes::list(&mut db, None, None, 20).await?;
        app.remember(&latest);
        if has_agent {
            return Ok(store::leases::take(&mut db, LEASE, &app.holder, now, now + LEASE_FOR).await?);
        }
        // Whoever an agent talks to may decide at once.
        store::leases::release(&mut db, LEASE, &app.holder).await?;
        Ok(!store::leases::is_of_another(&mut db, LEASE, &app.holder, now).await?
            && store::leases::take(&mut db, TIMELINE, &app.holder, now, now + TIMELINE_FOR).await?)
    }

    fn note(&mut self, transitions: Vec<Transition>, now: Timestamp) {
        let changes = transitions
            .into_iter()
            .map(|it| store::changes::new(ChangeKind::State, it.subject, "engine", it.summary, now));
        self.unwritten.extend(changes);
        // While the store is away only the latest are kept.
        let excess = self.unwritten.len().saturating_sub(100);
        self.unwritten.drain(..excess);
    }

    async fn write_transitions(&mut self, app: &App) -> store::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        // Shown at once; written when the store takes it.
        app.remember(&self.unwritten);
        let mut db = app.store.begin().await?;
        for change in &self.unwritten {
            store::changes::insert(&mut db, change).await?;
        }
        db.commit().await?;
        self.unwritten.clear();
        Ok(())
    }

    /// Writes what is new of the plan in one transaction and gives the agents word.
    async fn write(
        &mut self,
        app: &App,
        plan: &Plan,
        stored: &Stored,
        state: &SystemState,
        agent: &AgentName,
        now: Timestamp,
    ) -> anyhow::Result<usize> {
        let before = match self.said.take() {
            Some(said) => said,
            None => reread(app).await?,
        };
        let mut said: BTreeMap<String, Said> = BTreeMap::new();
        let mut news: Vec<(&Decision, &ReplicaId)> = Vec::new();
        for decision in &plan.decisions {
            let id = replica_of(&decision.kind);
            let now_said = in_short(&decision.kind);
            if now_said == Said::Acted || before.get(&id.to_string()) != Some(&now_said) {
                news.push((decision, id));
            }
            said.insert(id.to_string(), now_said);
        }
        if news.is_empty() {
            self.said = Some(said);
            return Ok(0);
        }
        let mut db = app.store.begin().await?;
        if app.store.shared && !holds_lease(&mut db, app).await? {
            // This server stood still for so long that another decides by now.
            return Ok(0);
        }
        let (mut changes, mut actions) = (Vec::new(), Vec::new());
        for (decision, id) in news {
            match &decision.kind {
                DecisionKind::Act { action, cause, .. } => {
                    let draft = Draft { id, kind: *action, cause: *cause, reason: &decision.reason, now };
                    let Some((action, change)) = act(&mut db, draft, state, &stored.wishes, agent).await?
                    else {
                        continue;
                    };
                    actions.push(action);
                    changes.push(change);
                }
                DecisionKind::GiveUp { .. } => {
                    let subject = id.to_string();
                    let change = store::changes::new(
                        ChangeKind::GaveUp,
                        subject,
                        "engine",
                        decision.reason.clone(),
                        now,
                    );
                    store::changes::insert(&mut db, &change).await?;
                    changes.push(change);
                }
                DecisionKind::BackOff { .. } | DecisionKind::Hold { .. } => {}
            }
            store::decisions::insert(&mut db, &id.to_string(), decision, now).await?;
        }
        db.commit().await?;
        self.said = Some(said);
        app.remember(&changes);
        for action in &actions {
            app.own.action(action.kind, ActionStatus::Requested);
        }
        if !actions.is_empty() {
            app.work.notify_waiters();
        }
        Ok(actions.len())
    }
}

impl Task for PlanTask {
    const NAME: &'static str = "plan";
    type Report = Planned;

    async fn run(&mut self) -> anyhow::Result<Planned> {
        let planned = self.pass().await;
        self.app.planned.send_modify(|count| *count += 1);
        planned
    }

    fn next_due(&self, report: &Planned) -> Option<Duration> {
        report.wake_in
    }
}

impl Planned {
    fn nothing() -> Self {
        Self { decisions: 0, actions: 0, wake_in: None }
    }
}

/// What was last decided on each replica, as the store has it.
async fn reread(app: &App) -> store::Result<BTreeMap<String, Said>> {
    let mut db = app.store.connection().await?;
    let decisions = store::decisions::list(&mut db, None, REREAD).await?;
    // Newest first: the oldest are put in first and overwritten.
    Ok(decisions.into_iter().rev().map(|it| (it.subject, in_short(&it.decision.kind))).collect())
}

/// Whether the lease is still ours, within the transaction that writes.
async fn holds_lease(db: &mut sqlx::AnyConnection, app: &App) -> store::Result<bool> {
    let now = clock::now();
    store::leases::take(db, LEASE, &app.holder, now, now + LEASE_FOR).await
}

fn in_short(kind: &DecisionKind) -> Said {
    match kind {
        DecisionKind::Act { .. } => Said::Acted,
        other => Said::Waits(other.clone()),
    }
}

fn replica_of(kind: &DecisionKind) -> &ReplicaId {
    match kind {
        DecisionKind::Act { replica, .. }
        | DecisionKind::BackOff { replica, .. }
        | DecisionKind::GiveUp { replica }
        | DecisionKind::Hold { replica } => replica,
    }
}
