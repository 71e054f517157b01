//! Something happened to a ticket: the sockets hear of it, and who waits for it gets a mail.

use ops_program::events::{organisation_room, ticket_room, user_room};
use ops_program::jobs::{self, Email, Notification};
use serde_json::{Value, json};

use crate::app::App;
use crate::store;

pub(crate) async fn run(app: &App, job: &str, notification: Notification) -> anyhow::Result<Value> {
    let Notification { ticket_id, organisation_id, event, message_id } = notification;
    let Some(ticket) = store::ticket(&app.database, organisation_id, ticket_id).await? else {
        // Deleted since: nobody waits for it any more.
        return Ok(json!({ "skipped": "no such ticket" }));
    };
    let mut data = json!({
        "id": ticket_id, "organisationId": organisation_id, "requesterId": ticket.requester_id,
        "subject": ticket.subject, "status": ticket.status, "priority": ticket.priority,
    });
    let message = match message_id {
        Some(id) => store::message(&app.database, ticket_id, id).await?,
        None => None,
    };
    if let Some(message) = &message {
        data["message"] = json!({ "id": message.id, "authorId": message.author_id, "body": message.body });
    }
    let rooms =
        vec![organisation_room(organisation_id), ticket_room(ticket_id), user_room(ticket.requester_id)];
    app.publish(format!("{job}-event"), &event, rooms, data).await?;

    // People who did it themselves need no mail about it.
    let author = message.as_ref().map(|message| message.author_id);
    if event == "ticket:updated" || author == Some(ticket.requester_id) {
        return Ok(json!({ "event": event, "mailed": false }));
    }
    let text = match &message {
        Some(message) => format!("{}\n\n{}/tickets/{ticket_id}", message.body, app.app_url),
        None => format!("We have your request and will answer soon.\n\n{}/tickets/{ticket_id}", app.app_url),
    };
    let mail = Email { user_id: ticket.requester_id, subject: ticket.subject, text };
    app.follow_up(jobs::EMAIL, "ticket", format!("{job}-mail"), mail).await?;
    Ok(json!({ "event": event, "mailed": true }))
}
