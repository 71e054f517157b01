//! A small world for the scenarios: two api replicas on PostgreSQL, which the stack runs itself.
#![allow(dead_code, reason = "each scenario file uses its own part of the world")]

use std::collections::BTreeMap;
use std::time::Duration;

use ops_contract::*;
use ops_engine::{Facts, Intent, PastExit, Plan, Rolling, apply, fold, judge, plan};

/// When every scenario begins: 12:00:00 UTC.
pub(crate) const NOON: Timestamp = Timestamp(1_792_065_600_000_000);

/// `seconds` after noon.
pub(crate) fn at(seconds: u64) -> Timestamp {
    NOON + Duration::from_secs(seconds)
}

pub(crate) fn agent() -> AgentName {
    "local".into()
}

pub(crate) fn id(service: &str, slot: u16) -> ReplicaId {
    ReplicaId { service: service.into(), slot }
}

pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) state: SystemState,
    pub(crate) intent: Intent,
    pub(crate) desired: BTreeMap<ServiceName, u16>,
    pub(crate) open: Vec<Action>,
    pub(crate) exits: BTreeMap<ReplicaId, Vec<PastExit>>,
    pub(crate) rolling: Vec<Rolling>,
    pub(crate) changes: Vec<Change>,
    pub(crate) now: Timestamp,
}

impl World {
    /// Everything runs and is ready.
    pub(crate) fn well() -> Self {
        let mut world = Self::empty();
        world.store("postgres.main", DependencyStatus::Up, "answers");
        for (service, slot) in [("postgres-main", 0), ("api", 0), ("api", 1)] {
            world.replica(service, slot, ReplicaPhase::Ready);
        }
        world.judge();
        world
    }

    /// Nothing runs yet; the agent has said so.
    pub(crate) fn empty() -> Self {
        let services = [
            ("postgres-main".into(), service(ServiceRole::Infrastructure, 1, 1, &[])),
            ("api".into(), service(ServiceRole::Frontend, 2, 4, &["postgres.main"])),
        ];
        let stack = Stack {
            name: "test".into(),
            environment: Environment::Test,
            services: services.into(),
            postgres: BTreeMap::new(),
            valkey: BTreeMap::new(),
            secrets: BTreeMap::new(),
            alerts: Default::default(),
            telemetry: Default::default(),
            scrape: Vec::new(),
            secret_stores: Default::default(),
            audit: Default::default(),
        };
        let mut world = Self {
            stack,
            state: SystemState::default(),
            intent: Intent::Running,
            desired: BTreeMap::new(),
            open: Vec::new(),
            exits: BTreeMap::new(),
            rolling: Vec::new(),
            changes: Vec::new(),
            now: NOON,
        };
        world.signal(&Signal::Inventory { replicas: Vec::new() });
        world.judge();
        world
    }

    pub(crate) fn later(&mut self, seconds: u64) -> &mut Self {
        self.now = self.now + Duration::from_secs(seconds);
        self
    }

    pub(crate) fn signal(&mut self, signal: &Signal) {
        fold(&mut self.state, &agent(), signal, self.now);
    }

    pub(crate) fn judge(&mut self) -> Vec<ops_engine::Transition> {
        judge(&mut self.state, &self.stack, &self.desired, self.intent, self.now)
    }

    pub(crate) fn report(
        &self,
        service: &str,
        slot: u16,
        generation: i64,
        phase: ReplicaPhase,
    ) -> ReplicaReport {
        ReplicaReport {
            replica: id(service, slot),
            generation,
            phase,
            since: self.now,
            pid: phase.may_be_alive().then_some(100 + u32::from(slot)),
            port: Some(4000 + slot),
            started_at: Some(NOON),
            detail: None,
            unresponsive: false,
            usage: None,
            at: self.now,
        }
    }

    pub(crate) fn replica(&mut self, service: &str, slot: u16, phase: ReplicaPhase) {
        let report = self.report(service, slot, 1, phase);
        self.signal(&Signal::Replica(report));
    }

    pub(crate) fn hangs(&mut self, service: &str, slot: u16) {
        let report =
            ReplicaReport { unresponsive: true, ..self.report(service, slot, 1, ReplicaPhase::NotReady) };
        self.signal(&Signal::Replica(report));
    }

