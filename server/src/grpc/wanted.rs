//! Which service a ScaledObject means, and what is told of it.

use std::collections::HashMap;

use ops_contract::{ScalingSignal, ScalingState, ServiceName};
use tonic::Status;

use super::wire::{MetricSpec, MetricValue};
use crate::App;

/// One replica is worth 1 of the metric, so that the HPA's average value is the number of replicas.
const WORTH: f64 = 1.0;

/// The service that the trigger's metadata names.
pub(super) fn service(app: &App, metadata: &HashMap<String, String>) -> Result<ServiceName, Status> {
    let known = || app.stack.services.keys().map(ServiceName::as_str).collect::<Vec<_>>().join(", ");
    let Some(name) = metadata.get("service").map(|it| it.trim()).filter(|it| !it.is_empty()) else {
        let text = format!("the trigger's metadata lacks `service`; name one of {}", known());
        return Err(Status::invalid_argument(text));
    };
    let name = ServiceName::from(name);
    if !app.stack.services.contains_key(&name) {
        let shown: String = name.as_str().chars().take(60).collect();
        let text = format!("the stack has no service {shown}, which `service` names; it has {}", known());
        return Err(Status::invalid_argument(text));
    }
    Ok(name)
}

/// The number that was decided. What is not known is an error, on which what runs is kept.
pub(super) fn signal(app: &App, service: &ServiceName) -> Result<ScalingSignal, Status> {
    let signal = app.scaling_signal(service).ok_or_else(|| Status::invalid_argument("no such service"))?;
    match signal.state {
        ScalingState::Unknown => {
            Err(Status::unavailable(format!("{service} is not to be scaled: {}", signal.reason)))
        }
        ScalingState::Measured | ScalingState::Manual | ScalingState::Fixed => Ok(signal),
    }
}

/// Name of a service's metric; KEDA puts the trigger's number before it.
fn metric(service: &ServiceName) -> String {
    format!("insightdesk-{service}")
}

pub(super) fn spec(service: &ServiceName) -> MetricSpec {
    MetricSpec { metric_name: metric(service), target_size: WORTH as i64, target_size_float: WORTH }
}

/// The value of the metric `asked` for; an empty name means the only one there is.
pub(super) fn value(signal: &ScalingSignal, asked: &str) -> Result<MetricValue, Status> {
    let name = metric(&signal.service);
    let bare = asked.strip_prefix('s').and_then(|it| it.split_once('-')).map_or(asked, |(index, rest)| {
        if index.bytes().all(|it| it.is_ascii_digit()) { rest } else { asked }
    });
    if !asked.is_empty() && bare != name {
        return Err(Status::invalid_argument(format!("the metric of {} is {name}", signal.service)));
    }
    let desired = f64::from(signal.desired) * WORTH;
    Ok(MetricValue { metric_name: name, metric_value: desired as i64, metric_value_float: desired })
}
