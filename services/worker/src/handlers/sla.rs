//! Deadlines: looked at when they are due, recorded once when they were missed, told to the staff.

use ops_program::events::{organisation_room, ticket_room};
use ops_program::jobs::{self, Email, SlaDeadline};
use serde_json::{Value, json};

use crate::app::App;
use crate::store;

/// Looks at a ticket at its deadline.
pub(crate) async fn check(app: &App, job: &str, deadline: SlaDeadline) -> anyhow::Result<Value> {
    // The breach is a row first: whatever fails after it is done again by the next attempt.
    if !store::record_breach(&app.database, deadline.ticket_id).await? {
        return Ok(json!({ "breached": false }));
    }
    let id = format!("breach-{}", deadline.ticket_id);
    app.follow_up(jobs::SLA_BREACHED, jobs::SLA_BREACHED, id, &deadline).await?;
    tracing::info!(ticket.id = %deadline.ticket_id, job.id = job, "a ticket missed its deadline");
    Ok(json!({ "breached": true }))
}

/// Tells the staff of a missed deadline.
pub(crate) async fn breached(app: &App, job: &str, deadline: SlaDeadline) -> anyhow::Result<Value> {
    let SlaDeadline { ticket_id, organisation_id, .. } = deadline;
    let Some(ticket) = store::ticket(&app.database, organisation_id, ticket_id).await? else {
        return Ok(json!({ "skipped": "no such ticket" }));
    };
    let data = json!({ "kind": "sla-breached", "ticketId": ticket_id, "subject": ticket.subject, "priority": ticket.priority });
    let rooms = vec![organisation_room(organisation_id), ticket_room(ticket_id)];
    app.publish(format!("{job}-event"), "notification", rooms, data).await?;
    let staff = store::staff(&app.database, organisation_id).await?;
    for user_id in &staff {
        let subject = format!("Deadline missed: {}", ticket.subject);
        let text =
            format!("The first deadline of this ticket has passed.\n\n{}/tickets/{ticket_id}", app.app_url);
        let mail = Email { user_id: *user_id, subject, text };
        app.follow_up(jobs::EMAIL, "sla-breached", format!("{job}-mail-{user_id}"), mail).await?;
    }
    Ok(json!({ "mails": staff.len() }))
}
