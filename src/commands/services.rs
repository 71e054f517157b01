//! `insightdesk services`: every replica.

use comfy_table::Cell;
use ops_contract::{Page, ReplicaView, ServiceView};
use serde_json::{Value, json};

use super::words;
use crate::cli::Globals;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::output;

/// Arguments of `services`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  insightdesk services\n  insightdesk services api\n  insightdesk services --json | jq '.[].replicas[].pid'"
)]
pub(crate) struct Arguments {
    /// Only this service
    service: Option<String>,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let page: Page<ServiceView> = Client::find(globals)?.get("/api/services").await?;
    let wanted = |it: &ServiceView| arguments.service.as_ref().is_none_or(|name| it.name.as_str() == name);
    let services: Vec<ServiceView> = page.items.into_iter().filter(wanted).collect();
    if let Some(name) = &arguments.service
        && services.is_empty()
    {
        return Err(Failure::usage(format!(
            "there is no service `{name}`: `insightdesk services` lists them"
        )));
    }
    if globals.json {
        return output::json(&services.iter().map(to_json).collect::<Vec<_>>());
    }
    output::say_table(&table(&services));
    Ok(())
}

/// What runs where.
pub(crate) fn table(services: &[ServiceView]) -> comfy_table::Table {
    let head = ["replica", "state", "since", "pid", "port", "cpu", "memory", "restarts", "why"];
    let mut table = output::table(&head);
    for service in services {
        for replica in &service.replicas {
            let state = &replica.state;
            let number = |it: Option<String>| Cell::new(it.unwrap_or_else(|| "–".to_owned()));
            table.add_row(vec![
                Cell::new(format!("{}/{}", service.name, replica.slot)),
                words::phase(state.phase),
                Cell::new(words::ago(state.since)),
                number(state.pid.map(|it| it.to_string())),
                number(state.port.map(|it| it.to_string())),
                number(state.usage.map(|it| format!("{:.1} %", it.cpu_cores * 100.0))),
                number(state.usage.map(|it| words::bytes(it.memory_bytes))),
                Cell::new(state.failures),
                Cell::new(state.detail.as_deref().unwrap_or_default()),
            ]);
        }
        if service.replicas.is_empty() {
            let mut row = vec![Cell::new(&service.name), words::status(service.status)];
            row.extend([""; 6].map(Cell::new));
            row.push(Cell::new(&service.reason));
            table.add_row(row);
        }
    }
    table
}

/// The shape that scripts rely on: fields may be added, these stay.
pub(crate) fn to_json(service: &ServiceView) -> Value {
    json!({
        "name": service.name,
        "status": service.status,
        "ready": service.ready,
        "desired": service.desired,
        "min": service.bounds.min,
        "max": service.bounds.max,
        "reason": service.reason,
        "replicas": service.replicas.iter().map(replica_to_json).collect::<Vec<_>>(),
    })
}

fn replica_to_json(replica: &ReplicaView) -> Value {
    let state = &replica.state;
    json!({
        "slot": replica.slot,
        "state": words::phase_key(state.phase),
        "phase": state.phase,
        "pid": state.pid,
        "port": state.port,
        "since": words::moment(state.since),
        "restarts": state.failures,
        "generation": state.generation,
        "detail": state.detail,
        "usage": state.usage,
    })
}
