//! Sends one mail. A mail that could not be sent fails its job; it never counts as done.

use ops_bullmq::JobError;
use ops_program::jobs::Email;
use serde_json::{Value, json};

use crate::app::App;
use crate::mail::SendError;
use crate::store;

pub(crate) async fn run(app: &App, job: &str, email: Email) -> Result<Value, JobError> {
    let retry = |error: anyhow::Error| JobError::retry(format!("{error:#}"));
    if store::is_done(&app.database, job, "mail").await.map_err(|error| retry(error.into()))? {
        return Ok(json!({ "sent": true, "again": true }));
    }
    let address = store::address(&app.database, email.user_id).await.map_err(|error| retry(error.into()))?;
    let Some(address) = address else {
        return Ok(json!({ "sent": false, "skipped": "no such user" }));
    };
    let sent =
        app.mailer.send(&address, &email.subject, &email.text, job).await.map_err(|error| match error {
            SendError::Refused(reason) => JobError::unrecoverable(reason),
            SendError::Failed(reason) => JobError::retry(reason),
        })?;
    // Killed right here, the mail goes out twice, under one Message-ID: mail has no better than that.
    store::mark_done(&app.database, job, "mail").await.map_err(|error| retry(error.into()))?;
    Ok(json!({ "sent": sent }))
}
