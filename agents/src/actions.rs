use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ops_contract::{
    Action, ActionCause, ActionKind, ActionReport, ActionStatus, Driver, ExitReason, ReplicaPhase,
};
use tracing::{info, warn};

use crate::agent::Agent;
use crate::drivers::{self, Patience};

/// How often a lease, which lasts 60 s, is extended.
const EXTEND_EVERY: Duration = Duration::from_secs(20);

/// Begins to carry out an action, beside the others. One that is under way or already has a result is left alone.
pub(crate) fn begin(agent: &Arc<Agent>, action: Action) {
    if agent.results.holds(&action.id) {
        return;
    }
    if !agent.in_flight.lock().unwrap_or_else(PoisonError::into_inner).insert(action.id.clone()) {
        return;
    }
    let name = format!("action {}", action.id);
    agent.spawn(&name, move |agent, stop| {
        let action = action.clone();
        async move {
            if let Some(report) = stop.run_until_cancelled(carry_out(&agent, &action)).await {
                agent.results.put(&action.id, report);
                agent.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&action.id);
            }
            Ok(())
        }
    });
}

/// Does what is asked, extending the lease meanwhile.
async fn carry_out(agent: &Arc<Agent>, action: &Action) -> ActionReport {
    info!(
        action.id = action.id, replica = %action.replica, generation = action.generation,
        "{:?} of {}: {}", action.kind, action.replica, action.reason
    );
    let mut work = std::pin::pin!(act(agent, action));
    let result = loop {
        match tokio::time::timeout(EXTEND_EVERY, &mut work).await {
            Ok(result) => break result,
            Err(_) => {
                let leased = ActionReport { status: ActionStatus::Leased, error: None };
                if let Err(error) = agent.control.action(&action.id, &leased).await {
                    warn!(action.id = action.id, %error, "cannot extend a lease");
                }
            }
        }
    };
    match result {
        Ok(()) => ActionReport { status: ActionStatus::Succeeded, error: None },
        Err(error) => {
            warn!(action.id = action.id, replica = %action.replica, "{:?} of {} failed: {error}", action.kind, action.replica);
            ActionReport { status: ActionStatus::Failed, error: Some(error) }
        }
    }
}

async fn act(agent: &Arc<Agent>, action: &Action) -> Result<(), String> {
    let spec = agent.spec(&action.replica.service);
    let driver = drivers::of(spec.as_ref().map_or(Driver::Process, |spec| spec.driver));
    let reason = stop_reason(agent, action);
    match action.kind {
        ActionKind::Stop => {
            let patience = if action.cause == ActionCause::Scale { Patience::Drain } else { Patience::Grace };
            driver.stop(agent, &action.replica, action.generation, reason, patience).await
        }
        ActionKind::Start => {
            let spec = spec.ok_or_else(|| format!("no service {} in the stack", action.replica.service))?;
            driver.start(agent, &action.replica, action.generation, &spec, None).await
        }
        ActionKind::Restart => {
            let spec = spec.ok_or_else(|| format!("no service {} in the stack", action.replica.service))?;
            // What it is started with is had before anything is stopped: who cannot be started again runs on.
            let values = driver.prepare(agent, &action.replica, action.generation, &spec).await?;
            // What runs under the generation to come is the restart itself, seen again.
            driver.stop(agent, &action.replica, action.generation - 1, reason, Patience::Grace).await?;
            driver.start(agent, &action.replica, action.generation, &spec, values).await
        }
    }
}

/// What the end of the running generation will be called.
fn stop_reason(agent: &Agent, action: &Action) -> ExitReason {
    let phase = agent.fleet.report(&action.replica).map(|report| report.phase);
    match (action.cause, phase) {
        (ActionCause::Unresponsive, Some(ReplicaPhase::Starting)) => ExitReason::StartTimeout,
        (ActionCause::Unresponsive, _) => ExitReason::Unresponsive,
        _ => ExitReason::Asked,
    }
}
