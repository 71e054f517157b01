use std::sync::Arc;

use ops_contract::{Alert, RuleView};
use ops_promql::Limits;
use ops_series::Memory;

use super::{Engine, Local, RuleSet, Transition};

/// Rules on a few series in memory, at times of one's own: for the tests of rules.
#[derive(Debug)]
pub struct Simulation {
    engine: Engine,
    /// The series; what rules record is put among them.
    pub source: Memory,
    limits: Limits,
}

impl Simulation {
    /// Begins with `source`. Nothing has been evaluated yet.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, source: Memory) -> Self {
        Self { engine: Engine::new(rules, Vec::new(), 0), source, limits: Limits::default() }
    }

    /// Evaluates every rule, in order, at `at_ms`; what a rule records is there for the next.
    pub fn step_to(&mut self, at_ms: i64) -> Vec<Transition> {
        let mut transitions = Vec::new();
        for job in self.engine.all(at_ms) {
            let outcome = job.run(&Local::new(&self.source, self.limits), at_ms);
            let mut step = self.engine.plan(&outcome);
            transitions.append(&mut step.transitions);
            for (labels, sample) in std::mem::take(&mut step.samples) {
                self.source.push(&labels, sample);
            }
            self.engine.apply(step);
        }
        transitions
    }

    /// Every rule as it stands.
    #[must_use]
    pub fn views(&self) -> Vec<RuleView> {
        self.engine.views()
    }

    /// The living alerts of a name.
    #[must_use]
    pub fn alerts(&self, name: &str) -> Vec<Alert> {
        let rules = self.engine.views().into_iter().filter(|it| it.name == name);
        rules.flat_map(|it| it.alerts).filter(|it| it.resolved_at.is_none()).collect()
    }
}