    /// A generation ends by SIGKILL, now.
    pub(crate) fn crashes(&mut self, service: &str, slot: u16, generation: i64) {
        self.ends(service, slot, generation, ExitReason::Failed, None);
    }

    pub(crate) fn ends(
        &mut self,
        service: &str,
        slot: u16,
        generation: i64,
        reason: ExitReason,
        code: Option<i32>,
    ) {
        let meaning =
            code.map_or("killed by SIGKILL (137)".to_owned(), |code| format!("exited with code {code}"));
        let exit = Exit {
            replica: id(service, slot),
            generation,
            reason,
            code,
            signal: code.is_none().then_some(9),
            meaning: meaning.clone(),
            started_at: None,
            at: self.now,
            last_lines: Vec::new(),
        };
        self.signal(&Signal::ReplicaExited(exit));
        let past = PastExit { generation, at: self.now, reason, code, meaning };
        self.exits.entry(id(service, slot)).or_default().push(past);
    }

    pub(crate) fn store(&mut self, name: &str, status: DependencyStatus, detail: &str) {
        self.signal(&Signal::Dependency(DependencyReport {
            name: name.to_owned(),
            kind: DependencyKind::Postgres,
            status,
            detail: detail.to_owned(),
            latency_ms: None,
            at: self.now,
        }));
    }

    pub(crate) fn plan(&mut self) -> Plan {
        self.judge();
        let plan = plan(&self.facts());
        apply(&mut self.state, &plan, &agent(), self.now);
        self.judge();
        plan
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            now: self.now,
            stack: &self.stack,
            state: &self.state,
            inventory_known: true,
            intent: self.intent,
            desired: &self.desired,
            open_actions: &self.open,
            exits: &self.exits,
            rolling: &self.rolling,
        }
    }

    /// Writes the plan's actions down as the server would.
    pub(crate) fn open(&mut self, plan: &Plan) {
        for decision in &plan.decisions {
            let DecisionKind::Act { replica, action, cause } = &decision.kind else { continue };
            self.open.push(Action {
                id: replica.to_string(),
                kind: *action,
                replica: replica.clone(),
                generation: 2,
                cause: *cause,
                reason: decision.reason.clone(),
                requested_by: "engine".into(),
                requested_at: self.now,
                status: ActionStatus::Requested,
                error: None,
                finished_at: None,
            });
        }
    }

    pub(crate) fn sentence(&mut self) -> String {
        self.judge();
        ops_engine::explain(&self.stack, &self.state, &self.changes, self.now).sentence
    }
}

/// Decisions in short: `start api/0`, `wait api/0`, `give up api/0`, `hold api/0`.
pub(crate) fn short(plan: &Plan) -> Vec<String> {
    let words = |decision: &Decision| match &decision.kind {
        DecisionKind::Act { replica, action: ActionKind::Start, .. } => format!("start {replica}"),
        DecisionKind::Act { replica, action: ActionKind::Stop, .. } => format!("stop {replica}"),
        DecisionKind::Act { replica, action: ActionKind::Restart, .. } => format!("restart {replica}"),
        DecisionKind::BackOff { replica, .. } => format!("wait {replica}"),
        DecisionKind::GiveUp { replica } => format!("give up {replica}"),
        DecisionKind::Hold { replica } => format!("hold {replica}"),
    };
    plan.decisions.iter().map(words).collect()
}

fn service(role: ServiceRole, min: u16, max: u16, depends_on: &[&str]) -> ServiceSpec {
    ServiceSpec {
        role,
        program: Program { command: vec!["true".into()], directory: "/".into() },
        driver: Driver::Process,
        port: None,
        replicas: ReplicaBounds { min, max },
        health: None,
        deep_check: None,
        restart: RestartPolicy {
            mode: RestartMode::OnFailure,
            max: 3,
            window: Duration::from_secs(600),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(30),
            never_on: vec![78],
        },
        stop: StopPolicy { grace: Duration::from_secs(30), signal: "TERM".into() },
        depends_on: depends_on.iter().map(|it| (*it).to_owned()).collect(),
        env: BTreeMap::new(),
        secrets: Vec::new(),
        scale: None,
        route: None,
        metrics: None,
    }
}
