use std::collections::BTreeMap;

use ops_contract::{
    Action, ExitReason, ReplicaId, RestartPolicy, ServiceName, ServiceSpec, Stack, SystemState, Timestamp,
};

/// Everything that a plan may depend on, gathered afresh for each one.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The moment of the plan.
    pub now: Timestamp,
    /// What should run.
    pub stack: &'a Stack,
    /// What is known, judged a moment ago.
    pub state: &'a SystemState,
    /// Whether an agent has told all that it has since this server started. Without it nothing is decided.
    pub inventory_known: bool,
    /// Whether the stack should run.
    pub intent: Intent,
    /// Wanted replicas where an operator or the autoscaler changed them.
    pub desired: &'a BTreeMap<ServiceName, u16>,
    /// Actions that are requested or leased.
    pub open_actions: &'a [Action],
    /// Ends of each slot's generations, oldest first, since the slot was last reset (an operator's restart of it,
    /// or a start of the stack); at least those of the longest restart window.
    pub exits: &'a BTreeMap<ReplicaId, Vec<PastExit>>,
    /// Restarts that operators asked for and that are not begun.
    pub rolling: &'a [Rolling],
}

/// Whether the stack should run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// Everything up.
    #[default]
    Running,
    /// Everything down, in order.
    Stopped,
}

/// How a generation ended: what the store keeps of an `Exit` for planning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastExit {
    /// Which start of the slot.
    pub generation: i64,
    /// When it ended.
    pub at: Timestamp,
    /// Why.
    pub reason: ExitReason,
    /// Its exit code.
    pub code: Option<i32>,
    /// Code or signal in words.
    pub meaning: String,
}

/// A restart that an operator asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolling {
    /// The service.
    pub service: ServiceName,
    /// Slots still to restart. The server takes a slot out in the transaction that writes its action.
    pub slots: Vec<u16>,
    /// Whether each slot waits until all others are ready. False for a restart of one slot.
    pub patient: bool,
    /// Who asked.
    pub requested_by: String,
}

impl<'a> Facts<'a> {
    /// Wanted replicas of a service.
    pub(crate) fn wanted(&self, name: &ServiceName, spec: &ServiceSpec) -> u16 {
        crate::desired(name, spec, self.desired)
    }

    /// The action that is open for a slot.
    pub(crate) fn open_action(&self, replica: &ReplicaId) -> Option<&'a Action> {
        self.open_actions.iter().find(|action| action.replica == *replica)
    }

    /// Ends of a slot since its last reset, oldest first.
    pub(crate) fn exits_of(&self, replica: &ReplicaId) -> &'a [PastExit] {
        self.exits.get(replica).map_or(&[], Vec::as_slice)
    }

    /// Failures of a slot in the window that ends at `end`.
    pub(crate) fn failures(&self, replica: &ReplicaId, policy: &RestartPolicy, end: Timestamp) -> u16 {
        let start = end - policy.window;
        let failures = self
            .exits_of(replica)
            .iter()
            .filter(|exit| exit.reason.is_failure() && exit.at > start && exit.at <= end);
        u16::try_from(failures.count()).unwrap_or(u16::MAX)
    }
}
