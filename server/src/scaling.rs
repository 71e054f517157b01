//! What is said of numbers of replicas; the autoscaler's task decides them.

use ops_contract::{ScalingSignal, ServiceName};

use crate::{App, clock};

impl App {
    /// How many replicas a service should have now; `None` when the stack has none of the name.
    pub(crate) fn scaling_signal(&self, name: &ServiceName) -> Option<ScalingSignal> {
        let spec = self.stack.services.get(name)?;
        let decided = self.scaling.borrow().clone();
        let wanted = ops_engine::desired(name, spec, &self.desired());
        let state = self.state();
        let known = state.services.get(name);
        Some(ops_engine::scaling_signal(decided.get(name), name, spec, wanted, known, clock::now()))
    }
}
