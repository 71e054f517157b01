use std::sync::Arc;
use std::time::Duration;

use ops_contract::{DeepCheck, ServiceName, Signal};
use ops_tasks::ServiceHandle;

use super::http::{Answer, ask, in_words};
use crate::agent::Agent;
use crate::clock;

/// Longest wait for a read path.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Pause while no replica serves: it may any moment.
const NOBODY: Duration = Duration::from_secs(1);

/// Asks a service's read path, one replica after another, until stopped.
pub(super) fn begin(agent: &Arc<Agent>, service: ServiceName, check: DeepCheck) -> ServiceHandle {
    agent.spawn(&format!("deep check of {service}"), move |agent, stop| {
        let (service, check) = (service.clone(), check.clone());
        async move {
            let _ = stop.run_until_cancelled(run(&agent, &service, &check)).await;
            Ok(())
        }
    })
}

async fn run(agent: &Agent, service: &ServiceName, check: &DeepCheck) {
    for turn in 0_usize.. {
        let ports = agent.fleet.serving_ports(service);
        let Some(port) = ports.get(turn % ports.len().max(1)) else {
            // Readiness tells what is wrong; the read path cannot add to it.
            tokio::time::sleep(NOBODY).await;
            continue;
        };
        let answer = ask(agent, Some(*port), &check.path, TIMEOUT).await;
        let good = match &answer {
            Answer::Good(_) => true,
            Answer::Bad(status, _) => !status.is_server_error(),
            Answer::Silent(_) => false,
        };
        let detail = format!("{} {}", check.path, in_words(&answer));
        agent.outbox.deep_check(
            service.clone(),
            Signal::DeepCheck { service: service.clone(), good, detail, at: clock::now() },
        );
        tokio::time::sleep(check.interval).await;
    }
}
