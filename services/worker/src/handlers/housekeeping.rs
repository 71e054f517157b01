//! Repeated work: closes tickets that were resolved long ago, and finds deadlines whose check was lost.

use anyhow::bail;
use ops_program::jobs::{self, Notification};
use serde_json::{Value, json};

use crate::app::App;
use crate::handlers::sla;
use crate::schedules::{AUTO_CLOSE, SLA_SWEEP};
use crate::store;

pub(crate) async fn run(app: &App, job: &str, name: &str) -> anyhow::Result<Value> {
    match name {
        AUTO_CLOSE => auto_close(app, job).await,
        SLA_SWEEP => sla_sweep(app, job).await,
        other => bail!("nobody knows the scheduled job {other}"),
    }
}

async fn auto_close(app: &App, job: &str) -> anyhow::Result<Value> {
    let closed = store::close_stale(&app.database).await?;
    for (ticket_id, organisation_id) in &closed {
        let data = Notification {
            ticket_id: *ticket_id,
            organisation_id: *organisation_id,
            event: "ticket:updated".to_owned(),
            message_id: None,
        };
        // Scheduled jobs have colons in their ids, ids of one's own must not.
        let id = format!("closed-{}-{ticket_id}", job.replace(':', "-"));
        app.follow_up(jobs::NOTIFICATION, jobs::NOTIFICATION, id, data).await?;
    }
    Ok(json!({ "closed": closed.len() }))
}

async fn sla_sweep(app: &App, job: &str) -> anyhow::Result<Value> {
    let overdue = store::overdue(&app.database).await?;
    let found = overdue.len();
    for deadline in overdue {
        sla::check(app, job, deadline).await?;
    }
    Ok(json!({ "found": found }))
}
