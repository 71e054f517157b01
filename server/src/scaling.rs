//! What is said of queues and of numbers of replicas; the autoscaler's task decides them.

use ops_contract::{
    QueuesView, ScalingDecision, ScalingServiceView, ScalingSignal, ScalingView, ServiceName, ServiceSpec,
};

use crate::{App, clock, store, view};

/// Decisions on the page; the API pages through all.
const SHOWN_DECISIONS: u32 = 20;

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

    /// What `/queues` shows, from memory alone.
    pub(crate) fn queues_view(&self) -> QueuesView {
        ops_engine::queues_view(&self.stack, &self.state(), clock::now())
    }

    /// What `/scaling` shows. Without the store it lacks the decisions, and says so.
    pub(crate) async fn scaling_view(&self) -> ScalingView {
        let (state, mut history_unavailable) = (self.state(), self.store_fault());
        let mut services = Vec::new();
        for (name, _) in self.stack.services.iter().filter(|(_, spec)| scales(spec)) {
            let Some(signal) = self.scaling_signal(name) else { continue };
            let decisions = match history_unavailable {
                None => self.decisions(name).await,
                Some(_) => Ok(Vec::new()),
            };
            let decisions = decisions.unwrap_or_else(|error| {
                tracing::warn!(%error, "could not read decisions");
                history_unavailable = Some("the store cannot be read: decisions are missing".to_owned());
                Vec::new()
            });
            let ready = view::service(&self.stack, &state, &[], name).map_or(0, |it| it.ready);
            services.push(ScalingServiceView {
                signal,
                ready,
                decisions,
                history: self.scaling_history(name),
            });
        }
        ScalingView { services, history_unavailable, at: clock::now() }
    }

    /// The latest decisions on a service.
    async fn decisions(&self, name: &ServiceName) -> store::Result<Vec<ScalingDecision>> {
        let mut db = self.store.connection().await?;
        store::scaling::decisions(&mut db, name, None, SHOWN_DECISIONS).await
    }
}

/// Whether there may be more than one of it.
fn scales(spec: &ServiceSpec) -> bool {
    spec.scale.is_some() || spec.replicas.max > 1
}
